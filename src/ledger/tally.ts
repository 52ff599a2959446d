import { emptySums, type Group, hoursOf, measureOf, type Sums, type Value } from '../core/answer.ts'
import type { Charge } from '../core/charge.ts'
import { TaximeterError } from '../core/errors.ts'
import type { CallEntry } from '../core/event.ts'
import { bucketsMax, type Question, rowsMax } from '../core/question.ts'
import { tokenUnits } from '../core/units.ts'
import { bucketStarts } from '../core/window.ts'
import type { Slice } from './attributes.ts'
import { latencyOf } from './latency.ts'

/** What one run cost inside one segment. */
export interface RunPart {
  llm: bigint
  tool: bigint
  tokens: bigint
}

/**
 * The sums of one group while they are made, in a form in which two groups can be added: runs by name, because a run that lies in
 * both counts once, and latencies by bin.
 */
export interface Tally {
  readonly bucket: number | undefined
  readonly key: readonly (string | null)[]
  readonly sums: Sums
  readonly runs: Map<string, RunPart>
  readonly latency: Map<number, number>
}

export const createTally = (bucket: number | undefined, key: readonly (string | null)[]): Tally => ({
  bucket,
  key,
  sums: emptySums(),
  runs: new Map(),
  latency: new Map(),
})

/** Adds those slices of a call that lie in the group: the call counts once, money and tokens are those of the slices. */
export const addCall = (tally: Tally, { event, charge }: CallEntry, slices: readonly Slice[]): void => {
  const { sums } = tally
  let cost = 0n
  for (const slice of slices) {
    cost += slice.cost
    for (const [unit, count] of slice.tokens) sums.tokens[unit] = (sums.tokens[unit] ?? 0n) + BigInt(count)
  }
  if (event.kind === 'llm') {
    sums.llmCalls += 1
    sums.llmCost += cost
    if (event.attempt > 0) sums.retryCost += cost
  } else {
    sums.toolCalls += 1
    sums.toolCost += cost
  }
  if (event.attempt > 0) sums.retries += 1
  if (event.status === 'error') sums.errors += 1
  addCoverage(sums, charge.basis, 1, cost)
}

const addCoverage = (sums: Sums, basis: Charge['basis'], calls: number, cost: bigint): void => {
  const covered = (sums.coverage[basis] ??= { calls: 0, cost: 0n })
  covered.calls += calls
  covered.cost += cost
}

export const runPartOf = (tally: Tally, run: string): RunPart => {
  let part = tally.runs.get(run)
  if (part === undefined) tally.runs.set(run, (part = { llm: 0n, tool: 0n, tokens: 0n }))
  return part
}

export const addToRun = (part: RunPart, entry: CallEntry, slices: readonly Slice[]): void => {
  for (const slice of slices) {
    if (entry.event.kind === 'llm') part.llm += slice.cost
    else part.tool += slice.cost
    for (const [unit, count] of slice.tokens) if (tokenUnits.includes(unit)) part.tokens += BigInt(count)
  }
}

const addTally = (to: Tally, from: Tally): void => {
  const { sums } = from
  for (const name of ['llmCalls', 'toolCalls', 'retries', 'errors', 'runs'] as const) to.sums[name] += sums[name]
  for (const name of ['llmCost', 'toolCost', 'retryCost', 'runLlmCost', 'runToolCost', 'runTokens'] as const) to.sums[name] += sums[name]
  for (const [unit, count] of Object.entries(sums.tokens) as [keyof Sums['tokens'], bigint][]) {
    to.sums.tokens[unit] = (to.sums.tokens[unit] ?? 0n) + count
  }
  for (const [basis, { calls, cost }] of Object.entries(sums.coverage)) addCoverage(to.sums, basis as Charge['basis'], calls, cost)
  for (const [run, { llm, tool, tokens }] of from.runs) {
    const part = runPartOf(to, run)
    part.llm += llm
    part.tool += tool
    part.tokens += tokens
  }
  for (const [bin, count] of from.latency) to.latency.set(bin, (to.latency.get(bin) ?? 0) + count)
}

