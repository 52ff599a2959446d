import { type Block, column, columnCount, createBlock, dimNames, type Keeping, noUnit, sliceStart, two32 } from './block.ts'
import { amountsOf, productOf } from './products.ts'
import { type ChunkTimes, parseTimes, timesOf } from './times.ts'

/**
 * A block as it lies in the file. Every column is as narrow as its values allow: a dimension is a list of its few values and a
 * place in it per row, a sum is a base and one, two, four or eight bytes; what is the same in every row takes none. Little-endian and
 * aligned, so that reading is looking: no value is decoded before it is used.
 */
export interface Chunk {
  readonly rows: number
  readonly dims: readonly (ChunkDim | undefined)[]
  readonly columns: readonly (ChunkColumn | undefined)[]
  readonly times: ChunkTimes | undefined
  /** The chunk that this one is a part of: the places of its rows are the same. */
  readonly of?: Chunk
}

/** Row i has the value `values[places[i]]`; without places every row has the one value. */
export interface ChunkDim {
  readonly values: Int32Array
  readonly places: Uint8Array | Uint16Array | Int32Array | undefined
}

/** Row i has `base + data[i]`; without data every row has the base. */
export interface ChunkColumn {
  readonly base: number
  readonly data: Uint8Array | Uint16Array | Uint32Array | Float64Array | undefined
}

type Data = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array

const sectionKinds = ['column', 'dim', 'product'] as const
type SectionKind = (typeof sectionKinds)[number]

interface Section {
  readonly id: number
  readonly kind: SectionKind
  /** Bytes per row; 0: none; 255: the same as the column `alias`. */
  readonly width: number
  /** A dimension's values, or a product's rates. */
  readonly values: Int32Array | Float64Array | undefined
  readonly base: number
  readonly data: Data | undefined
}

const sectionBytes = 16

/** The price lines' columns are kept apart from dimensions and sums, because few questions read them. */
export const formatChunk = (block: Block, part: 'sums' | 'slices'): Uint8Array =>
  layOut(block.rows, part === 'sums' ? sumSections(block) : sliceSections(block))

const sumSections = (block: Block): readonly Section[] => {
  const sections: Section[] = []
  for (let dim = 0; dim < block.dims.length; dim++) {
    const values = block.dims[dim]
    if (values !== undefined) sections.push(dimSection(dim, values, block.rows))
  }
  return [...sections, ...columnSections(block, 0, sliceStart, () => false)]
}

const sliceSections = (block: Block): readonly Section[] => {
  const pairAt = (id: number) => ({ low: block.columns[id], high: block.columns[id + 1] })
  const sections: Section[] = []
  for (let unit = 0; unit < noUnit; unit++) {
    const id = column.sliceCost(unit)
    const product = block.columns[id] && productOf(block.rows, pairAt(column.tokens(unit)), pairAt(id))
    if (product === undefined) continue
    const { rates, places } = product
    sections.push({ id, kind: 'product', width: places === undefined ? 0 : 1, values: rates, base: 0, data: places })
  }
  const isProduct = (id: number): boolean => sections.some((section) => section.id === id || section.id + 1 === id)
  return [...sections, ...columnSections(block, sliceStart, columnCount, isProduct)]
}

const columnSections = (block: Block, first: number, end: number, isLeftOut: (id: number) => boolean): readonly Section[] => {
  const sections: Section[] = []
  for (let id = first; id < end; id++) {
    const values = block.columns[id]
    const section = values === undefined || isLeftOut(id) ? undefined : columnSection(id, values, block)
    if (section !== undefined) sections.push(section)
  }
  return sections
}

