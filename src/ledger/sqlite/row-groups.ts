import type { Chunk, ChunkDim } from './chunk.ts'

/** One of the attributes that rows are grouped by: a dimension, and what its value stands for (a run for its stop reason). */
export interface Axis {
  readonly dim: number
  readonly map?: (value: number) => number
}

/** The groups that rows were found in so far, by bucket and values. Group 0 is nobody's: it takes the rows that are filtered out. */
export interface RowGroups {
  count(): number
  /** The bucket and then the value on each axis, of every group. */
  keys(): readonly Int32Array[]
  /** Writes the group of each row of a chunk into `target`. */
  resolve(chunk: Chunk, bucket: number, axes: readonly Axis[], target: Int32Array): void
}

/**
 * Attributes of few values have one table of all that they can be together, so that a row's group is found by adding up places and
 * one look. Where that table would be too large, as for runs or users, each chunk has one of its own, which leads to the groups by
 * a hash of their values.
 */
export const createRowGroups = (width: number): RowGroups => {
  const groups = createKeys(width)
  const placingOf = createPlacings(width)
  const places = createPlaces()
  let table: ReturnType<typeof createTable> | undefined = createTable(groups, places)
  let chunkTable = new Int32Array(0)

  /** By a table of the chunk's own. */
  const resolveApart = (chunk: Chunk, bucket: number, placings: readonly Placing[], target: Int32Array): void => {
    const size = placings.reduce((product, { list }) => product * list.length, 1)
    const { values } = groups
    values[0] = bucket
    if (size >= productMax) {
      for (let row = 0; row < chunk.rows; row++) {
        for (const [index, { list, places, moved }] of placings.entries()) {
          const place = places?.[row] ?? 0
          values[index + 1] = list[moved?.[place] ?? place] as number
        }
        target[row] = groups.find()
      }
      return
    }
    let stride = 1
    const strided = placings.map(({ list }) => {
      const each = Int32Array.from(list, (_, place) => place * stride)
      stride *= list.length
      return each
    })
    const placeOf = places.of(chunk, placings, strided)
    const hasTable = size <= chunkTableMax
    if (hasTable && chunkTable.length < size) chunkTable = new Int32Array(size * 2)
    else if (hasTable) chunkTable.fill(0, 0, size)
    for (let row = 0; row < chunk.rows; row++) {
      const place = placeOf[row] as number
      let group = hasTable ? (chunkTable[place] as number) : 0
      if (group === 0) {
        let rest = place
        for (let index = 0; index < width; index++) {
          const { list } = placings[index] as Placing
          values[index + 1] = list[rest % list.length] as number
          rest = (rest / list.length) | 0
        }
        group = groups.find()
        if (hasTable) chunkTable[place] = group
      }
      target[row] = group
    }
  }

  return {
    count: groups.count,
    keys: groups.keys,
    resolve(chunk, bucket, axes, target) {
      const placings = axes.map((axis, index) => placingOf(chunk, axis, index))
      if (table?.meet(bucket, placings)) table.resolve(chunk, placings, target)
      else {
        if (table !== undefined) places.forget()
        table = undefined
        resolveApart(chunk, bucket, placings, target)
      }
    },
  }
}

/** Up to this many places the product of all values has one table: 16 MB. */
const tableMax = 1 << 22
/** The same where it is cleared for every bucket. */
const bucketTableMax = 1 << 16
/** Up to this many places the product of a chunk's lists gets a table of its own. */
const chunkTableMax = 1 << 20
/** Past this the product would not fit the rows' places. */
const productMax = 2 ** 31

/** The values of a chunk's rows on one axis: each row's place leads to one of the list, for a mapped axis by way of `moved`. */
interface Placing {
  readonly list: Int32Array
  readonly places: ChunkDim['places']
  readonly moved: Int32Array | undefined
}

