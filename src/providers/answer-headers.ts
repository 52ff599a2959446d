import type { PicoUsd } from '../core/money.ts'
import { createTally, mainCountOf, put } from './counts.ts'
import type { UsageReport } from './dialect.ts'
import { reportOf, withFlags } from './report.ts'
import { usdOf } from './reported-cost.ts'

/** The value of a header by its name in lower case; nothing, null or undefined, where there is none. */
export type HeaderOf = (name: string) => unknown

/** Headers in which gateways say what an answer cost, in dollars. */
const costHeaders: readonly string[] = [
  // LiteLLM's proxy: docs.litellm.ai, "Response headers". It prints "None" when it does not know.
  'x-litellm-response-cost',
]

/** What an answer told, with what its headers say where the answer itself says nothing: its cost, and its counts. */
export const withHeaders = (report: UsageReport, headerOf: HeaderOf): UsageReport => {
  const counted = report.quality === 'missing' && report.error === undefined ? (withBedrockCounts(report, headerOf) ?? report) : report
  const cost = report.reportedCost === undefined ? costIn(headerOf) : undefined
  return cost === undefined ? counted : { ...counted, reportedCost: cost }
}

/**
 * What a gateway says an answer cost. A cost of exactly zero is not taken for an answer: gateways print it for models that they have
 * no price for and for streams whose end they have not seen when the headers go out.
 */
const costIn = (headerOf: HeaderOf): PicoUsd | undefined => {
  for (const name of costHeaders) {
    const cost = usdOf(headerOf(name) ?? undefined)
    if (cost !== undefined && cost > 0n) return cost
  }
  return undefined
}

/** Bedrock counts for every model that it invokes, and says so in headers where the model's own answer has no counts. */
const withBedrockCounts = (report: UsageReport, headerOf: HeaderOf): UsageReport | undefined => {
  const tally = createTally()
  const count = (name: string): number => {
    const text = headerOf(`x-amzn-bedrock-${name}-token-count`)
    return mainCountOf(tally, typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined) ?? 0
  }
  put(tally, 'input', count('input'))
  put(tally, 'cache_read', count('cache-read-input'))
  put(tally, 'cache_write_5m', count('cache-write-input'))
  put(tally, 'output', count('output'))
  return tally.isKnown ? withFlags({ ...report, ...reportOf(tally, {}) }, report.flags) : undefined
}