const layOut = (rows: number, sections: readonly Section[]): Uint8Array => {
  let size = 8 + sections.length * sectionBytes
  for (const section of sections) size += (section.values?.byteLength ?? 0) + (section.data?.byteLength ?? 0) + 16
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, rows, true)
  view.setUint32(4, sections.length, true)
  let at = 8 + sections.length * sectionBytes
  for (const [index, section] of sections.entries()) {
    const head = 8 + index * sectionBytes
    view.setUint16(head, section.id, true)
    view.setUint8(head + 2, sectionKinds.indexOf(section.kind))
    view.setUint8(head + 3, section.width)
    view.setUint32(head + 4, section.values?.length ?? 0, true)
    view.setFloat64(head + 8, section.base, true)
    for (const data of [section.values, section.data]) {
      if (data === undefined || data.byteLength === 0) continue
      at = aligned(at, data.BYTES_PER_ELEMENT)
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
      at += data.byteLength
    }
  }
  return bytes.subarray(0, at)
}

const aligned = (at: number, bytes: number): number => Math.ceil(at / bytes) * bytes

const smallValues = 1 << 16
const placeOf = new Int32Array(smallValues).fill(-1)

const dimSection = (id: number, source: Int32Array, rows: number): Section => {
  if (isConstant(source, rows)) return { id, kind: 'dim', width: 0, values: source.slice(0, 1), base: 0, data: undefined }
  const values: number[] = []
  const places = new Int32Array(rows)
  const large = new Map<number, number>()
  for (let row = 0; row < rows; row++) {
    const value = source[row] as number
    const isSmall = value >= 0 && value < smallValues
    let place = isSmall ? (placeOf[value] as number) : (large.get(value) ?? -1)
    if (place === -1) {
      place = values.push(value) - 1
      if (isSmall) placeOf[value] = place
      else large.set(value, place)
    }
    places[row] = place
  }
  for (const value of values) if (value >= 0 && value < smallValues) placeOf[value] = -1
  const data =
    values.length <= 1
      ? undefined
      : values.length <= 256
        ? Uint8Array.from(places)
        : values.length <= smallValues
          ? Uint16Array.from(places)
          : places
  return { id, kind: 'dim', width: data?.BYTES_PER_ELEMENT ?? 0, values: Int32Array.from(values), base: 0, data }
}

const isConstant = (source: Int32Array, rows: number): boolean => {
  const first = source[0]
  for (let row = 1; row < rows; row++) if (source[row] !== first) return false
  return true
}

const sameAsCalls = 255

const columnSection = (id: number, source: Float64Array, block: Block): Section | undefined => {
  const rows = block.rows
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (let row = 0; row < rows; row++) {
    const value = source[row] as number
    if (value < least) least = value
    if (value > most) most = value
  }
  const plain = { id, kind: 'column' as const, values: undefined, base: least, data: undefined }
  if (least === most) return least === 0 ? undefined : { ...plain, width: 0 }
  // How many calls used a unit is nearly always how many calls there were.
  const calls = block.columns[column.calls]
  if (id >= sliceStart && calls !== undefined && isSame(source, calls, rows)) return { ...plain, width: sameAsCalls }
  const data = narrow(source, rows, least, most - least)
  return { ...plain, base: data instanceof Float64Array ? 0 : least, width: data.BYTES_PER_ELEMENT, data }
}

const isSame = (left: Float64Array, right: Float64Array, rows: number): boolean => {
  for (let row = 0; row < rows; row++) if (left[row] !== right[row]) return false
  return true
}

const narrow = (source: Float64Array, rows: number, base: number, range: number): Data => {
  if (range >= 2 ** 32) return source.slice(0, rows)
  const data = range < 256 ? new Uint8Array(rows) : range < 65_536 ? new Uint16Array(rows) : new Uint32Array(rows)
  for (let row = 0; row < rows; row++) data[row] = (source[row] as number) - base
  return data
}

/** Looks into the bytes of a chunk, and into those of its slices and times where they were read too. */
export const parseChunk = (sums: Uint8Array, slices: Uint8Array | null = null, times: Uint8Array | null = null): Chunk => {
  const dims: (ChunkDim | undefined)[] = new Array(dimNames.length).fill(undefined)
  const columns: (ChunkColumn | undefined)[] = []
  const rows = new DataView(sums.buffer, sums.byteOffset).getUint32(0, true)
  for (const bytes of [sums, slices]) if (bytes !== null) readSections(bytes, rows, dims, columns)
  return { rows, dims, columns, times: times === null ? undefined : parseTimes(times) }
}

