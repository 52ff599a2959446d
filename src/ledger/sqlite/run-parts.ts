import type { Sums } from '../../core/answer.ts'
import { type percentilesIn, percentilesOf, percentilesOfDoubles } from '../groups.ts'

/** The bucket in which runs started, and the values of the breakdown. */
export interface RunSegment {
  readonly bucket: number
  readonly values: readonly number[]
}

/**
 * What runs cost inside the segments of a question. In columns, because a month of a hundred thousand runs by twenty models is two
 * million parts.
 */
export interface RunParts {
  readonly segments: readonly RunSegment[]
  readonly piecesOf: (segment: number) => readonly Piece[]
  readonly totalsOf: (segment: number) => PartTotals
  /** True when no run is in two pieces. */
  readonly isApart: boolean
}

/** Some runs, each once, by their places among the period's runs, and what each cost. */
export interface Piece {
  readonly runs: Int32Array
  readonly cost: Amounts
}

/** Amounts as doubles, `rest` + `whole` × 2⁵¹: two of them and something still add up exactly. Nearly always there is no `whole`. */
export interface Amounts {
  readonly rest: Float64Array
  readonly whole: Float64Array | undefined
}

/** What the runs of one segment did there, by kind of call. */
interface PartTotals {
  readonly llm: bigint
  readonly tool: bigint
  readonly tokens: bigint
}

export const wholeUnit = 2 ** 51
/** Highs from here on are in `whole`: of low + high × 2³² the rest is below 2⁵¹ and some. */
export const highMax = 2 ** 19

export interface RunPartsBuilder {
  segmentFor(bucket: number, values: readonly number[]): number
  add(segment: number, piece: Piece): void
  /** Adds to what the runs of a segment did there. */
  count(segment: number, kind: keyof PartTotals, amounts: Amounts): void
  finish(): RunParts
}

export const createRunParts = (isApart: boolean): RunPartsBuilder => {
  const places = new Map<string, number>()
  const segments: RunSegment[] = []
  const pieces: Piece[][] = []
  const totals: Record<keyof PartTotals, bigint>[] = []
  return {
    segmentFor(bucket, values) {
      const key = `${bucket}|${values.join()}`
      let place = places.get(key)
      if (place === undefined) {
        place = segments.push({ bucket, values }) - 1
        places.set(key, place)
        pieces.push([])
        totals.push({ llm: 0n, tool: 0n, tokens: 0n })
      }
      return place
    },
    add: (segment, piece) => pieces[segment]?.push(piece),
    count(segment, kind, amounts) {
      const total = totals[segment]
      if (total !== undefined) total[kind] += sumOf(amounts)
    },
    finish: () => ({
      segments,
      piecesOf: (segment) => pieces[segment] ?? [],
      totalsOf: (segment) => totals[segment] ?? { llm: 0n, tool: 0n, tokens: 0n },
      isApart,
    }),
  }
}

const sumOf = ({ rest, whole }: Amounts): bigint => {
  let total = 0n
  let sum = 0
  for (let index = 0; index < rest.length; index++) {
    const each = rest[index] as number
    if (sum + each >= wholeUnit) {
      total += BigInt(sum)
      sum = 0
    }
    if (each >= wholeUnit) total += BigInt(each)
    else sum += each
  }
  for (const each of whole ?? []) total += BigInt(each) * BigInt(wholeUnit)
  return total + BigInt(sum)
}

/**
 * The places of the runs of each group, one group after the other: those of group g are at `starts[g]` to before `starts[g + 1]`.
 * With `calls`, of the runs that have some.
 */
export const runsByGroup = (groupOf: Int32Array, groups: number, calls?: Int32Array) => {
  const kept = new Int32Array(groupOf.length)
  let count = 0
  for (let run = 0; run < groupOf.length; run++) if (calls === undefined || calls[run] !== 0) kept[count++] = run
  const all = kept.subarray(0, count)
  if (groups === 1) return { starts: Int32Array.of(0, count), runs: all }
  const next = new Int32Array(groups + 1)
  for (const run of all) next[(groupOf[run] as number) + 1] = (next[(groupOf[run] as number) + 1] as number) + 1
  for (let group = 0; group < groups; group++) next[group + 1] = (next[group + 1] as number) + (next[group] as number)
  const starts = next.slice()
  const runs = new Int32Array(count)
  for (const run of all) {
    const group = groupOf[run] as number
    runs[next[group] as number] = run
    next[group] = (next[group] as number) + 1
  }
  return { starts, runs }
}

