import { type Answer, answerOf, emptySums, type Sums } from '../../core/answer.ts'
import { bases } from '../../core/charge.ts'
import type { Measure, Question } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { addCallSums, asksForCalls, asksForRuns, checkRows, type Found, groupsOf, percentilesIn, selectRank } from '../groups.ts'
import { latencyOf } from '../latency.ts'
import { type CallSources, type CallSums, callFlags, type Flag, sumCalls } from './ask-calls.ts'
import { type RunSources, type RunSums, sumRuns } from './ask-runs.ts'
import { bigOf, column, groupBy, lowColumns, two32 } from './block.ts'
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
  const beyond = gatheredOf(undefined, [])

  // Coverage, which is part of every answer, is of calls; their groups are not needed when only runs are asked for.
  const { interval: _, ...whole } = question
  const ofCalls = asksForCalls(question) ? question : { ...whole, by: [] }
  const calls = sumCalls(ofCalls, asksForCalls(question) ? buckets : bucketsOf(ofCalls), sources)
  const beyondCount = asksForCalls(question) ? gatherGroups(question, calls, groupFor, beyond) : 0
  gatherTotal(ofCalls.by.length, calls, all)
  const runs = asksForRuns(question) ? sumRuns(question, buckets, sources) : undefined
  for (const [segment, { bucket, values }] of (runs?.parts.segments ?? []).entries()) {
    groupFor(bucket, values).runSegments.push(segment)
    all.runSegments.push(segment)
  }

  const sumsOf = createFinisher(question, runs)
  const found = [...gathered.values()].map((group) => ({ ...group, sums: sumsOf(group) }))
  const folded = beyondCount === 0 ? undefined : { group: { ...beyond, sums: sumsOf(beyond) }, count: beyondCount }
  const groups = groupsOf(question, found, (rest) => sumsOf(together(rest)), folded)
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

/** Gathers the groups of calls; those that cannot be among the top go to `beyond` together. Gives the number of these. */
const gatherGroups = (question: Question, calls: CallSums, groupFor: GroupFor, beyond: Gathered): number => {
  const { groups, flags, columns, latencies } = calls
  const width = question.by.length
  const flagPlaces = flags.map((flag, index) => [flag, width + 1 + index] as const)
  const known: (Gathered | undefined)[] = []
  const groupOf = new Int32Array(groups.groups)
  const segments = groups.keys.slice(0, width + 1)
  const first = groupBy(segments, groups.groups, undefined, groupOf)
  if (question.top === undefined) checkRows(countOfCalls(groups.sums[0] ?? noSums, groupOf, first.length))
  const isTop = topOf(question, calls, groupOf, first.length)
  const away = isTop === undefined ? undefined : groupsAway(calls, groupOf, isTop, width)
  for (let index = 0; index < groups.groups; index++) {
    const group = groupOf[index] as number
    // What was taken out of the totals can leave a group without calls behind.
    if (groups.sums[0]?.[index] === 0 || isTop?.[group] === 0) continue
    known[group] ??= groupFor(segments[0]?.[index] ?? 0, valuesAt(segments, index))
    const set: FlagValues = {}
    for (const [flag, place] of flagPlaces) set[flag] = groups.keys[place]?.[index] ?? 0
    addFlagged(known[group].calls, columns, groups.sums, index, set)
  }
  for (const [index, set] of away?.flags.entries() ?? []) addFlagged(beyond.calls, columns, away?.sums ?? [], index, set)
  for (const [index, bins] of latencies?.groups.bins.entries() ?? []) {
    if (latencies === undefined || bins.every((count) => count === 0)) continue
    addBins(groupFor(latencies.groups.keys[0]?.[index] ?? 0, valuesAt(latencies.groups.keys, index)), bins)
  }
  return away?.count ?? 0
}

