import { type Basis, bases } from './charge.ts'
import { divideHalfEven, formatUsd } from './money.ts'
import type { Breakdown, Measure, Question } from './question.ts'
import { completionUnits, promptUnits, type Unit } from './units.ts'
import { nextStart } from './window.ts'

/** What a store adds up for one group of calls, and for the runs that started in it. Everything else is derived from this. */
export interface Sums {
  llmCalls: number
  toolCalls: number
  retries: number
  errors: number
  llmCost: bigint
  toolCost: bigint
  /** Of the model calls that were a second or later attempt; inside `llmCost`. */
  retryCost: bigint
  /** Counts may pass 2⁵³. */
  readonly tokens: Partial<Record<Unit, bigint>>
  /** Of a total: every basis. Of a group: at least those in `doubtful`. */
  readonly coverage: Partial<Record<Basis, { calls: number; cost: bigint }>>
  runs: number
  runLlmCost: bigint
  runToolCost: bigint
  runTokens: bigint
  /** Exact percentiles of run cost, nearest rank, filled in only when asked for. */
  runCostAt?: Readonly<Partial<Record<'p50' | 'p95' | 'p99', bigint>>>
  latencyAt?: Readonly<Record<'p50' | 'p95', number>>
}

/** One group as a store finds it: the bucket's start, the values of the breakdown in the question's order, the sums. */
export interface Group {
  readonly bucket?: number
  readonly key: readonly (string | null)[]
  readonly sums: Sums
  /** On the row `other`: how many groups are folded into it. */
  readonly folded?: number
}

/**
 * A count is a number; past 2⁵³ it is a decimal string, because JSON numbers would lose digits. Money is dollars with 12 decimals.
 * `null`: not known. There is nothing to divide by, or all that could have cost something is unpriced.
 */
export type Value = string | number | null
/** A row with a cost says beside it how many of its calls leave that in doubt: `unpricedCalls`, `partialCalls`, `estimatedCalls`; none are left out. */
export type AnswerRow = { readonly bucket?: string } & { readonly [column: string]: Value }

export interface Answer {
  readonly from: string
  readonly to: string
  readonly tz: string
  readonly rows: readonly AnswerRow[]
  readonly totals: Readonly<Record<string, Value>>
  readonly coverage: Readonly<Record<Basis, { readonly calls: number; readonly cost: string }>>
}

export const emptySums = (): Sums => ({
  llmCalls: 0,
  toolCalls: 0,
  retries: 0,
  errors: 0,
  llmCost: 0n,
  toolCost: 0n,
  retryCost: 0n,
  tokens: {},
  coverage: {},
  runs: 0,
  runLlmCost: 0n,
  runToolCost: 0n,
  runTokens: 0n,
})

/** Groups as found by a store, and the sums over all of them, → the answer in its outside form. */
export const answerOf = (question: Question, groups: readonly Group[], total: Sums): Answer => {
  const hours = createHours(question)
  return {
    from: new Date(question.from).toISOString(),
    to: new Date(question.to).toISOString(),
    tz: question.zone,
    rows: groups.map((group) => rowOf(question, group, hours(group.bucket))),
    totals: measuresOf(question.measures, total, hours(undefined)),
    coverage: coverageOf(total),
  }
}

/** The hours that a rate is over: those of the period, or those of a bucket that lie in the period. */
export const hoursOf = (question: Question, bucket: number | undefined): number => {
  if (bucket === undefined || question.interval === undefined) return (question.to - question.from) / 3_600_000
  const end = nextStart(question.interval, bucket, question.zone)
  return (Math.min(end, question.to) - Math.max(bucket, question.from)) / 3_600_000
}

/** `hoursOf` for every row of an answer: a bucket's end is found once, and only where a rate is asked for, because time zones take their time. */
const createHours = (question: Question): ((bucket: number | undefined) => number) => {
  if (!question.measures.includes('burnRatePerHour')) return () => 0
  const known = new Map<number | undefined, number>()
  return (bucket) => {
    let hours = known.get(bucket)
    if (hours === undefined) known.set(bucket, (hours = hoursOf(question, bucket)))
    return hours
  }
}

/** Charges that make a sum something else than what was paid: less, or about it. */
export const doubtful = ['unpriced', 'partial', 'estimated'] as const satisfies readonly Basis[]

/** Measures that are dollars. */
export const isMoney = (measure: string): boolean => /cost|burnRate/i.test(measure)

