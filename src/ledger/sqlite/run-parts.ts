import type { Sums } from '../../core/answer.ts'
import { percentilesOf, percentilesOfDoubles } from '../groups.ts'
import { bigOf, two32 } from './block.ts'

/** The bucket in which runs started, and the values of the breakdown. */
export interface RunSegment {
  readonly bucket: number
  readonly values: readonly number[]
}

/**
 * What runs cost inside the segments of a question: one part per run, segment and kind of call. In columns, because a month of a
 * hundred thousand runs by twenty models is two million parts.
 */
export interface RunParts {
  readonly segments: readonly RunSegment[]
  readonly count: number
  readonly segmentOf: Int32Array
  /** The run of each part, by place among the period's runs; undefined where each run is one part. */
  readonly runOf: Int32Array | undefined
  readonly llm: PartMoney
  readonly tool: PartMoney
  readonly tokens: Float64Array
}

export interface PartMoney {
  readonly low: Float64Array
  readonly high: Float64Array
}

export interface RunPartsBuilder {
  segmentFor(bucket: number, values: readonly number[]): number
  /** Begins a part and gives its place, at which the columns can be written. */
  next(segment: number, run: number): number
  readonly parts: RunParts
}

export const createRunParts = (): RunPartsBuilder => {
  const places = new Map<string, number>()
  const segments: RunSegment[] = []
  const parts = {
    segments,
    count: 0,
    segmentOf: new Int32Array(1024),
    runOf: new Int32Array(1024),
    llm: { low: new Float64Array(1024), high: new Float64Array(1024) },
    tool: { low: new Float64Array(1024), high: new Float64Array(1024) },
    tokens: new Float64Array(1024),
  }

  const grow = (): void => {
    const integers = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const longer = new Int32Array(from.length * 2)
      longer.set(from)
      return longer
    }
    const doubles = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const longer = new Float64Array(from.length * 2)
      longer.set(from)
      return longer
    }
    parts.segmentOf = integers(parts.segmentOf)
    parts.runOf = integers(parts.runOf)
    parts.llm = { low: doubles(parts.llm.low), high: doubles(parts.llm.high) }
    parts.tool = { low: doubles(parts.tool.low), high: doubles(parts.tool.high) }
    parts.tokens = doubles(parts.tokens)
  }

  return {
    parts,
    segmentFor(bucket, values) {
      const key = `${bucket}|${values.join()}`
      let place = places.get(key)
      if (place === undefined) {
        place = segments.push({ bucket, values }) - 1
        places.set(key, place)
      }
      return place
    },
    next(segment, run) {
      if (parts.count === parts.segmentOf.length) grow()
      const place = parts.count++
      parts.segmentOf[place] = segment
      parts.runOf[place] = run
      return place
    },
  }
}