const readSections = (bytes: Uint8Array, rows: number, dims: (ChunkDim | undefined)[], columns: (ChunkColumn | undefined)[]): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const count = view.getUint32(4, true)
  let at = 8 + count * sectionBytes
  const take = (length: number, width: number, isSigned: boolean): Data => {
    const start = aligned(at, width)
    at = start + length * width
    const offset = bytes.byteOffset + start
    if (width === 1) return new Uint8Array(bytes.buffer, offset, length)
    if (width === 2) return new Uint16Array(bytes.buffer, offset, length)
    if (width === 8) return new Float64Array(bytes.buffer, offset, length)
    return isSigned ? new Int32Array(bytes.buffer, offset, length) : new Uint32Array(bytes.buffer, offset, length)
  }
  const data = (width: number, isSigned: boolean) => (width === 0 ? undefined : take(rows, width, isSigned))
  for (let index = 0; index < count; index++) {
    const head = 8 + index * sectionBytes
    const id = view.getUint16(head, true)
    const kind = sectionKinds[view.getUint8(head + 2)]
    const width = view.getUint8(head + 3)
    const length = view.getUint32(head + 4, true)
    const base = view.getFloat64(head + 8, true)
    if (kind === 'dim') dims[id] = { values: take(length, 4, true) as Int32Array, places: data(width, true) as ChunkDim['places'] }
    else if (kind === 'product') {
      const product = { rates: take(length, 8, false) as Float64Array, places: data(width, false) as Uint8Array | undefined }
      const { low, high } = amountsOf(rows, product, countsOf(columns, column.tokens((id - column.sliceCost(0)) / 3)))
      columns[id] = { base: 0, data: low }
      columns[id + 1] = { base: 0, data: high }
    } else if (width === sameAsCalls) columns[id] = columns[column.calls] ?? { base: 0, data: undefined }
    else columns[id] = { base, data: data(width, false) as ChunkColumn['data'] }
  }
}

const countsOf = (columns: readonly (ChunkColumn | undefined)[], id: number): ((row: number) => number) => {
  const [low, high] = [columns[id], columns[id + 1]]
  return (row) => columnAt(low, row) + columnAt(high, row) * two32
}

/** What a column, or none, has in a row. */
export const columnAt = (found: ChunkColumn | undefined, row: number): number =>
  found === undefined ? 0 : found.base + (found.data === undefined ? 0 : (found.data[row] as number))

/** A chunk as a block that can be combined with others; only what is kept of it. */
export const blockOf = (chunk: Chunk, { dims, columnEnd, hasTimes }: Keeping): Block => {
  const block = createBlock()
  block.rows = chunk.rows
  for (const dim of dims) {
    const found = chunk.dims[dim]
    if (found !== undefined) block.dims[dim] = valuesOf(found, chunk.rows)
  }
  const end = Math.min(columnEnd, chunk.columns.length)
  for (let index = 0; index < end; index++) {
    const found = chunk.columns[index]
    if (found !== undefined) block.columns[index] = sumsOf(found, chunk.rows)
  }
  if (hasTimes) block.times = chunk.times && timesOf(chunk.times, 0)
  return block
}

const valuesOf = ({ values, places }: ChunkDim, rows: number): Int32Array => {
  if (places === undefined) return new Int32Array(rows).fill(values[0] ?? 0)
  const found = new Int32Array(rows)
  for (let row = 0; row < rows; row++) found[row] = values[places[row] as number] as number
  return found
}

const sumsOf = ({ base, data }: ChunkColumn, rows: number): Float64Array => {
  if (data === undefined) return new Float64Array(rows).fill(base)
  const found = new Float64Array(rows)
  for (let row = 0; row < rows; row++) found[row] = base + (data[row] as number)
  return found
}
