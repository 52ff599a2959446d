import { lowColumns, two32 } from './block.ts'
import type { Chunk, ChunkColumn, ChunkDim } from './chunk.ts'

/** One of the attributes that rows are grouped by: a dimension, and what its value stands for (a run for its stop reason). */
export interface Axis {
  readonly dim: number
  readonly map?: (value: number) => number
}

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
  /** The sums of the columns that were asked for, in their order; the high half of a pair comes after the low one. */
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
  const groups = createGroups(axes.length)
  // Group 0 takes the rows that are filtered out, so that no inner loop has to ask.
  let sums = columns.map(() => new Float64Array(64))
  let target = new Int32Array(1024)
  let rowsSinceCarry = 0

  const assign = (chunk: Chunk, bucket: number): boolean => {
    if (target.length < chunk.rows) target = new Int32Array(chunk.rows * 2)
    if (filters.some((filter) => isRefused(chunk, filter))) return false
    groups.resolve(chunk, bucket, axes, target)
    for (const filter of filters) applyFilter(chunk, filter, target)
    return true
  }

  const grow = (): void => {
    if ((sums[0]?.length ?? 0) > groups.count()) return
    sums = sums.map((values) => {
      const larger = new Float64Array(groups.count() * 2)
      larger.set(values)
      return larger
    })
  }

  const carry = (): void => {
    for (const [index, id] of columns.entries()) {
      const lows = sums[index]
      const highs = sums[index + 1]
      if (lows === undefined || highs === undefined || !lowColumns.includes(id)) continue
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
      grow()
      for (let index = 0; index < columns.length; index++) {
        const found = chunk.columns[columns[index] as number]
        if (found !== undefined) addColumn(sums[index] as Float64Array, target, chunk.rows, found, sign)
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
        sums: sums.map((values) => values.subarray(1, count)),
      }
    },
  }
}

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

/** Up to this many places the product of a chunk's lists gets a table of its own. */
const tableMax = 1 << 20
/** Past this the product would not fit the rows' places. */
const productMax = 2 ** 31

/** Counts calls per bin of latency by axes. */
export const createTimer = (axes: readonly Axis[], filters: readonly RowFilter[]) => {
  const groups = createGroups(axes.length)
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

/** The groups that were met so far, by bucket and values. */
export const createGroups = (width: number) => {
  let keys = Array.from({ length: width + 1 }, () => new Int32Array(64))
  let count = 1
  let slots = new Int32Array(256)
  let table = new Int32Array(1024)
  let places = new Int32Array(1024)
  let placed: Chunk | undefined
  const values = new Int32Array(width + 1)

  const hashOf = (list: (index: number) => number): number => {
    let hash = 0x9e3779b9
    for (let index = 0; index <= width; index++) hash = Math.imul(hash ^ list(index), 0x85ebca6b) ^ (hash >>> 15)
    return hash ^ (hash >>> 13)
  }

  const isKey = (group: number): boolean => {
    for (let index = 0; index <= width; index++) if ((keys[index] as Int32Array)[group] !== values[index]) return false
    return true
  }

  const ofValues = (index: number): number => values[index] as number

  /** The group of what stands in `values`; one group more when it is new. */
  const groupOf = (): number => {
    for (let at = hashOf(ofValues) & (slots.length - 1); ; at = (at + 1) & (slots.length - 1)) {
      const group = slots[at] as number
      if (group !== 0 && isKey(group)) return group
      if (group !== 0) continue
      if (count >= (keys[0] as Int32Array).length) keys = keys.map(doubled)
      for (const [index, list] of keys.entries()) list[count] = values[index] as number
      slots[at] = count
      if (count * 2 > slots.length) rehash()
      return count++
    }
  }

  const rehash = (): void => {
    slots = new Int32Array(slots.length * 4)
    for (let group = 1; group <= count; group++) {
      let at = hashOf((index) => (keys[index] as Int32Array)[group] as number) & (slots.length - 1)
      while (slots[at] !== 0) at = (at + 1) & (slots.length - 1)
      slots[at] = group
    }
  }

  return {
    count: () => count,
    keys: () => keys,
    /** Writes the group of each row of a chunk into `target`. */
    resolve(chunk: Chunk, bucket: number, axes: readonly Axis[], target: Int32Array): void {
      values[0] = bucket
      const placings = axes.map((axis) => placingOf(chunk, axis))
      const size = placings.reduce((product, { list }) => product * list.length, 1)
      if (size >= productMax) {
        for (let row = 0; row < chunk.rows; row++) {
          for (const [index, { list, places, moved }] of placings.entries()) {
            const place = places?.[row] ?? 0
            values[index + 1] = list[moved?.[place] ?? place] as number
          }
          target[row] = groupOf()
        }
        return
      }
      if (placed === undefined || placed !== chunk.of) {
        if (places.length < chunk.rows) places = new Int32Array(chunk.rows * 2)
        placeRows(chunk.rows, placings, places)
        placed = chunk.of
      }
      const hasTable = size <= tableMax
      if (hasTable && table.length < size) table = new Int32Array(size * 2)
      else if (hasTable) table.fill(0, 0, size)
      for (let row = 0; row < chunk.rows; row++) {
        const place = places[row] as number
        let group = hasTable ? (table[place] as number) : 0
        if (group === 0) {
          let rest = place
          for (let index = 0; index < width; index++) {
            const { list } = placings[index] as Placing
            values[index + 1] = list[rest % list.length] as number
            rest = (rest / list.length) | 0
          }
          group = groupOf()
          if (hasTable) table[place] = group
        }
        target[row] = group
      }
    },
  }
}

/** The values of a chunk's rows on one axis: each row's place leads to one of the list, for a mapped axis by way of `moved`. */
interface Placing {
  readonly list: Int32Array
  readonly places: ChunkDim['places']
  readonly moved: Int32Array | undefined
}

/** What runs are mapped to has few values, however many the runs: the list is made as short as that. */
const placingOf = (chunk: Chunk, { dim, map }: Axis): Placing => {
  const { values, places } = chunk.dims[dim] ?? { values: zero, places: undefined }
  if (map === undefined) return { list: values, places, moved: undefined }
  const placeOf = new Map<number, number>()
  const moved = Int32Array.from(values, (value) => {
    const mapped = map(value)
    const place = placeOf.get(mapped) ?? placeOf.size
    placeOf.set(mapped, place)
    return place
  })
  return { list: Int32Array.from(placeOf.keys()), places, moved }
}

/** Writes each row's place in the product of the axes' lists into `target`. */
const placeRows = (rows: number, placings: readonly Placing[], target: Int32Array): void => {
  target.fill(0, 0, rows)
  let stride = 1
  for (const { list, places, moved } of placings) {
    if (places !== undefined && list.length > 1) {
      if (moved === undefined) addPlaces(places, stride, target, rows)
      else addMovedPlaces(places, moved, stride, target, rows)
    }
    stride *= list.length
  }
}

const addPlaces = (places: NonNullable<ChunkDim['places']>, stride: number, target: Int32Array, rows: number): void => {
  for (let row = 0; row < rows; row++) target[row] = (target[row] as number) + (places[row] as number) * stride
}

const addMovedPlaces = (
  places: NonNullable<ChunkDim['places']>,
  moved: Int32Array,
  stride: number,
  target: Int32Array,
  rows: number,
): void => {
  for (let row = 0; row < rows; row++) target[row] = (target[row] as number) + (moved[places[row] as number] as number) * stride
}

const doubled = (list: Int32Array): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(list.length * 2)
  larger.set(list)
  return larger
}
