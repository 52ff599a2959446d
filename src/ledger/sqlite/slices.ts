import { unitNames } from '../../core/units.ts'
import { column } from './block.ts'
import type { Chunk, ChunkColumn } from './chunk.ts'
import { rawDim } from './raw-rows.ts'

/** A chunk as if the slices of one unit were its calls: `columns` are those that are asked for. */
export const sliceOf = (chunk: Chunk, unit: number, columns: readonly number[]): Chunk => {
  const dims = [...chunk.dims]
  dims[rawDim.unit] = { values: Int32Array.of(unit), places: undefined }
  const found: (ChunkColumn | undefined)[] = []
  found[column.calls] = chunk.columns[column.sliceCalls(unit)]
  found[column.cost] = chunk.columns[column.sliceCost(unit)]
  found[column.cost + 1] = chunk.columns[column.sliceCost(unit) + 1]
  for (const id of columns) if (id === column.tokens(unit) || id === column.tokens(unit) + 1) found[id] = chunk.columns[id]
  return { rows: chunk.rows, dims, columns: found, times: timesOfRows(chunk, found[column.calls]), of: chunk }
}

/** What several units make together; of more than one only over entries, where a call is a row. */
export const slicesTogether = (chunk: Chunk, units: readonly number[], columns: readonly number[]): Chunk => {
  const [only] = units
  if (units.length === 1 && only !== undefined) return sliceOf(chunk, only, columns)
  const found = [...chunk.columns]
  const sumOf = (ids: readonly number[]): Float64Array => {
    const sum = new Float64Array(chunk.rows)
    for (const id of ids) {
      const part = chunk.columns[id]
      if (part !== undefined)
        for (let row = 0; row < chunk.rows; row++) sum[row] = (sum[row] as number) + part.base + (part.data?.[row] ?? 0)
    }
    return sum
  }
  const calls = { base: 0, data: sumOf(units.map(column.sliceCalls)).map((count) => Math.min(count, 1)) }
  found[column.calls] = calls
  for (const half of [0, 1]) found[column.cost + half] = { base: 0, data: sumOf(units.map((unit) => column.sliceCost(unit) + half)) }
  for (const unit of unitNames.keys()) if (!units.includes(unit)) for (const half of [0, 1]) found[column.tokens(unit) + half] = undefined
  return { rows: chunk.rows, dims: chunk.dims, columns: found, times: timesOfRows(chunk, calls) }
}

/** Over entries: the times of the calls that are left. */
const timesOfRows = (chunk: Chunk, calls: ChunkColumn | undefined): Chunk['times'] => {
  if (chunk.times === undefined) return undefined
  const { lengths, bins } = chunk.times
  const kept = Uint16Array.from(bins)
  const left = new Uint8Array(chunk.rows)
  let at = 0
  let count = 0
  for (let row = 0; row < chunk.rows; row++) {
    if (lengths[row] === 0) continue
    const bin = bins[at++] as number
    if (calls === undefined || calls.base + (calls.data?.[row] ?? 0) === 0) continue
    left[row] = 1
    kept[count++] = bin
  }
  return { lengths: left, bins: kept.subarray(0, count), counts: undefined }
}