/**
 * Tallies → the groups of an answer: at most `top` per bucket by the first measure and the rest as one row `other`, in order of
 * bucket, then the first measure from the largest, then the values. A question without a breakdown has a row for every bucket,
 * so that a chart shows a zero where there was nothing.
 */
export const groupsOf = (question: Question, tallies: readonly Tally[]): readonly Group[] => {
  const buckets = new Map<number | undefined, Tally[]>()
  for (const start of startsOf(question)) buckets.set(start, question.by.length === 0 ? [createTally(start, [])] : [])
  for (const tally of tallies) {
    const rows = buckets.get(tally.bucket)
    if (rows === undefined) continue
    if (question.by.length === 0 && rows[0] !== undefined) addTally(rows[0], tally)
    else rows.push(tally)
  }
  const groups: Group[] = []
  for (const [bucket, rows] of buckets) {
    groups.push(...folded(question, rows, hoursOf(question, bucket)))
  }
  if (groups.length > rowsMax) {
    throw new TaximeterError(
      'BAD_QUESTION',
      `This question has ${groups.length} rows, more than ${rowsMax}. Ask for the top ones, fewer attributes, a filter or a shorter period.`,
    )
  }
  return groups
}

export const startsOf = (question: Question): readonly (number | undefined)[] =>
  question.interval === undefined ? [undefined] : bucketStarts(question.interval, question.from, question.to, question.zone, bucketsMax)

const folded = (question: Question, rows: readonly Tally[], hours: number): readonly Group[] => {
  const measure = question.measures[0]
  const ranked = rows
    .map((tally) => {
      const sums = finish(tally, question)
      return { tally, sums, value: measure === undefined ? null : measureOf(measure, sums, hours) }
    })
    .sort((left, right) => compareValues(right.value, left.value) || compareKeys(left.tally.key, right.tally.key))
  const kept = question.top === undefined ? ranked : ranked.slice(0, question.top)
  const groups: Group[] = kept.map(({ tally, sums }) => ({ ...bucketOf(tally), key: tally.key, sums }))
  const rest = ranked.slice(kept.length)
  if (rest[0] !== undefined) {
    const other = createTally(
      rest[0].tally.bucket,
      question.by.map(() => 'other'),
    )
    for (const { tally } of rest) addTally(other, tally)
    groups.push({ ...bucketOf(other), key: other.key, sums: finish(other, question), folded: rest.length })
  }
  return groups
}

const bucketOf = ({ bucket }: Tally): { readonly bucket?: number } => (bucket === undefined ? {} : { bucket })

/** The sums of a finished group: runs counted, percentiles by nearest rank. */
export const finish = (tally: Tally, question: Question): Sums => {
  const sums: Sums = { ...tally.sums }
  for (const { llm, tool, tokens } of tally.runs.values()) {
    sums.runs += 1
    sums.runLlmCost += llm
    sums.runToolCost += tool
    sums.runTokens += tokens
  }
  if (question.measures.some((measure) => /^costP\d+$/.test(measure)) && tally.runs.size > 0) {
    const sorted = [...tally.runs.values()]
      .map(({ llm, tool }) => llm + tool)
      .sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
    const at = (share: number): bigint => sorted[Math.ceil(share * sorted.length) - 1] ?? 0n
    sums.runCostAt = { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
  }
  if (tally.latency.size > 0) sums.latencyAt = { p50: latencyOf(tally.latency, 0.5), p95: latencyOf(tally.latency, 0.95) }
  return sums
}

/** Values of one measure: numbers and, past 2⁵³, decimal strings; "not defined" is below everything. */
const compareValues = (left: Value, right: Value): number => {
  if (left === null || right === null) return Number(left !== null) - Number(right !== null)
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left === 'number') return -1
  if (typeof right === 'number') return 1
  const difference = BigInt(left.replace('.', '')) - BigInt(right.replace('.', ''))
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const compareKeys = (left: readonly (string | null)[], right: readonly (string | null)[]): number => {
  for (let index = 0; index < left.length; index++) {
    const [one, other] = [left[index] ?? null, right[index] ?? null]
    if (one === other) continue
    if (one === null || other === null) return one === null ? 1 : -1
    return one < other ? -1 : 1
  }
  return 0
}
