import { unitNames } from '../../core/units.ts'
import { combineTimes, concatenateTimes, type Times } from './times.ts'

/** What sums are kept by. Names are numbers of names, 0 for none; the first four are places in their lists; a retry is 1. */
export const dimNames = [
  'kind',
  'status',
  'basis',
  'source',
  'retry',
  'provider',
  'model',
  'tool',
  'agent',
  'task',
  'release',
  'environment',
  'team',
  'session',
  'run',
  'user',
  'key',
] as const
export type DimName = (typeof dimNames)[number]
export const dimOf = Object.fromEntries(dimNames.map((name, index) => [name, index])) as Readonly<Record<DimName, number>>

/**
 * What is summed. Money and tokens are two columns, low and high × 2³², so that a column of doubles stays exact whatever is
 * added: `low` is below 2³² in every row that is kept, and two million rows can be added before it has to be carried over.
 * A price line's slice has a place per unit and one more for what has no unit.
 */
export const column = {
  calls: 0,
  cost: 1,
  tokens: (unit: number): number => 3 + 2 * unit,
  sliceCalls: (unit: number): number => sliceStart + 3 * unit,
  sliceCost: (unit: number): number => sliceStart + 3 * unit + 1,
} as const
export const noUnit = unitNames.length
export const sliceStart = 3 + 2 * unitNames.length
export const columnCount = sliceStart + 3 * (unitNames.length + 1)

/** Columns that are the low half of a pair; the high half is the next one. */
export const lowColumns: readonly number[] = [
  column.cost,
  ...unitNames.map((_, unit) => column.tokens(unit)),
  ...[...unitNames, null].map((_, unit) => column.sliceCost(unit)),
]

export const two32 = 2 ** 32

/** An amount from its two parts. */
export const bigOf = (low: number, high: number): bigint => {
  const value = high * two32 + low
  return Number.isSafeInteger(value) ? BigInt(value) : BigInt(high) * BigInt(two32) + BigInt(low)
}

/** Rows of sums, column by column. A column that is absent is all zeros. */
export interface Block {
  rows: number
  readonly dims: (Int32Array | undefined)[]
  readonly columns: (Float64Array | undefined)[]
  times: Times | undefined
}

export const createBlock = (): Block => ({
  rows: 0,
  dims: new Array(dimNames.length).fill(undefined),
  columns: new Array(columnCount).fill(undefined),
  times: undefined,
})

/** What is kept of rows when they are combined: dimensions, columns before `columnEnd`, and perhaps times. */
export interface Keeping {
  readonly dims: readonly number[]
  readonly columnEnd: number
  readonly hasTimes: boolean
}

/**
 * Rows that agree in the dimensions that are kept become one. `select` names the rows to take, all of them otherwise. Rows in which
 * everything has come to zero are left out.
 */
export const combine = (from: Block, { dims, columnEnd, hasTimes }: Keeping, select?: Int32Array): Block => {
  const rows = select?.length ?? from.rows
  const target = new Int32Array(rows)
  const first = groupRows(from, dims, rows, select, target)
  const block = createBlock()
  block.rows = first.length
  for (const dim of dims) {
    const source = from.dims[dim]
    if (source === undefined) continue
    const values = new Int32Array(first.length)
    for (let row = 0; row < first.length; row++) values[row] = source[first[row] as number] as number
    block.dims[dim] = values
  }
  for (let index = 0; index < columnEnd; index++) {
    const source = from.columns[index]
    if (source !== undefined) block.columns[index] = sumUp(source, target, first.length, select)
  }
  carry(block)
  if (hasTimes && from.times !== undefined)
    block.times = combineTimes(from.times, select === undefined ? target : spread(target, select, from.rows))
  return dropZeros(block)
}

/** The group of each row, −1 for those that were not taken. */
const spread = (target: Int32Array, select: Int32Array, rows: number): Int32Array => {
  const groups = new Int32Array(rows).fill(-1)
  for (let index = 0; index < select.length; index++) groups[select[index] as number] = target[index] as number
  return groups
}

const sumUp = (source: Float64Array, target: Int32Array, groups: number, select: Int32Array | undefined): Float64Array => {
  const sums = new Float64Array(groups)
  if (select === undefined) {
    for (let row = 0; row < target.length; row++)
      sums[target[row] as number] = (sums[target[row] as number] as number) + (source[row] as number)
    return sums
  }
  for (let index = 0; index < target.length; index++) {
    const group = target[index] as number
    sums[group] = (sums[group] as number) + (source[select[index] as number] as number)
  }
  return sums
}

/** Writes each row's group into `target`; gives one row of each group. */
const groupRows = (from: Block, dims: readonly number[], rows: number, select: Int32Array | undefined, target: Int32Array): Int32Array =>
  groupBy(
    dims.map((dim) => from.dims[dim]).filter((dim) => dim !== undefined),
    rows,
    select,
    target,
  )

