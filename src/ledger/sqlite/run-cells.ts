import { TaximeterError } from '../../core/errors.ts'
import { tokenUnits, unitNames } from '../../core/units.ts'
import { column, dimOf, two32 } from './block.ts'
import type { Chunk, ChunkColumn } from './chunk.ts'
import { type Axis, createRowGroups } from './row-groups.ts'
import { applyFilter, isRefused, type RowFilter } from './summing.ts'

/** One segment of calls of one kind: what each run did in it, by the run's place. */
export interface RunColumn {
  readonly values: readonly number[]
  readonly isTool: boolean
  readonly calls: Int32Array
  readonly low: Float64Array
  readonly high: Float64Array
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
  const places = new Map<number, number>()
  for (const [place, id] of ids.entries()) places.set(id, place)
  // The kind tells money of models from that of tools.
  const groups = createRowGroups(axes.length + 1)
  const all = [...axes, { dim: dimOf.kind }]
  const calls: Int32Array[] = []
  const low: Float64Array[] = []
  const high: Float64Array[] = []
  const tokens: Float64Array[] = []
  let target = new Int32Array(1024)

  const grow = (): void => {
    while (calls.length < groups.count()) {
      if (calls.length * ids.length > cellsMax) {
        throw new TaximeterError(
          'BAD_QUESTION',
          `This question has ${ids.length} runs in more than ${calls.length} segments. Ask for fewer attributes or a shorter period.`,
        )
      }
      const size = calls.length === 0 ? 0 : ids.length
      calls.push(new Int32Array(size))
      low.push(new Float64Array(size))
      high.push(new Float64Array(size))
      tokens.push(new Float64Array(hasTokens ? size : 0))
    }
  }

  return {
    add(chunk) {
      const runs = chunk.dims[dimOf.run]
      if (runs === undefined || filters.some((filter) => isRefused(chunk, filter))) return
      const placeOf = Int32Array.from(runs.values, (id) => places.get(id) ?? -1)
      if (placeOf.every((place) => place === -1)) return
      if (target.length < chunk.rows) target = new Int32Array(chunk.rows * 2)
      groups.resolve(chunk, 0, all, target)
      for (const filter of filters) applyFilter(chunk, filter, target)
      grow()
      const tokenColumns = hasTokens ? tokensOf(chunk) : []
      const [callsIn, lowIn, highIn] = [chunk.columns[column.calls], chunk.columns[column.cost], chunk.columns[column.cost + 1]]
      for (let row = 0; row < chunk.rows; row++) {
        const group = target[row] as number
        const place = placeOf[runs.places === undefined ? 0 : (runs.places[row] as number)] as number
        if (group === 0 || place === -1) continue
        addAt(calls[group] as Int32Array, place, at(callsIn, row))
        addAt(low[group] as Float64Array, place, at(lowIn, row))
        addAt(high[group] as Float64Array, place, at(highIn, row))
        for (const { column: found, scale } of tokenColumns) addAt(tokens[group] as Float64Array, place, at(found, row) * scale)
      }
    },
    finish() {
      const keys = groups.keys()
      return Array.from({ length: groups.count() - 1 }, (_, index) => {
        const group = index + 1
        return {
          values: axes.map((_axis, axis) => keys[axis + 1]?.[group] ?? 0),
          isTool: keys[axes.length + 1]?.[group] === 1,
          calls: calls[group] as Int32Array,
          low: low[group] as Float64Array,
          high: high[group] as Float64Array,
          tokens: tokens[group] as Float64Array,
        }
      })
    },
  }
}

const at = (found: ChunkColumn | undefined, row: number): number => (found === undefined ? 0 : found.base + (found.data?.[row] ?? 0))

const addAt = (values: Int32Array | Float64Array, place: number, value: number): void => {
  values[place] = (values[place] as number) + value
}

/** The columns whose sum is a row's tokens. */
const tokensOf = (chunk: Chunk): readonly { readonly column: ChunkColumn | undefined; readonly scale: number }[] =>
  tokenUnits.flatMap((unit) => {
    const id = column.tokens(unitNames.indexOf(unit))
    return [
      { column: chunk.columns[id], scale: 1 },
      { column: chunk.columns[id + 1], scale: two32 },
    ].filter((part) => part.column !== undefined)
  })