const rowOf = (question: Question, group: Group, hours: number): AnswerRow => {
  const row: Record<string, Value> = {}
  if (group.bucket !== undefined) row.bucket = new Date(group.bucket).toISOString()
  question.by.forEach((name: Breakdown, index) => {
    row[name] = group.key[index] ?? null
  })
  if (group.folded !== undefined) row.folded = group.folded
  Object.assign(row, measuresOf(question.measures, group.sums, hours))
  if (question.measures.some(isMoney))
    for (const basis of doubtful) {
      const calls = group.sums.coverage[basis]?.calls ?? 0
      if (calls > 0) row[`${basis}Calls`] = calls
    }
  return row as AnswerRow
}

const measuresOf = (measures: readonly Measure[], sums: Sums, hours: number): Record<string, Value> => {
  const values: Record<string, Value> = {}
  for (const measure of measures) values[measure] = measureOf(measure, sums, hours)
  return values
}

const coverageOf = (sums: Sums): Answer['coverage'] =>
  Object.fromEntries(
    bases.map((basis) => [basis, { calls: sums.coverage[basis]?.calls ?? 0, cost: formatUsd(sums.coverage[basis]?.cost ?? 0n) }]),
  ) as Answer['coverage']

const tokensOver = (sums: Sums, over: readonly Unit[]): bigint => over.reduce((sum, unit) => sum + (sums.tokens[unit] ?? 0n), 0n)

const countValue = (count: bigint): Value => (count <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(count) : count.toString())
/** A sum of nothing is not known to be nothing while a call in it has no price. */
const money = (amount: bigint, { coverage }: Sums): Value =>
  amount === 0n && (coverage.unpriced?.calls ?? 0) > 0 ? null : formatUsd(amount)
const perRun = (amount: bigint, sums: Sums): Value => (sums.runs === 0 ? null : money(divideHalfEven(amount, BigInt(sums.runs)), sums))
const ratio = (part: bigint, whole: bigint): Value => (whole === 0n ? null : Number((part * 1_000_000_000n) / whole) / 1_000_000_000)
const percentile = (value: bigint | undefined, sums: Sums): Value => (value === undefined ? null : money(value, sums))

/** One measure of a group. Written as one table so that each definition can be read beside its neighbours. */
export const measureOf = (measure: Measure, sums: Sums, hours: number): Value => {
  switch (measure) {
    case 'cost':
      return money(sums.llmCost + sums.toolCost, sums)
    case 'llmCost':
      return money(sums.llmCost, sums)
    case 'toolCost':
      return money(sums.toolCost, sums)
    case 'retryCost':
      return money(sums.retryCost, sums)
    case 'calls':
      return sums.llmCalls + sums.toolCalls
    case 'llmCalls':
    case 'toolCalls':
    case 'retries':
    case 'errors':
    case 'runs':
      return sums[measure]
    case 'promptTokens':
      return countValue(tokensOver(sums, promptUnits))
    case 'completionTokens':
      return countValue(tokensOver(sums, completionUnits))
    case 'tokens':
      return countValue(tokensOver(sums, promptUnits) + tokensOver(sums, completionUnits))
    case 'costPerRun':
      return perRun(sums.runLlmCost + sums.runToolCost, sums)
    case 'llmCostPerRun':
      return perRun(sums.runLlmCost, sums)
    case 'toolCostPerRun':
      return perRun(sums.runToolCost, sums)
    case 'costPer1kRuns':
      return perRun((sums.runLlmCost + sums.runToolCost) * 1_000n, sums)
    case 'tokensPerRun':
      return sums.runs === 0 ? null : Number(sums.runTokens) / sums.runs
    case 'costP50':
      return percentile(sums.runCostAt?.p50, sums)
    case 'costP95':
      return percentile(sums.runCostAt?.p95, sums)
    case 'costP99':
      return percentile(sums.runCostAt?.p99, sums)
    case 'tokensPerCompletion':
      return sums.llmCalls === 0 ? null : Number(tokensOver(sums, promptUnits) + tokensOver(sums, completionUnits)) / sums.llmCalls
    case 'efficiency':
      return ratio(tokensOver(sums, completionUnits), tokensOver(sums, promptUnits))
    case 'cacheHitRate':
      return ratio(tokensOver(sums, ['cache_read', 'cache_read_audio', 'cache_read_image']), tokensOver(sums, promptUnits))
    case 'burnRatePerHour':
      return hours === 0
        ? null
        : money(divideHalfEven((sums.llmCost + sums.toolCost) * 3_600_000n, BigInt(Math.round(hours * 3_600_000))), sums)
    case 'latencyP50':
      return sums.latencyAt?.p50 ?? null
    case 'latencyP95':
      return sums.latencyAt?.p95 ?? null
    default:
      return countValue(sums.tokens[measure.slice(7) as Unit] ?? 0n)
  }
}