/** The parts of one chunk share most of their dimensions: what was made of one for an axis is kept until another comes. */
const createPlacings = (width: number): ((chunk: Chunk, axis: Axis, index: number) => Placing) => {
  const last: ({ readonly of: ChunkDim | undefined; readonly placing: Placing } | undefined)[] = new Array(width).fill(undefined)
  return (chunk, axis, index) => {
    const of = chunk.dims[axis.dim]
    const known = last[index]
    if (known !== undefined && known.of === of) return known.placing
    const placing = placingFrom(of ?? nothing, axis)
    last[index] = { of, placing }
    return placing
  }
}

const nothing: ChunkDim = { values: new Int32Array(1), places: undefined }

/** What runs are mapped to has few values, however many the runs: the list is made as short as that. */
const placingFrom = ({ values, places }: ChunkDim, { map }: Axis): Placing => {
  if (map === undefined) return { list: values, places, moved: undefined }
  const list: number[] = []
  const placeOf = new Map<number, number>()
  const moved = new Int32Array(values.length)
  for (let index = 0; index < values.length; index++) {
    const mapped = map(values[index] as number)
    let place = placeOf.get(mapped)
    if (place === undefined) placeOf.set(mapped, (place = list.push(mapped) - 1))
    moved[index] = place
  }
  return { list: Int32Array.from(list), places, moved }
}

/** The groups' bucket and values, found by their hash. */
const createKeys = (width: number) => {
  let keys = Array.from({ length: width + 1 }, () => new Int32Array(64))
  let count = 1
  let slots = new Int32Array(256)
  const values = new Int32Array(width + 1)

  const isKey = (group: number): boolean => {
    for (let index = 0; index <= width; index++) if ((keys[index] as Int32Array)[group] !== values[index]) return false
    return true
  }

  const slotOf = (hash: number): number => (hash ^ (hash >>> 13)) & (slots.length - 1)

  const rehash = (): void => {
    slots = new Int32Array(slots.length * 4)
    for (let group = 1; group < count; group++) {
      let hash = seed
      for (let index = 0; index <= width; index++) hash = mixed(hash, (keys[index] as Int32Array)[group] as number)
      let at = slotOf(hash)
      while (slots[at] !== 0) at = (at + 1) & (slots.length - 1)
      slots[at] = group
    }
  }

  return {
    values,
    count: () => count,
    keys: () => keys,
    /** The group of what stands in `values`; one group more when it is new. */
    find(): number {
      if (count * 2 > slots.length) rehash()
      let hash = seed
      for (let index = 0; index <= width; index++) hash = mixed(hash, values[index] as number)
      for (let at = slotOf(hash); ; at = (at + 1) & (slots.length - 1)) {
        const group = slots[at] as number
        if (group !== 0 && isKey(group)) return group
        if (group !== 0) continue
        if (count >= (keys[0] as Int32Array).length) keys = keys.map(doubled)
        for (const [index, list] of keys.entries()) list[count] = values[index] as number
        slots[at] = count
        return count++
      }
    },
  }
}

const seed = 0x9e3779b9
const mixed = (hash: number, value: number): number => Math.imul(hash ^ value, 0x85ebca6b) ^ (hash >>> 15)

type Keys = ReturnType<typeof createKeys>

const doubled = (list: Int32Array): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(list.length * 2)
  larger.set(list)
  return larger
}

/** The numbers of an axis's values in the order in which they were met, and how many fit before the table has to be laid out anew. */
interface Codes {
  readonly of: Map<number, number>
  readonly values: number[]
  capacity: number
  stride: number
}

