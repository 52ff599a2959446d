import type { Chunk, ChunkColumn, ChunkDim } from './chunk.ts'

/** Rows in one chunk that is made from entries. */
export const builtRows = 8_192

/** Makes chunks row by row, so that entries are summed by the same code as roll-ups. */
export interface ChunkBuilder {
  readonly rows: number
  /** Begins a row; its values are all 0. */
  next(): void
  setDim(dim: number, value: number): void
  setColumn(column: number, value: number): void
  /** The bin of the row's latency. */
  setTime(bin: number): void
  /** The rows so far as a chunk. The builder is empty afterwards; the chunk is good until the next row begins. */
  take(): Chunk
}

export const createChunkBuilder = (dims: readonly number[], columns: readonly number[]): ChunkBuilder => {
  const values: (Int32Array | undefined)[] = []
  for (const dim of dims) values[dim] = new Int32Array(builtRows)
  const data: (Float64Array | undefined)[] = []
  for (const column of columns) data[column] = new Float64Array(builtRows)
  const lengths = new Uint8Array(builtRows)
  const bins = new Uint16Array(builtRows)
  let timeCount = 0
  let rows = 0
  return {
    get rows() {
      return rows
    },
    next() {
      if (rows === 0) {
        for (const dim of dims) values[dim]?.fill(0)
        for (const column of columns) data[column]?.fill(0)
        lengths.fill(0)
        timeCount = 0
      }
      rows += 1
    },
    setDim(dim, value) {
      const list = values[dim]
      if (list !== undefined) list[rows - 1] = value
    },
    setColumn(column, value) {
      const list = data[column]
      if (list !== undefined) list[rows - 1] = value
    },
    setTime(bin) {
      lengths[rows - 1] = 1
      bins[timeCount++] = bin
    },
    take() {
      const chunkDims: (ChunkDim | undefined)[] = []
      for (const dim of dims) {
        const list = values[dim] as Int32Array
        chunkDims[dim] = listed(rows, (row) => list[row] as number)
      }
      const chunkColumns: (ChunkColumn | undefined)[] = []
      for (const column of columns) chunkColumns[column] = { base: 0, data: data[column] }
      const chunk = {
        rows,
        dims: chunkDims,
        columns: chunkColumns,
        times: { lengths, bins: bins.subarray(0, timeCount), counts: undefined },
      }
      rows = 0
      return chunk
    },
  }
}

/** Values of rows → the list of different ones and each row's place in it. */
export const listed = (rows: number, valueAt: (row: number) => number): ChunkDim => {
  const placeOf = new Map<number, number>()
  const list: number[] = []
  const places = new Int32Array(rows)
  for (let row = 0; row < rows; row++) {
    const value = valueAt(row)
    let place = placeOf.get(value)
    if (place === undefined) {
      place = list.push(value) - 1
      placeOf.set(value, place)
    }
    places[row] = place
  }
  return { values: Int32Array.from(list), places: list.length > 1 ? places : undefined }
}
