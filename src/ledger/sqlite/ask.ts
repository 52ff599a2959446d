import { type Answer, answerOf, emptySums, type Sums } from '../../core/answer.ts'
import { bases } from '../../core/charge.ts'
import type { Question } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { addCallSums, asksForCalls, asksForPercentiles, asksForRuns, type Found, groupsOf, percentilesOf } from '../groups.ts'
import { latencyOf } from '../latency.ts'
import { type CallSources, type CallSums, sumCalls } from './ask-calls.ts'
import { type Money, moneyAt, type RunParts, type RunSources, sumRuns } from './ask-runs.ts'
import { column, two32 } from './block.ts'
import { bucketsOf } from './periods.ts'
import type { Summed } from './summing.ts'

/** A group while the answer is put together: what its calls sum to, its latencies, and which runs' parts are in it. */
interface Gathered extends Found {
  readonly calls: Sums
  readonly latency: Map<number, number>
  readonly parts: number[]
}

/** A question's answer from roll-ups and run totals, and from entries where those do not reach. */
export const askRollups = (question: Question, sources: CallSources & RunSources): Answer => {
  const buckets = bucketsOf(question)
  const gathered = new Map<string, Omit<Gathered, 'sums'>>()
  const groupFor = (bucket: number, values: readonly number[]): Omit<Gathered, 'sums'> => {
    const name = `${bucket}|${values.join()}`
    let group = gathered.get(name)
    if (group === undefined) {
      const key = question.by.map((by, index) => sources.values.textOf(by, values[index] ?? 0))
      group = gatheredOf(buckets.starts[bucket], key)
      gathered.set(name, group)
    }
    return group
  }
  const all = gatheredOf(undefined, [])

  // Coverage, which is part of every answer, is of calls; their groups are not needed when only runs are asked for.
  const { interval: _, ...whole } = question
  const ofCalls = asksForCalls(question) ? question : { ...whole, by: [] }
  const calls = sumCalls(ofCalls, asksForCalls(question) ? buckets : bucketsOf(ofCalls), sources)
  gatherCalls(ofCalls.by.length, calls, asksForCalls(question) ? groupFor : () => gatheredOf(undefined, []), all)
  const runs = asksForRuns(question) ? sumRuns(question, buckets, sources) : undefined
  if (runs !== undefined) gatherRuns(runs, groupFor, all)

  const sumsOf = createFinisher(question, runs)
  const found = [...gathered.values()].map((group) => ({ ...group, sums: sumsOf(group) }))
  const groups = groupsOf(question, found, (rest) => sumsOf(together(rest)))
  return answerOf(question, groups, sumsOf(all))
}

const gatheredOf = (bucket: number | undefined, key: readonly (string | null)[]): Omit<Gathered, 'sums'> => ({
  bucket,
  key,
  calls: emptySums(),
  latency: new Map(),
  parts: [],
})

type GroupFor = (bucket: number, values: readonly number[]) => Omit<Gathered, 'sums'>

const gatherCalls = (width: number, calls: CallSums, groupFor: GroupFor, all: Omit<Gathered, 'sums'>): void => {
  eachGroup(calls.groups, width, (index, bucket, values, flags) => {
    const counted = calls.groups.sums[0]?.[index] ?? 0
    if (counted === 0) return
    addFlagged(groupFor(bucket, values).calls, calls, calls.groups, index, flags)
    if (calls.total === undefined) addFlagged(all.calls, calls, calls.groups, index, flags)
  })
  if (calls.total !== undefined) {
    const { total } = calls
    eachGroup(total, 0, (index, _bucket, _values, flags) => addFlagged(all.calls, calls, total, index, flags))
  }
  if (calls.latencies === undefined) return
  const { groups, total } = calls.latencies
  const add = (into: Map<number, number>, bins: Int32Array | undefined): void => {
    bins?.forEach((count, bin) => {
      if (count !== 0) into.set(bin, (into.get(bin) ?? 0) + count)
    })
  }
  eachGroup(groups, width, (index, bucket, values) => {
    const bins = groups.bins[index]
    if (bins === undefined || bins.every((count) => count === 0)) return
    add(groupFor(bucket, values).latency, bins)
    if (total === undefined) add(all.latency, bins)
  })
  if (total !== undefined) for (const bins of total.bins) add(all.latency, bins)
}

const eachGroup = (
  { groups, keys }: Pick<Summed, 'groups' | 'keys'>,
  width: number,
  each: (index: number, bucket: number, values: readonly number[], rest: readonly number[]) => void,
): void => {
  for (let index = 0; index < groups; index++) {
    const values = keys.map((key) => key[index] ?? 0)
    each(index, values[0] ?? 0, values.slice(1, 1 + width), values.slice(1 + width))
  }
}