/** Groups that have calls. */
const countOfCalls = (calls: Float64Array, groupOf: Int32Array, count: number): number => {
  const hasCalls = new Uint8Array(count)
  for (let index = 0; index < groupOf.length; index++) if (calls[index] !== 0) hasCalls[groupOf[index] as number] = 1
  return hasCalls.reduce((sum, has) => sum + has, 0)
}

/** The places of the columns whose sum a measure is, with the high halves; only for measures that are such a sum. */
const ranking: Readonly<Partial<Record<Measure, (columns: number) => readonly number[]>>> = {
  cost: () => [1, 2],
  calls: () => [0],
  tokens: (columns) => Array.from({ length: columns - 3 }, (_, index) => index + 3),
}
/** Fewer groups are gathered sooner than they are looked through. */
const manyGroups = 2_000

/**
 * Which groups can be among the top, where there are many and only some are asked for: 1 for those whose first measure is not below
 * that of the last one, by doubles and so with a margin. Undefined where all are to be gathered.
 */
const topOf = (question: Question, { groups, columns }: CallSums, groupOf: Int32Array, count: number): Uint8Array | undefined => {
  const { top, measures, interval } = question
  const places = measures[0] && ranking[measures[0]]?.(columns.length)
  if (top === undefined || places === undefined || interval !== undefined || count < manyGroups || count <= top) return undefined
  if (asksForRuns(question) || measures.some((measure) => measure.startsWith('latency')) || question.by.includes('unit')) return undefined
  const ranks = new Float64Array(count)
  for (const place of places) {
    const scale = lowColumns.includes((columns[place] ?? 0) - 1) ? two32 : 1
    const sums = groups.sums[place] ?? noSums
    for (let index = 0; index < groups.groups; index++)
      ranks[groupOf[index] as number] = (ranks[groupOf[index] as number] as number) + (sums[index] ?? 0) * scale
  }
  const least = selectRank(ranks.slice(), count - top) * (1 - 1e-9)
  return Uint8Array.from(ranks, (rank) => (rank >= least ? 1 : 0))
}

const noSums = new Float64Array(0)

/** What the groups that are not at the top sum to, by their flags, and how many of them have calls. */
const groupsAway = ({ groups, flags }: CallSums, groupOf: Int32Array, isTop: Uint8Array, width: number) => {
  const isAway = new Uint8Array(isTop.length)
  const flagOf = new Int32Array(groups.groups)
  const first = groupBy(groups.keys.slice(width + 1), groups.groups, undefined, flagOf)
  const sums = groups.sums.map((values) => new Float64Array(values.length === 0 ? 0 : first.length))
  for (let index = 0; index < groups.groups; index++) {
    const group = groupOf[index] as number
    if (isTop[group] === 1 || groups.sums[0]?.[index] === 0) continue
    isAway[group] = 1
    const flag = flagOf[index] as number
    for (const [place, into] of sums.entries()) into[flag] = (into[flag] as number) + (groups.sums[place]?.[index] ?? 0)
  }
  const setAt = (index: number): FlagValues =>
    Object.fromEntries(flags.map((name, place) => [name, groups.keys[width + 1 + place]?.[index] ?? 0]))
  return { sums, flags: Array.from(first, setAt), count: isAway.reduce((count, away) => count + away, 0) }
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
    if (values.length === 0) return values
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
    if (unit === undefined || ((sums[place]?.[index] ?? 0) === 0 && (sums[place + 1]?.[index] ?? 0) === 0)) continue
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
  const addRuns = runs === undefined ? undefined : createRunSums(runs.parts, runs.runs, percentilesIn(question))
  return (group) => {
    const sums = { ...group.calls }
    if (group.runSegments.length > 0) addRuns?.(sums, group.runSegments)
    if (group.latency !== undefined && group.latency.size > 0)
      sums.latencyAt = { p50: latencyOf(group.latency, 0.5), p95: latencyOf(group.latency, 0.95) }
    return sums
  }
}
