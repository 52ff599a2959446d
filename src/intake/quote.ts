import { amountOf, type Charge } from '../core/charge.ts'
import { TaximeterError } from '../core/errors.ts'
import { type PicoUsd, zeroUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price-book.ts'
import { settleCharge } from '../core/settle.ts'
import { addUsage, type Usage, type UsageFlag, type UsageQuality } from '../core/usage.ts'
import { type HeaderOf, withHeaders } from '../providers/answer-headers.ts'
import { billedModelOf } from '../providers/billed-model.ts'
import { readUsage } from '../providers/read-usage.ts'
import { parseUsage, Rejection } from './parse-event.ts'

/** What a provider's answer used and costs, with nothing kept. */
export interface Quote {
  readonly provider: string
  readonly model: string
  /** Which API the answer is of; absent where counts were given instead of an answer. */
  readonly dialect?: string
  /** True when nobody named the dialect and the answer's form told it. */
  readonly recognised?: boolean
  readonly usage: Usage
  readonly quality: UsageQuality
  readonly flags: readonly UsageFlag[]
  readonly charge: Charge
}

/**
 * Prices one answer of a provider: `{"dialect"?, "provider", "model"?, "at"?, "headers"?, "body" | "stream" | "rawUsage" | "usage"}`. The
 * model is the one that the answer names, else the one given; `at` is when it was made, else now. Throws BAD_REQUEST or UNKNOWN_DIALECT
 * with what was expected and what came.
 */
export const quoteOf = (request: unknown, book: PriceBook, now: number): Quote => {
  if (typeof request !== 'object' || request === null || Array.isArray(request))
    throw bad('A line should be a JSON object with "provider" and "body" or "stream"')
  const json = request as Readonly<Record<string, unknown>>
  const provider = text(json, 'provider')?.toLowerCase() ?? ''
  const at = instantOf(json.at, now)
  if (json.usage !== undefined) return quoteOfCounts(json, provider, at, book)
  const reading = readUsage({
    provider,
    body: json.body,
    rawUsage: json.rawUsage,
    ...optionalText(json, 'dialect'),
    ...optionalText(json, 'stream'),
  })
  if ('failure' in reading) {
    if (reading.failure === 'malformed')
      throw bad('A line should hold the answer as "body" (an object), "stream" (its text), "rawUsage" or "usage"')
    throw new TaximeterError(
      'UNKNOWN_DIALECT',
      'The answer is of no dialect that is known. Name its "dialect"; docs/reference/dialects.md lists them.',
    )
  }
  const { also = [], ...report } = { ...reading, ...withHeaders(reading, headersOf(json.headers)) }
  const model = billedModelOf(provider, report.model, text(json, 'model')) ?? 'unknown'
  // An answer that is an error is not an answer: it is not billed, and what it does not tell is not missing.
  const ended =
    report.error === undefined
      ? { status: 'ok' as const }
      : { status: 'error' as const, quality: report.quality === 'missing' ? ('complete' as const) : report.quality }
  const duration = report.machineMs === undefined ? undefined : { durationMs: report.machineMs }
  const charges = [
    settleCharge({ ...report, ...ended, ...duration, provider, model, at }, book),
    ...also.map((part) => settleCharge({ ...part, provider, at }, book)),
  ]
  return {
    provider,
    model,
    dialect: report.dialect,
    recognised: report.recognised,
    usage: also.reduce<Usage>((sum, part) => addUsage(sum, part.usage), report.usage),
    quality: report.quality,
    flags: report.flags,
    charge: charges.reduce(joinedCharge),
  }
}

const headersOf = (value: unknown): HeaderOf => {
  if (value === undefined || value === null) return () => undefined
  if (typeof value !== 'object' || Array.isArray(value)) throw bad('"headers" should be an object of names and texts')
  const headers = new Map(Object.entries(value).map(([name, text]) => [name.toLowerCase(), text]))
  return (name) => headers.get(name)
}

const quoteOfCounts = (json: Readonly<Record<string, unknown>>, provider: string, at: number, book: PriceBook): Quote => {
  const model = text(json, 'model')
  if (model === undefined) throw bad('"usage" needs the "model" that it was used of')
  const usage = parsedUsage(json.usage)
  const call = {
    provider,
    model,
    at,
    usage,
    quality: 'complete' as const,
    ...optionalText(json, 'tier'),
    ...optionalText(json, 'speed'),
    ...optionalText(json, 'region'),
  }
  return { provider, model, usage, quality: 'complete', flags: [], charge: settleCharge(call, book) }
}

const parsedUsage = (value: unknown): Usage => {
  try {
    return parseUsage(value)
  } catch (error) {
    if (error instanceof Rejection) throw new TaximeterError('BAD_REQUEST', error.message, { cause: error })
    throw error
  }
}

/** Two models of one answer as one charge, as sure as the less sure of them; lines of both. An unpriced part makes the whole a lower bound. */
const joinedCharge = (left: Charge, right: Charge): Charge => {
  if (left.basis === 'unpriced' && right.basis === 'unpriced') return left
  if (left.basis === 'unpriced' || right.basis === 'unpriced') {
    const known = left.basis === 'unpriced' ? right : left
    return known.basis === 'unpriced' ? known : { ...known, basis: 'partial' }
  }
  const total = (amountOf(left) + amountOf(right)) as PicoUsd
  const computed = left.computed === undefined ? undefined : ((left.computed + (right.computed ?? right.total ?? zeroUsd)) as PicoUsd)
  const basis = (['estimated', 'partial'] as const).find((each) => left.basis === each || right.basis === each) ?? left.basis
  return { ...left, basis, total, lines: [...left.lines, ...right.lines], ...(computed !== undefined && { computed }) }
}

const text = (json: Readonly<Record<string, unknown>>, field: string): string | undefined => {
  const value = json[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw bad(`"${field}" should be a text, got ${typeof value}`)
  return value
}

const optionalText = <Field extends string>(
  json: Readonly<Record<string, unknown>>,
  field: Field,
): { readonly [Name in Field]?: string } => {
  const value = text(json, field)
  return (value === undefined ? {} : { [field]: value }) as { readonly [Name in Field]?: string }
}

const instantOf = (value: unknown, now: number): number => {
  if (value === undefined || value === null) return now
  const at = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (!Number.isFinite(at)) throw bad('"at" should be an ISO 8601 instant or UTC milliseconds')
  return at
}

const bad = (sentence: string) => new TaximeterError('BAD_REQUEST', `${sentence}.`)
