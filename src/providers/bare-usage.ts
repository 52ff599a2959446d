import type { Json } from './counts.ts'
import type { Dialect } from './dialect.ts'

/** The smallest answer that holds a usage object where the dialect looks for it. */
export const answerWithUsage = (dialect: Dialect, usage: Json): Json =>
  dialect.usagePath.reduceRight<Json>((inner, key) => ({ [key]: inner }), usage)

/** The first dialect in whose answers a usage object would look right. */
export const dialectOfUsage = (usage: Json, among: readonly Dialect[]): Dialect | undefined =>
  among.find((dialect) => dialect.matchesBody(answerWithUsage(dialect, usage)))