/** The table of all that values can be together in one bucket: each has its code on its axis, and the codes add up to a place. */
const createTable = (groups: Keys, places: Places) => {
  const codes = Array.from(groups.values.subarray(1), (): Codes => ({ of: new Map(), values: [], capacity: 1, stride: 1 }))
  let groupAt = new Int32Array(1)
  let current: number | undefined
  /** Of the chunk that was met last: the values of each axis, their codes, and what these add to a place. */
  const lists: Int32Array[] = []
  const coded: Int32Array[] = []
  const strided: Int32Array[] = []
  let hasGrown = false

  const codeOf = (axis: Codes, value: number): number => {
    let code = axis.of.get(value)
    if (code === undefined) {
      code = axis.values.push(value) - 1
      axis.of.set(value, code)
      if (code >= axis.capacity) hasGrown = true
    }
    return code
  }

  /** Makes room for twice the values of the axes that are full. The groups come back as they are met again. */
  const layOut = (): number => {
    let size = 1
    for (const axis of codes) {
      while (axis.capacity < axis.values.length) axis.capacity *= 2
      axis.stride = size
      size *= axis.capacity
    }
    if (size <= tableMax) groupAt = new Int32Array(size)
    return size
  }

  const groupOf = (place: number): number => {
    for (const [index, { values, stride, capacity }] of codes.entries())
      groups.values[index + 1] = values[Math.floor(place / stride) % capacity] as number
    const group = groups.find()
    groupAt[place] = group
    return group
  }

  return {
    /** Takes a chunk's values in; false when the table would be too large with them. */
    meet(bucket: number, placings: readonly Placing[]): boolean {
      hasGrown = false
      for (let index = 0; index < codes.length; index++) {
        const { list } = placings[index] as Placing
        if (list !== lists[index]) coded[index] = list.map((value) => codeOf(codes[index] as Codes, value))
      }
      if (hasGrown && layOut() > tableMax) return false
      if (bucket !== current && current !== undefined && groupAt.length > bucketTableMax) return false
      if (hasGrown) places.forget()
      else if (bucket !== current) groupAt.fill(0)
      for (let index = 0; index < codes.length; index++) {
        const { list } = placings[index] as Placing
        if (list === lists[index] && !hasGrown) continue
        const { stride } = codes[index] as Codes
        strided[index] = (coded[index] as Int32Array).map((code) => code * stride)
        lists[index] = list
      }
      current = groups.values[0] = bucket
      return true
    },
    resolve(chunk: Chunk, placings: readonly Placing[], target: Int32Array): void {
      const placeOf = places.of(chunk, placings, strided)
      // What all rows have in common is added here, so that the places of a chunk's parts stay the same.
      let start = 0
      for (const list of strided) if (list.length === 1) start += list[0] as number
      for (let row = 0; row < chunk.rows; row++) {
        const place = start + (placeOf[row] as number)
        const group = groupAt[place] as number
        target[row] = group === 0 ? groupOf(place) : group
      }
    },
  }
}

/** Each row's place in a table, but for what all rows of the chunk have in common. Kept for the parts of one chunk, whose rows are the same. */
const createPlaces = () => {
  let places = new Int32Array(1024)
  let placed: Chunk | undefined
  return {
    forget: () => {
      placed = undefined
    },
    /** `strided` is what each value of a list adds to the place. */
    of(chunk: Chunk, placings: readonly Placing[], strided: readonly Int32Array[]): Int32Array {
      if (placed !== undefined && placed === chunk.of) return places
      if (places.length < chunk.rows) places = new Int32Array(chunk.rows * 2)
      placed = chunk.of
      let isFirst = true
      for (const [index, { places: rows, moved }] of placings.entries()) {
        const list = strided[index] as Int32Array
        if (rows === undefined || list.length === 1) continue
        const added = moved === undefined ? list : moved.map((place) => list[place] as number)
        if (isFirst) setPlaces(rows, added, places, chunk.rows)
        else addPlaces(rows, added, places, chunk.rows)
        isFirst = false
      }
      if (isFirst) places.fill(0, 0, chunk.rows)
      return places
    },
  }
}

type Places = ReturnType<typeof createPlaces>

const setPlaces = (rows: NonNullable<ChunkDim['places']>, added: Int32Array, places: Int32Array, count: number): void => {
  for (let row = 0; row < count; row++) places[row] = added[rows[row] as number] as number
}

const addPlaces = (rows: NonNullable<ChunkDim['places']>, added: Int32Array, places: Int32Array, count: number): void => {
  for (let row = 0; row < count; row++) places[row] = (places[row] as number) + (added[rows[row] as number] as number)
}
