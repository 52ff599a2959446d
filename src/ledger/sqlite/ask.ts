import { type Answer, answerOf, emptySums, type Sums } from '../../core/answer.ts'
import { bases } from '../../core/charge.ts'
import type { Question } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { addCallSums, asksForCalls, asksForPercentiles, asksForRuns, type Found, groupsOf } from '../groups.ts'
import { latencyOf } from '../latency.ts'
import { type CallSources, type CallSums, callFlags, type Flag, sumCalls } from './ask-calls.ts'
import { type RunSources, type RunSums, sumRuns } from './ask-runs.ts'
import { bigOf, column, groupBy } from './block.ts'
import { bucketsOf } from './periods.ts'
import { createRunSums } from './run-parts.ts'

/** A group while the answer is put together: what its calls sum to, its latencies, and which segments' runs are in it. */
interface Gathered extends Omit<Found, 'sums'> {
  readonly calls: Sums
  latency: Map<number, number> | undefined
  readonly runSegments: number[]
}

/** A question's answer from roll-ups and run totals, and from entries where those do not reach. */
export const askRollups = (question: Question, sources: CallSources & RunSources): Answer => {
  const buckets = bucketsOf(question)
  const gathered = new Map<string, Gathered>()
  const groupFor: GroupFor = (bucket, values) => {
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
  if (asksForCalls(question)) gatherGroups(question.by.length, calls, groupFor)
  gatherTotal(ofCalls.by.length, calls, all)
  const runs = asksForRuns(question) ? sumRuns(question, buckets, sources) : undefined
  for (const [segment, { bucket, values }] of (runs?.parts.segments ?? []).entries()) {
    groupFor(bucket, values).runSegments.push(segment)
    all.runSegments.push(segment)
  }

  const sumsOf = createFinisher(question, runs)
  const found = [...gathered.values()].map((group) => ({ ...group, sums: sumsOf(group) }))
  const groups = groupsOf(question, found, (rest) => sumsOf(together(rest)))
  return answerOf(question, groups, sumsOf(all))
}

type GroupFor = (bucket: number, values: readonly number[]) => Gathered

const gatheredOf = (bucket: number | undefined, key: readonly (string | null)[]): Gathered => ({
  bucket,
  key,
  calls: emptySums(),
  latency: undefined,
  runSegments: [],
})

const gatherGroups = (width: number, { groups, flags, columns, latencies }: CallSums, groupFor: GroupFor): void => {
  const flagPlaces = flags.map((flag, index) => [flag, width + 1 + index] as const)
  const known: (Gathered | undefined)[] = []
  const groupOf = new Int32Array(groups.groups)
  const segments = groups.keys.slice(0, width + 1)
  groupBy(segments, groups.groups, undefined, groupOf)
  for (let index = 0; index < groups.groups; index++) {
    // What was taken out of the totals can leave a group without calls behind.
    if (groups.sums[0]?.[index] === 0) continue
    const group = groupOf[index] as number
    known[group] ??= groupFor(segments[0]?.[index] ?? 0, valuesAt(segments, index))
    const set: FlagValues = {}
    for (const [flag, place] of flagPlaces) set[flag] = groups.keys[place]?.[index] ?? 0
    addFlagged(known[group].calls, columns, groups.sums, index, set)
  }
  if (latencies === undefined) return
  for (const [index, bins] of latencies.groups.bins.entries()) {
    if (bins.every((count) => count === 0)) continue
    addBins(groupFor(latencies.groups.keys[0]?.[index] ?? 0, valuesAt(latencies.groups.keys, index)), bins)
  }
}

const valuesAt = (keys: readonly Int32Array[], index: number): readonly number[] => keys.slice(1).map((key) => key[index] ?? 0)

type FlagValues = Partial<Record<Flag, number>>

/** The total: of all groups together, where a call is in one of them only. */
const gatherTotal = (width: number, { groups, total, columns, latencies }: CallSums, all: Gathered): void => {
  const from = total ?? groups
  const flags = from.keys.slice(total === undefined ? width + 1 : 1)
  const flagOf = new Int32Array(from.groups)
  const first = groupBy(flags, from.groups, undefined, flagOf)
  const sums = from.sums.map((values) => {
    const summed = new Float64Array(first.length)
    for (let index = 0; index < from.groups; index++)
      summed[flagOf[index] as number] = (summed[flagOf[index] as number] as number) + (values[index] as number)
    return summed
  })
  for (const [flag, index] of first.entries()) {
    if (sums[0]?.[flag] === 0) continue
    const set: FlagValues = Object.fromEntries(callFlags.map((name, place) => [name, flags[place]?.[index] ?? 0]))
    addFlagged(all.calls, columns, sums, flag, set)
  }
  for (const bins of (latencies?.total ?? latencies?.groups)?.bins ?? []) addBins(all, bins)
}

const addBins = (group: Gathered, bins: Int32Array): void => {
  const into = (group.latency ??= new Map())
  for (let bin = 0; bin < bins.length; bin++) {
    const count = bins[bin] as number
    if (count !== 0) into.set(bin, (into.get(bin) ?? 0) + count)
  }
}

/** Adds calls of one kind to the sums of the segment that they are in. */
const addFlagged = (calls: Sums, columns: readonly number[], sums: readonly Float64Array[], index: number, flags: FlagValues): void => {
  const pairAt = (place: number): bigint => bigOf(sums[place]?.[index] ?? 0, sums[place + 1]?.[index] ?? 0)
  const count = sums[0]?.[index] ?? 0
  const cost = pairAt(1)
  // Without the kind only their sum is asked for.
  if (flags.kind !== 1) {
    calls.llmCalls += count
    calls.llmCost += cost
    if (flags.retry) calls.retryCost += cost
  } else {
    calls.toolCalls += count
    calls.toolCost += cost
  }
  if (flags.error) calls.errors += count
  if (flags.retry) calls.retries += count
  const basis = flags.basis === undefined ? undefined : bases[flags.basis]
  if (basis !== undefined) {
    const covered = (calls.coverage[basis] ??= { calls: 0, cost: 0n })
    covered.calls += count
    covered.cost += cost
  }
  for (let place = 3; place < columns.length; place += 2) {
    const unit = unitNames[((columns[place] ?? 0) - column.tokens(0)) / 2]
    if (unit === undefined || (sums[place]?.[index] === 0 && sums[place + 1]?.[index] === 0)) continue
    calls.tokens[unit] = (calls.tokens[unit] ?? 0n) + pairAt(place)
  }
}

const together = (groups: readonly Gathered[]): Gathered => {
  const sum = gatheredOf(undefined, [])
  for (const group of groups) {
    addCallSums(sum.calls, group.calls)
    for (const [bin, count] of group.latency ?? []) (sum.latency ??= new Map()).set(bin, (sum.latency.get(bin) ?? 0) + count)
    for (const segment of group.runSegments) sum.runSegments.push(segment)
  }
  return sum
}

/** A gathered group → its sums, with runs and percentiles. */
const createFinisher = (question: Question, runs: RunSums | undefined): ((group: Gathered) => Sums) => {
  const addRuns = runs === undefined ? undefined : createRunSums(runs.parts, runs.runs, asksForPercentiles(question))
  return (group) => {
    const sums = { ...group.calls }
    if (group.runSegments.length > 0) addRuns?.(sums, group.runSegments)
    if (group.latency !== undefined && group.latency.size > 0)
      sums.latencyAt = { p50: latencyOf(group.latency, 0.5), p95: latencyOf(group.latency, 0.95) }
    return sums
  }
}
