import { answerWithUsage, dialectOfUsage } from './bare-usage.ts'
import { asBatch, batchAnswersOf, joinedReports } from './batch-results.ts'
import { type Json, objectOf } from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { dialectNamed, dialects, recogniseDialect } from './dialects.ts'
import { parseRecord, recordsOf } from './stream-reader.ts'

/** An answer in one of three forms: parsed, as the raw text of a stream, or as the usage object alone. */
export interface UsageSource {
  readonly dialect?: string
  readonly provider?: string
  readonly body?: unknown
  /**
   * A stream as it came: server-sent events, NDJSON, or a JSON array of chunks. An AWS event stream, which is not text, in base64, or
   * with one char per byte.
   */
  readonly stream?: string
  /** A usage object as the provider printed it, for clients in other languages that have nothing else. */
  readonly rawUsage?: unknown
  readonly inputEstimate?: number
}

export type UsageReading =
  | (UsageReport & { readonly dialect: string; readonly recognised: boolean })
  /** `unknown-dialect`: the one named is not in the list, or none was named and none fits. `malformed`: nothing to read. */
  | { readonly failure: 'unknown-dialect' | 'malformed' }

/** Reads the usage of one answer, whatever form it has. Never throws. A dialect that was not named is recognised, and that is said. */
export const readUsage = (source: UsageSource): UsageReading => {
  const form = formOf(source)
  if (form === undefined) return { failure: 'malformed' }
  const batch = batchOf(form)
  if (batch !== undefined) return readBatch(batch, source)
  const found = dialectOf(source, form)
  if (found === undefined) return { failure: 'unknown-dialect' }
  const context: ReadContext = {
    provider: source.provider ?? '',
    ...(source.inputEstimate !== undefined && { inputEstimate: source.inputEstimate }),
  }
  return { ...reportOfForm(found.dialect, form, context), dialect: found.dialect.name, recognised: found.recognised }
}

/** The answers in the results of a batch, whether they came as one line, as a list or as the text of the file. */
const batchOf = (form: Form): readonly Json[] | undefined => {
  if (form.kind === 'usage') return undefined
  if (form.kind === 'body') return batchAnswersOf(form.body)
  const [first] = recordsOf(form.bytes.subarray(0, bytesLookedAtMax), 1)
  if (first === undefined || batchAnswersOf(parseRecord(first)) === undefined) return undefined
  return batchAnswersOf(recordsOf(form.bytes, Number.POSITIVE_INFINITY).map(parseRecord))
}

/** A line that cannot be read stops the reading, so that no sum leaves one out unseen. */
const readBatch = (answers: readonly Json[], source: UsageSource): UsageReading => {
  const reports: Exclude<UsageReading, { readonly failure: string }>[] = []
  for (const body of answers) {
    const reading = readUsage({ ...source, body })
    if ('failure' in reading) return reading
    reports.push(reading)
  }
  const [first, ...others] = reports
  if (first === undefined) return { failure: 'malformed' }
  const report = others.length === 0 ? asBatch(first) : joinedReports([first, ...others])
  return { ...report, dialect: first.dialect, recognised: first.recognised }
}

type Form =
  | { readonly kind: 'body'; readonly body: object }
  | { readonly kind: 'stream'; readonly bytes: Uint8Array }
  | { readonly kind: 'usage'; readonly usage: Json }

const formOf = ({ body, stream, rawUsage }: UsageSource): Form | undefined => {
  if (typeof body === 'object' && body !== null) return { kind: 'body', body }
  if (typeof stream === 'string' && stream !== '') return { kind: 'stream', bytes: bytesOf(stream) }
  const usage = objectOf(rawUsage)
  return usage === undefined ? undefined : { kind: 'usage', usage }
}

/** A message of an AWS event stream begins with its length, whose first byte is zero: `A` in base64. */
const bytesOf = (stream: string): Uint8Array => {
  if (stream.charCodeAt(0) < 9) return Buffer.from(stream, 'latin1')
  return /^AA[A-Za-z0-9+/]{14,}={0,2}\s?$/.test(stream.slice(0, 64)) ? Buffer.from(stream, 'base64') : Buffer.from(stream)
}

const dialectOf = (source: UsageSource, form: Form): { readonly dialect: Dialect; readonly recognised: boolean } | undefined => {
  if (source.dialect !== undefined) {
    const dialect = dialectNamed(source.dialect)
    return dialect && { dialect, recognised: false }
  }
  const provider = source.provider === undefined ? {} : { provider: source.provider }
  if (form.kind === 'body') return recogniseDialect({ body: form.body, ...provider }) ?? ofEmptyUsage(form.body, provider)
  if (form.kind === 'usage') return recogniseUsage(form.usage, provider)
  for (const record of recordsOf(form.bytes.subarray(0, bytesLookedAtMax), recordsLookedAtMax)) {
    const parsed = parseRecord(record)
    const found = parsed && recogniseDialect({ body: parsed, ...provider })
    if (found !== undefined) return found
  }
  return undefined
}

/** A stream that has not told by then what it is will not. */
const recordsLookedAtMax = 20
const bytesLookedAtMax = 1024 * 1024

const recogniseUsage = (usage: Json, provider: { readonly provider?: string }) => {
  const dialect = dialectOfUsage(usage, dialects)
  return dialect === undefined
    ? ofEmptyUsage({ usage }, provider)
    : recogniseDialect({ body: answerWithUsage(dialect, usage), ...provider })
}

/** An answer that says its usage and has none in it is one whose usage is missing, in whatever dialect: it is read as the commonest. */
const ofEmptyUsage = (body: object, provider: { readonly provider?: string }) => {
  const usage = 'usage' in body ? body.usage : undefined
  const isEmpty = usage === null || (typeof usage === 'object' && Object.keys(usage).length === 0)
  return isEmpty ? recogniseDialect({ body: { ...body, choices: [] }, ...provider }) : undefined
}

const reportOfForm = (dialect: Dialect, form: Form, context: ReadContext): UsageReport => {
  if (form.kind === 'body') return dialect.ofBody(form.body, context)
  if (form.kind === 'usage') return dialect.ofBody(answerWithUsage(dialect, form.usage), context)
  const reader = dialect.createReader(context)
  reader.push(form.bytes)
  return reader.end()
}
