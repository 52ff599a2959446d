import { unitNames } from '../../core/units.ts'

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
  'latency',
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

/** Rows of sums, column by column. A column that is absent is all zeros. */
export interface Block {
  rows: number
  readonly dims: (Int32Array | undefined)[]
  readonly columns: (Float64Array | undefined)[]
}

export const createBlock = (): Block => ({
  rows: 0,
  dims: new Array(dimNames.length).fill(undefined),
  columns: new Array(columnCount).fill(undefined),
})

/**
 * Rows that agree in `dims` become one; other dimensions, and the columns from `columnEnd` on, are dropped. `select` names the
 * rows to take, all of them otherwise. Rows in which everything has come to zero are left out.
 */
export const combine = (from: Block, dims: readonly number[], columnEnd: number, select?: Int32Array): Block => {
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
  return dropZeros(block)
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
const groupRows = (from: Block, dims: readonly number[], rows: number, select: Int32Array | undefined, target: Int32Array): Int32Array => {
  const values = dims.map((dim) => from.dims[dim]).filter((dim) => dim !== undefined && isMixed(dim, rows, select)) as readonly Int32Array[]
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
  const columns = block.columns.filter((values) => values !== undefined)
  const kept: number[] = []
  for (let row = 0; row < block.rows; row++) if (columns.some((values) => values[row] !== 0)) kept.push(row)
  if (kept.length === block.rows) return block
  const dense = createBlock()
  dense.rows = kept.length
  for (const [dim, values] of block.dims.entries())
    if (values !== undefined) dense.dims[dim] = Int32Array.from(kept, (row) => values[row] as number)
  for (const [index, values] of block.columns.entries())
    if (values !== undefined) dense.columns[index] = Float64Array.from(kept, (row) => values[row] as number)
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
  return whole
}
