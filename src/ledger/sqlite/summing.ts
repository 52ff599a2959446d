import { lowColumns, two32 } from './block.ts'
import type { Chunk, ChunkColumn } from './chunk.ts'
import { type Axis, createRowGroups } from './row-groups.ts'

export interface RowFilter {
  readonly axis: Axis
  readonly accepts: (value: number) => boolean
}

/** How many calls of each group took how long. */
export interface TimedGroups {
  readonly groups: number
  readonly keys: readonly Int32Array[]
  /** Calls per bin of each group. */
  readonly bins: readonly Int32Array[]
}

/** Groups' sums in columns: group g has its numbers at g of every column. */
export interface Summed {
  readonly groups: number
  /** The bucket and then the value on each axis. */
  readonly keys: readonly Int32Array[]
  /** The sums of the columns that were asked for, in their order; the high half of a pair comes after the low one. Empty, but for the first, where no row has any. */
  readonly sums: readonly Float64Array[]
}

export interface Summer {
  /** Adds the rows of a chunk that pass the filters; with the sign −1 takes them out. */
  add(chunk: Chunk, bucket: number, sign: 1 | -1): void
  finish(): Summed
}

/** Rows after which low halves are carried over: 2²¹ × 2³² is where a double ends. */
const carryRows = 1_500_000

/**
 * Sums chunks by axes. Each row's group is found from its places in the chunk's own short lists of values, by one look-up, and
 * each column is then one pass over bytes that lie side by side: about 3 ns per row and column.
 */
export const createSummer = (axes: readonly Axis[], filters: readonly RowFilter[], columns: readonly number[]): Summer => {
  const groups = createRowGroups(axes.length)
  // Group 0 takes the rows that are filtered out, so that no inner loop has to ask.
  // A question can name dozens of units of which calls use four: what no row has takes no room.
  const sums = columns.map(() => noSums)
  let size = 64
  let target = new Int32Array(1024)
  let rowsSinceCarry = 0

  const assign = (chunk: Chunk, bucket: number): boolean => {
    if (target.length < chunk.rows) target = new Int32Array(chunk.rows * 2)
    if (filters.some((filter) => isRefused(chunk, filter))) return false
    groups.resolve(chunk, bucket, axes, target)
    for (const filter of filters) applyFilter(chunk, filter, target)
    return true
  }

  const sumsOf = (index: number): Float64Array => {
    const values = sums[index] as Float64Array
    if (values.length === size) return values
    const larger = new Float64Array(size)
    larger.set(values)
    sums[index] = larger
    return larger
  }

  const carry = (): void => {
    for (const [index, id] of columns.entries()) {
      if (!lowColumns.includes(id) || sums[index]?.length === 0) continue
      const [lows, highs] = [sumsOf(index), sumsOf(index + 1)]
      for (let group = 0; group < groups.count(); group++) {
        const over = Math.floor((lows[group] as number) / two32)
        lows[group] = (lows[group] as number) - over * two32
        highs[group] = (highs[group] as number) + over
      }
    }
    rowsSinceCarry = 0
  }

  return {
    add(chunk, bucket, sign) {
      if (chunk.rows === 0 || !assign(chunk, bucket)) return
      if (groups.count() >= size) size = groups.count() * 2
      for (let index = 0; index < columns.length; index++) {
        const found = chunk.columns[columns[index] as number]
        if (found !== undefined) addColumn(sumsOf(index), target, chunk.rows, found, sign)
      }
      rowsSinceCarry += chunk.rows
      if (rowsSinceCarry > carryRows) carry()
    },
    finish() {
      carry()
      const count = groups.count()
      return {
        groups: count - 1,
        keys: groups.keys().map((key) => key.subarray(1, count)),
        sums: sums.map((values, index) => (index > 0 && values.length === 0 ? values : sumsOf(index).subarray(1, count))),
      }
    },
  }
}

const noSums = new Float64Array(0)

export const isRefused = (chunk: Chunk, { axis, accepts }: RowFilter): boolean => {
  const found = chunk.dims[axis.dim]
  const values = found?.values ?? zero
  for (const value of values) if (accepts(axis.map?.(value) ?? value)) return false
  return true
}

const zero = new Int32Array(1)

export const applyFilter = (chunk: Chunk, { axis, accepts }: RowFilter, target: Int32Array): void => {
  const found = chunk.dims[axis.dim]
  if (found?.places === undefined) return
  const isKept = Uint8Array.from(found.values, (value) => (accepts(axis.map?.(value) ?? value) ? 1 : 0))
  if (!isKept.includes(0)) return
  const { places } = found
  for (let row = 0; row < chunk.rows; row++) if (isKept[places[row] as number] === 0) target[row] = 0
}

const addColumn = (sums: Float64Array, target: Int32Array, rows: number, { base, data }: ChunkColumn, sign: 1 | -1): void => {
  const start = sign * base
  if (data === undefined) for (let row = 0; row < rows; row++) sums[target[row] as number] = (sums[target[row] as number] as number) + start
  else
    for (let row = 0; row < rows; row++) {
      const group = target[row] as number
      sums[group] = (sums[group] as number) + start + sign * (data[row] as number)
    }
}

/** Counts calls per bin of latency by axes. */
export const createTimer = (axes: readonly Axis[], filters: readonly RowFilter[]) => {
  const groups = createRowGroups(axes.length)
  const found: Int32Array[] = [new Int32Array(0)]
  let target = new Int32Array(1024)
  return {
    add(chunk: Chunk, bucket: number, sign: 1 | -1): void {
      const { times } = chunk
      if (times === undefined || filters.some((filter) => isRefused(chunk, filter))) return
      if (target.length < chunk.rows) target = new Int32Array(chunk.rows * 2)
      groups.resolve(chunk, bucket, axes, target)
      for (const filter of filters) applyFilter(chunk, filter, target)
      while (found.length < groups.count()) found.push(new Int32Array(512))
      let at = 0
      for (let row = 0; row < chunk.rows; row++) {
        const group = target[row] as number
        const end = at + (times.lengths[row] as number)
        for (; at < end; at++) {
          if (group === 0) continue
          const bin = times.bins[at] as number
          let bins = found[group] as Int32Array
          if (bin >= bins.length) found[group] = bins = lengthened(bins, bin)
          bins[bin] = (bins[bin] as number) + sign * (times.counts?.[at] ?? 1)
        }
      }
    },
    finish: (): TimedGroups => {
      const count = groups.count()
      return { groups: count - 1, keys: groups.keys().map((key) => key.subarray(1, count)), bins: found.slice(1) }
    },
  }
}

const lengthened = (bins: Int32Array, bin: number): Int32Array<ArrayBuffer> => {
  const longer = new Int32Array(2 ** Math.ceil(Math.log2(bin + 1)))
  longer.set(bins)
  return longer
}
