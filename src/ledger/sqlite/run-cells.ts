import { TaximeterError } from '../../core/errors.ts'
import { tokenUnits, unitNames } from '../../core/units.ts'
import { column, dimOf, two32 } from './block.ts'
import type { Chunk, ChunkColumn } from './chunk.ts'
import { type Axis, createRowGroups } from './row-groups.ts'
import { type Amounts, highMax, wholeUnit } from './run-parts.ts'
import { applyFilter, isRefused, type RowFilter } from './summing.ts'

/** One segment of calls of one kind: what each run did in it, by the run's place. */
export interface RunColumn {
  readonly values: readonly number[]
  readonly isTool: boolean
  readonly calls: Int32Array
  readonly cost: Amounts
  readonly tokens: Float64Array
}

/** The table of a period's runs (down) and the segments of their calls (across). */
export interface RunCells {
  add(chunk: Chunk): void
  finish(): readonly RunColumn[]
}

/** Cells that are kept at once: 100,000 runs by 200 models. */
const cellsMax = 20_000_000

/**
 * Sums owners' chunks into cells. Segments of calls are few, so each has a column of its own with a place for every run: no
 * look-up per row but the one in the chunk's own short list of runs.
 */
export const createRunCells = (ids: Int32Array, axes: readonly Axis[], filters: readonly RowFilter[], hasTokens: boolean): RunCells => {
  const placeOfRun = new Map<number, number>()
  for (let place = 0; place < ids.length; place++) placeOfRun.set(ids[place] as number, place)
  // The kind tells money of models from that of tools.
  const groups = createRowGroups(axes.length + 1)
  const all = [...axes, { dim: dimOf.kind }]
  let columns = 0
  let calls = new Int32Array(0)
  let cost = new Float64Array(0)
  let tokens = new Float64Array(0)
  let wholes: Float64Array<ArrayBuffer> | undefined
  let target = new Int32Array(1024)
  const [callsOf, lowsOf, highsOf, tokensOf] = [createRowSums(), createRowSums(), createRowSums(), createRowSums()]

  const grow = (): void => {
    const needed = groups.count() - 1
    if (needed <= columns) return
    columns = Math.max(needed, columns * 2, columnsMin)
    if (needed * ids.length > cellsMax) {
      throw new TaximeterError(
        'BAD_QUESTION',
        `This question has ${ids.length} runs in more than ${Math.floor(cellsMax / ids.length)} segments. Ask for fewer attributes or a shorter period.`,
      )
    }
    const size = columns * ids.length
    const larger = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(size)
      to.set(from)
      return to
    }
    const counts = new Int32Array(size)
    counts.set(calls)
    calls = counts
    cost = larger(cost)
    if (hasTokens) tokens = larger(tokens)
    wholes &&= larger(wholes)
  }

  /** The place of each row's cell, −1 for rows that are in none. */
  const placeRows = (rows: number, places: Int32Array, of: ArrayLike<number> | undefined): void => {
    for (let row = 0; row < rows; row++) {
      const place = places[of === undefined ? 0 : (of[row] as number)] as number
      const group = target[row] as number
      target[row] = group === 0 || place === -1 ? -1 : (group - 1) * ids.length + place
    }
  }

  const addWhole = (cell: number, whole: number): void => {
    wholes ??= new Float64Array(cost.length)
    wholes[cell] = (wholes[cell] as number) + whole
  }

  const carry = (cell: number, whole: number): void => {
    cost[cell] = (cost[cell] as number) - whole * wholeUnit
    addWhole(cell, whole)
  }

  const addRows = (rows: number, counts: Float64Array, lows: Float64Array, highs: Float64Array): void => {
    for (let row = 0; row < rows; row++) {
      const cell = target[row] as number
      if (cell === -1) continue
      calls[cell] = (calls[cell] as number) + (counts[row] as number)
      const high = highs[row] as number
      // Below zero where calls were taken out.
      const isLarge = high >= highMax || high <= -highMax
      const sum = (cost[cell] as number) + (lows[row] as number) + (isLarge ? high % highMax : high) * two32
      cost[cell] = sum
      if (sum >= wholeUnit || sum <= -wholeUnit) carry(cell, Math.sign(sum))
      if (isLarge) addWhole(cell, Math.trunc(high / highMax))
    }
  }

  return {
    add(chunk) {
      const runs = chunk.dims[dimOf.run]
      if (runs === undefined || filters.some((filter) => isRefused(chunk, filter))) return
      const places = runs.values.map((id) => placeOfRun.get(id) ?? -1)
      if (places.every((place) => place === -1)) return
      if (target.length < chunk.rows) target = new Int32Array(chunk.rows * 2)
      groups.resolve(chunk, 0, all, target)
      for (const filter of filters) applyFilter(chunk, filter, target)
      grow()
      placeRows(chunk.rows, places, runs.places)
      addRows(chunk.rows, callsOf(chunk, callColumns), lowsOf(chunk, lowCosts), highsOf(chunk, highCosts))
      if (!hasTokens) return
      const counts = tokensOf(chunk, tokenColumns)
      for (let row = 0; row < chunk.rows; row++) {
        const cell = target[row] as number
        if (cell !== -1) tokens[cell] = (tokens[cell] as number) + (counts[row] as number)
      }
    },
    finish() {
      const keys = groups.keys()
      return Array.from({ length: groups.count() - 1 }, (_, index) => {
        const [start, end] = [index * ids.length, (index + 1) * ids.length]
        return {
          values: axes.map((_axis, axis) => keys[axis + 1]?.[index + 1] ?? 0),
          isTool: keys[axes.length + 1]?.[index + 1] === 1,
          calls: calls.subarray(start, end),
          cost: { rest: cost.subarray(start, end), whole: wholes?.subarray(start, end) },
          tokens: tokens.subarray(start, end),
        }
      })
    },
  }
}

/** Room from the start: what is not written to is not taken from the machine, and growing copies it all. */
const columnsMin = 32
/** Columns that are summed, and by what each is multiplied. */
type Scaled = readonly (readonly [number, number])[]
const callColumns: Scaled = [[column.calls, 1]]
const lowCosts: Scaled = [[column.cost, 1]]
const highCosts: Scaled = [[column.cost + 1, 1]]
const tokenColumns: Scaled = tokenUnits.flatMap((unit): Scaled => {
  const low = column.tokens(unitNames.indexOf(unit))
  return [
    [low, 1],
    [low + 1, two32],
  ]
})

/** The sum of some columns in each row as doubles: these are of one width, where the columns are of four, which takes twice as long. */
const createRowSums = (): ((chunk: Chunk, columns: Scaled) => Float64Array) => {
  let sums = new Float64Array(1024)
  let values = new Float64Array(1024)
  const addColumn = (rows: number, { base, data }: ChunkColumn, scale: number): void => {
    if (data === undefined) values.fill(0, 0, rows)
    else values.set(data.length === rows ? data : data.subarray(0, rows))
    for (let row = 0; row < rows; row++) sums[row] = (sums[row] as number) + ((values[row] as number) + base) * scale
  }
  return (chunk, columns) => {
    if (sums.length < chunk.rows) [sums, values] = [new Float64Array(chunk.rows * 2), new Float64Array(chunk.rows * 2)]
    sums.fill(0, 0, chunk.rows)
    for (const [id, scale] of columns) {
      const found = chunk.columns[id]
      if (found !== undefined) addColumn(chunk.rows, found, scale)
    }
    return sums
  }
}