/** Adds one group of calls of one kind, basis and so on to the sums of the segment that they are in. */
const addFlagged = (sums: Sums, calls: CallSums, { sums: found }: Summed, index: number, flags: readonly number[]): void => {
  const [kind, isError, isRetry, basis = 0] = flags
  const valueAt = (place: number): number => found[place]?.[index] ?? 0
  const pairAt = (place: number): bigint => BigInt(valueAt(place + 1)) * BigInt(two32) + BigInt(valueAt(place))
  const count = valueAt(0)
  const cost = pairAt(1)
  if (kind === 0) {
    sums.llmCalls += count
    sums.llmCost += cost
    if (isRetry) sums.retryCost += cost
  } else {
    sums.toolCalls += count
    sums.toolCost += cost
  }
  if (isError) sums.errors += count
  if (isRetry) sums.retries += count
  const covered = (sums.coverage[bases[basis] ?? 'unpriced'] ??= { calls: 0, cost: 0n })
  covered.calls += count
  covered.cost += cost
  for (let place = 3; place < calls.columns.length; place += 2) {
    const unit = unitNames[((calls.columns[place] ?? 0) - column.tokens(0)) / 2]
    if (unit === undefined) continue
    const tokens = pairAt(place)
    if (tokens !== 0n) sums.tokens[unit] = (sums.tokens[unit] ?? 0n) + tokens
  }
}

const gatherRuns = (runs: RunParts, groupFor: GroupFor, all: Omit<Gathered, 'sums'>): void => {
  const groups = runs.segments.map(({ bucket, values }) => groupFor(bucket, values))
  for (const [part, segment] of runs.segmentOf.entries()) {
    groups[segment]?.parts.push(part)
    all.parts.push(part)
  }
}

const together = (groups: readonly Gathered[]): Omit<Gathered, 'sums'> => {
  const calls = emptySums()
  const latency = new Map<number, number>()
  const parts: number[] = []
  for (const group of groups) {
    addCallSums(calls, group.calls)
    for (const [bin, count] of group.latency) latency.set(bin, (latency.get(bin) ?? 0) + count)
    for (const part of group.parts) parts.push(part)
  }
  return { bucket: undefined, key: [], calls, latency, parts }
}

/** A gathered group → its sums, runs and percentiles. A run with several parts in the group counts once. */
const createFinisher = (question: Question, runs: RunParts | undefined) => {
  const hasPercentiles = asksForPercentiles(question)
  const places = new Int32Array(runs === undefined ? 0 : runs.runOf.reduce((most, run) => Math.max(most, run + 1), 0)).fill(-1)

  const addRuns = (sums: Sums, parts: readonly number[], from: RunParts): void => {
    const low: number[] = []
    const high: number[] = []
    const found: number[] = []
    for (const part of parts) {
      const run = from.runOf[part] as number
      let place = places[run] as number
      if (place === -1) {
        places[run] = place = found.push(run) - 1
        low.push(0)
        high.push(0)
      }
      low[place] = (low[place] as number) + (from.llm.low[part] as number) + (from.tool.low[part] as number)
      high[place] = (high[place] as number) + (from.llm.high[part] as number) + (from.tool.high[part] as number)
    }
    for (const run of found) places[run] = -1
    sums.runs = found.length
    sums.runLlmCost = sumOf(from.llm, parts)
    sums.runToolCost = sumOf(from.tool, parts)
    sums.runTokens = sumOf(from.tokens, parts)
    if (hasPercentiles && found.length > 0) sums.runCostAt = percentilesOf(sortedCosts(low, high))
  }

  return (group: Omit<Gathered, 'sums'>): Sums => {
    const sums = { ...group.calls }
    if (runs !== undefined && group.parts.length > 0) addRuns(sums, group.parts, runs)
    if (group.latency.size > 0) sums.latencyAt = { p50: latencyOf(group.latency, 0.5), p95: latencyOf(group.latency, 0.95) }
    return sums
  }
}

const sumOf = ({ low, high }: Money, parts: readonly number[]): bigint => {
  const sum: Money = { low: [0], high: [0] }
  let total = 0n
  let rows = 0
  for (const part of parts) {
    sum.low[0] = (sum.low[0] as number) + (low[part] as number)
    sum.high[0] = (sum.high[0] as number) + (high[part] as number)
    // Two million low halves are what a double holds exactly.
    if (++rows % 1_000_000 !== 0) continue
    total += moneyAt(sum, 0)
    sum.low[0] = sum.high[0] = 0
  }
  return total + moneyAt(sum, 0)
}

/** From the smallest to the largest: as doubles where all of them are exact (below $9,007), as integers otherwise. */
const sortedCosts = (low: readonly number[], high: readonly number[]): ArrayLike<number | bigint> => {
  const costs = Float64Array.from(low, (value, index) => value + (high[index] as number) * two32)
  if (costs.every(Number.isSafeInteger)) return costs.sort()
  return low
    .map((value, index) => BigInt(value) + BigInt(high[index] as number) * BigInt(two32))
    .sort((left, right) => (left < right ? -1 : left > right ? 1 : 0))
}
