import { TaximeterError } from '../../core/errors.ts'
import { tokenUnits, unitNames } from '../../core/units.ts'
import { column, dimOf, two32 } from './block.ts'
import type { Chunk, ChunkColumn } from './chunk.ts'
import { type Axis, applyFilter, createGroups, isRefused, type RowFilter } from './summing.ts'

interface Amount {
  readonly low: number
  readonly high: number
}

/** What one run did in one segment of calls. */
export interface RunCell {
  readonly llm: Amount
  readonly tool: Amount
  readonly tokens: Amount
}

/** The table of a period's runs (down) and the segments of their calls (across). */
export interface RunCells {
  add(chunk: Chunk): void
  /** Calls back for every cell that has calls: the run's place, the values on the axes. */
  each(back: (place: number, values: readonly number[], cell: RunCell) => void): void
}

/** Cells that are kept at once: 100,000 runs by 200 models. */
const cellsMax = 20_000_000

/**
 * Sums owners' chunks into cells. Segments of calls are few, so each has a column of its own with a place for every run: no
 * look-up per row but the one in the chunk's own short list of runs.
 */
export const createRunCells = (
  ids: readonly number[],
  axes: readonly Axis[],
  filters: readonly RowFilter[],
  hasTokens: boolean,
): RunCells => {
  const places = new Map(ids.map((id, place) => [id, place]))
  // The kind tells money of models from that of tools.
  const groups = createGroups(axes.length + 1)
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
      for (let row = 0; row < chunk.rows; row++) {
        const group = target[row] as number
        const place = placeOf[runs.places?.[row] ?? 0] as number
        if (group === 0 || place === -1) continue
        addAt(calls[group] as Int32Array, place, at(chunk.columns[column.calls], row))
        addAt(low[group] as Float64Array, place, at(chunk.columns[column.cost], row))
        addAt(high[group] as Float64Array, place, at(chunk.columns[column.cost + 1], row))
        for (const { column: found, scale } of tokenColumns) addAt(tokens[group] as Float64Array, place, at(found, row) * scale)
      }
    },
    each(back) {
      const keys = groups.keys()
      const zero: Amount = { low: 0, high: 0 }
      for (let group = 1; group < groups.count(); group++) {
        const values = axes.map((_, index) => keys[index + 1]?.[group] ?? 0)
        const isTool = keys[axes.length + 1]?.[group] === 1
        const counts = calls[group] as Int32Array
        for (let place = 0; place < counts.length; place++) {
          if (counts[place] === 0) continue
          const money = { low: low[group]?.[place] ?? 0, high: high[group]?.[place] ?? 0 }
          const used = tokens[group]?.[place] ?? 0
          back(place, values, { llm: isTool ? zero : money, tool: isTool ? money : zero, tokens: { low: used, high: 0 } })
        }
      }
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