/** Adds to sums what the runs of some segments come to. A run with several parts in them counts once. */
export const createRunSums = (
  { piecesOf, totalsOf, isApart }: RunParts,
  runs: number,
  percentiles: ReturnType<typeof percentilesIn>,
): ((sums: Sums, segments: readonly number[]) => void) => {
  const costsByRun = createCostsByRun(isApart ? 0 : runs)
  return (sums, segments) => {
    const pieces = segments.flatMap(piecesOf)
    const costs = isApart || pieces.length === 1 ? joined(pieces) : costsByRun(pieces)
    sums.runs = costs.rest.length
    sums.runLlmCost = sums.runToolCost = sums.runTokens = 0n
    for (const segment of segments) {
      const { llm, tool, tokens } = totalsOf(segment)
      sums.runLlmCost += llm
      sums.runToolCost += tool
      sums.runTokens += tokens
    }
    if (percentiles.length > 0 && costs.rest.length > 0) sums.runCostAt = costsAt(costs, percentiles)
  }
}

/** The costs of pieces that have no run in common. */
const joined = (pieces: readonly Piece[]): Amounts => {
  const count = pieces.reduce((sum, { runs }) => sum + runs.length, 0)
  const [rest, whole] = [new Float64Array(count), new Float64Array(pieces.some(({ cost }) => cost.whole !== undefined) ? count : 0)]
  let at = 0
  for (const { cost } of pieces) {
    rest.set(cost.rest, at)
    if (cost.whole !== undefined) whole.set(cost.whole, at)
    at += cost.rest.length
  }
  return { rest, whole: whole.length > 0 ? whole : undefined }
}

/** What each run has come to in several pieces together. */
const createCostsByRun = (runs: number): ((pieces: readonly Piece[]) => Amounts) => {
  // In which of the askings a run was met last, so that nothing has to be cleared in between.
  const metIn = new Int32Array(runs)
  const [rests, wholes] = [new Float64Array(runs), new Float64Array(runs)]
  const met = new Int32Array(runs)
  let asking = 0

  const addPiece = ({ runs: places, cost: { rest, whole } }: Piece, countBefore: number): number => {
    let count = countBefore
    for (let at = 0; at < places.length; at++) {
      const run = places[at] as number
      if (metIn[run] !== asking) {
        metIn[run] = asking
        rests[run] = wholes[run] = 0
        met[count++] = run
      }
      const sum = (rests[run] as number) + (rest[at] as number)
      rests[run] = sum >= wholeUnit ? sum - wholeUnit : sum
      if (sum >= wholeUnit) wholes[run] = (wholes[run] as number) + 1
      if (whole !== undefined) wholes[run] = (wholes[run] as number) + (whole[at] as number)
    }
    return count
  }

  return (pieces) => {
    asking += 1
    let count = 0
    for (const piece of pieces) count = addPiece(piece, count)
    const [rest, whole] = [new Float64Array(count), new Float64Array(count)]
    let hasWhole = false
    for (let index = 0; index < count; index++) {
      rest[index] = rests[met[index] as number] as number
      whole[index] = wholes[met[index] as number] as number
      if (whole[index] !== 0) hasWhole = true
    }
    return { rest, whole: hasWhole ? whole : undefined }
  }
}

/** By doubles where all costs are such (below $2,252), by integers otherwise. */
const costsAt = ({ rest, whole }: Amounts, percentiles: ReturnType<typeof percentilesIn>): NonNullable<Sums['runCostAt']> => {
  if (whole === undefined) return percentilesOfDoubles(rest, percentiles)
  const exact = Array.from(rest, (cost, place) => BigInt(cost) + BigInt(whole[place] as number) * BigInt(wholeUnit))
  return percentilesOf(
    exact.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0)),
    percentiles,
  )
}