/** Rows that agree in all lists are a group: writes each row's group into `target`, gives one row of each. */
export const groupBy = (lists: readonly Int32Array[], rows: number, select: Int32Array | undefined, target: Int32Array): Int32Array => {
  const values = lists.filter((list) => isMixed(list, rows, select))
  let size = 16
  while (size < rows * 2) size *= 2
  const table = new Int32Array(size).fill(-1)
  const first = new Int32Array(rows)
  let groups = 0
  for (let index = 0; index < rows; index++) {
    const row = select === undefined ? index : (select[index] as number)
    let hash = 0x9e3779b9
    for (const dim of values) hash = Math.imul(hash ^ (dim[row] as number), 0x85ebca6b) ^ (hash >>> 15)
    let at = (hash ^ (hash >>> 13)) & (size - 1)
    for (;;) {
      const group = table[at] as number
      if (group === -1) {
        table[at] = groups
        first[groups] = row
        target[index] = groups
        groups += 1
        break
      }
      if (isSameRow(values, first[group] as number, row)) {
        target[index] = group
        break
      }
      at = (at + 1) & (size - 1)
    }
  }
  return first.subarray(0, groups)
}

/** Half of the dimensions have one value in all rows of a quarter: those need not be compared row by row. */
const isMixed = (dim: Int32Array, rows: number, select: Int32Array | undefined): boolean => {
  const first = dim[select?.[0] ?? 0]
  if (select === undefined) {
    for (let row = 1; row < rows; row++) if (dim[row] !== first) return true
  } else for (let index = 1; index < rows; index++) if (dim[select[index] as number] !== first) return true
  return false
}

const isSameRow = (values: readonly Int32Array[], left: number, right: number): boolean => {
  for (const dim of values) if (dim[left] !== dim[right]) return false
  return true
}

/** Brings every low half back below 2³². */
const carry = (block: Block): void => {
  for (const low of lowColumns) {
    const lows = block.columns[low]
    if (lows === undefined) continue
    let highs = block.columns[low + 1]
    for (let row = 0; row < block.rows; row++) {
      const value = lows[row] as number
      if (value >= 0 && value < two32) continue
      const over = Math.floor(value / two32)
      lows[row] = value - over * two32
      if (highs === undefined) block.columns[low + 1] = highs = new Float64Array(block.rows)
      highs[row] = (highs[row] as number) + over
    }
  }
}

const dropZeros = (block: Block): Block => {
  const calls = block.columns[column.calls]
  // A row without calls is left over where an entry was taken out of the totals; nothing else makes one.
  if (calls === undefined || calls.every((count) => count !== 0)) return block
  const isKept = new Uint8Array(block.rows)
  for (const values of block.columns)
    for (let row = 0; values !== undefined && row < block.rows; row++) if (values[row] !== 0) isKept[row] = 1
  for (let index = 0; index < (block.times?.length ?? 0); index++) isKept[block.times?.rows[index] as number] = 1
  if (!isKept.includes(0)) return block
  return rowsOf(block, isKept)
}

const rowsOf = (block: Block, isKept: Uint8Array): Block => {
  const target = new Int32Array(block.rows).fill(-1)
  let rows = 0
  for (let row = 0; row < block.rows; row++) if (isKept[row] === 1) target[row] = rows++
  const dense = createBlock()
  dense.rows = rows
  const kept = Array.from({ length: rows }, () => 0)
  target.forEach((to, row) => {
    if (to !== -1) kept[to] = row
  })
  for (const [dim, values] of block.dims.entries())
    if (values !== undefined) dense.dims[dim] = Int32Array.from(kept, (row) => values[row] as number)
  for (const [index, values] of block.columns.entries())
    if (values !== undefined) dense.columns[index] = Float64Array.from(kept, (row) => values[row] as number)
  dense.times = block.times === undefined ? undefined : combineTimes(block.times, target)
  return dense
}

/** One block after the other, as one. */
export const concatenate = (blocks: readonly Block[]): Block => {
  const whole = createBlock()
  for (const block of blocks) whole.rows += block.rows
  let start = 0
  for (const block of blocks) {
    for (const [dim, values] of block.dims.entries()) {
      if (values === undefined) continue
      const into = (whole.dims[dim] ??= new Int32Array(whole.rows))
      into.set(values.subarray(0, block.rows), start)
    }
    for (const [index, values] of block.columns.entries()) {
      if (values === undefined) continue
      const into = (whole.columns[index] ??= new Float64Array(whole.rows))
      into.set(values.subarray(0, block.rows), start)
    }
    start += block.rows
  }
  whole.times = timesTogether(blocks)
  return whole
}

const timesTogether = (blocks: readonly Block[]): Times | undefined => {
  const parts: Times[] = []
  let start = 0
  for (const { times, rows } of blocks) {
    if (times !== undefined) parts.push({ ...times, rows: times.rows.map((row) => row + start) })
    start += rows
  }
  return parts.length === 0 ? undefined : concatenateTimes(parts)
}