/** Adds to sums what the runs of some segments come to. A run with several parts in them counts once. */
export const createRunSums = (
  parts: RunParts,
  runs: number,
  hasPercentiles: boolean,
): ((sums: Sums, segments: readonly number[]) => void) => {
  const { starts, runOf, llm, tool, tokens: tokensOf } = partsBySegment(parts)
  // What each run that was met has come to; places are cleared behind every group.
  const placeOf = new Int32Array(runs).fill(-1)
  const low = new Float64Array(runs)
  const high = new Float64Array(runs)
  const met = new Int32Array(runs)

  return (sums, segments) => {
    let count = 0
    const totals = { llmLow: 0, llmHigh: 0, toolLow: 0, toolHigh: 0, tokens: 0n }
    let tokens = 0
    for (const segment of segments) {
      for (let at = starts[segment] as number; at < (starts[segment + 1] as number); at++) {
        let place = count
        if (runOf === undefined) low[count] = high[count++] = 0
        else {
          const run = runOf[at] as number
          place = placeOf[run] as number
          if (place === -1) {
            placeOf[run] = place = count
            low[place] = high[place] = 0
            met[count++] = run
          }
        }
        const [llmLow, toolLow] = [llm.low[at] as number, tool.low[at] as number]
        const [llmHigh, toolHigh] = [llm.high[at] as number, tool.high[at] as number]
        low[place] = (low[place] as number) + llmLow + toolLow
        high[place] = (high[place] as number) + llmHigh + toolHigh
        totals.llmLow += llmLow
        totals.llmHigh += llmHigh
        totals.toolLow += toolLow
        totals.toolHigh += toolHigh
        tokens += tokensOf[at] as number
        if (tokens > two32 * 1024) {
          totals.tokens += BigInt(tokens)
          tokens = 0
        }
        if (totals.llmLow > carryAt || totals.toolLow > carryAt) carry(totals)
      }
    }
    if (runOf !== undefined) for (let place = 0; place < count; place++) placeOf[met[place] as number] = -1
    sums.runs = count
    sums.runLlmCost = bigOf(totals.llmLow, totals.llmHigh)
    sums.runToolCost = bigOf(totals.toolLow, totals.toolHigh)
    sums.runTokens = totals.tokens + BigInt(tokens)
    if (hasPercentiles && count > 0) sums.runCostAt = costsAt(low, high, count)
  }
}

/** Long before a double loses digits. */
const carryAt = 2 ** 51

const carry = (totals: { llmLow: number; llmHigh: number; toolLow: number; toolHigh: number }): void => {
  const llm = Math.floor(totals.llmLow / two32)
  totals.llmLow -= llm * two32
  totals.llmHigh += llm
  const tool = Math.floor(totals.toolLow / two32)
  totals.toolLow -= tool * two32
  totals.toolHigh += tool
}

/**
 * The parts in order of segment: those of segment s are at `starts[s]` to before `starts[s + 1]`. Copied, because they are read
 * three times: for their group, for the rest and for the total.
 */
const partsBySegment = ({ count, segmentOf, segments, runOf, llm, tool, tokens }: RunParts) => {
  const starts = new Int32Array(segments.length + 1)
  for (let part = 0; part < count; part++) starts[(segmentOf[part] as number) + 1] = (starts[(segmentOf[part] as number) + 1] as number) + 1
  for (let segment = 0; segment < segments.length; segment++)
    starts[segment + 1] = (starts[segment + 1] as number) + (starts[segment] as number)
  const next = starts.slice()
  const places = new Int32Array(count)
  for (let part = 0; part < count; part++) {
    const segment = segmentOf[part] as number
    places[part] = next[segment] as number
    next[segment] = (next[segment] as number) + 1
  }
  const moved = <Column extends Float64Array | Int32Array>(from: Column, to: Column): Column => {
    for (let part = 0; part < count; part++) to[places[part] as number] = from[part] as number
    return to
  }
  const money = ({ low, high }: PartMoney): PartMoney => ({
    low: moved(low, new Float64Array(count)),
    high: moved(high, new Float64Array(count)),
  })
  return {
    starts,
    runOf: runOf && moved(runOf, new Int32Array(count)),
    llm: money(llm),
    tool: money(tool),
    tokens: moved(tokens, new Float64Array(count)),
  }
}

/** By doubles where all costs are exact as such (below $9,007), by integers otherwise. */
const costsAt = (low: Float64Array, high: Float64Array, count: number): NonNullable<Sums['runCostAt']> => {
  const costs = new Float64Array(count)
  let isExact = true
  for (let place = 0; place < count; place++) {
    const cost = (low[place] as number) + (high[place] as number) * two32
    costs[place] = cost
    if (!Number.isSafeInteger(cost)) isExact = false
  }
  if (isExact) return percentilesOfDoubles(costs)
  const exact = Array.from({ length: count }, (_, place) => bigOf(low[place] as number, high[place] as number))
  return percentilesOf(exact.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0)))
}
