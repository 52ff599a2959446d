import { latencyBin } from '../latency.ts'
import { type Block, column, columnCount, dimNames, dimOf, noUnit, two32 } from './block.ts'
import { quarters } from './cubes.ts'
import { slot, slotCount, unitSlots } from './wire.ts'

/**
 * The calls of one transaction that came into the totals or left them (with the sign −1), one row each, on their way into the
 * roll-ups.
 */
export interface Batch {
  readonly block: Block
  readonly buckets: Int32Array
  /** `names` are the numbers of the attributes' names in the ledger, in the order of `dimNames` from `provider` on. */
  add(sign: 1 | -1, numbers: Float64Array, base: number, names: Int32Array): void
  clear(): void
}

export const createBatch = (): Batch => {
  let capacity = 4_096
  let buckets = new Int32Array(capacity)
  let dims = dimNames.map(() => new Int32Array(capacity))
  const columns: Float64Array[] = []
  let times = emptyTimes(capacity)
  const block: Block = { rows: 0, dims, columns: new Array(columnCount).fill(undefined), times }

  const grow = (): void => {
    const used = columns.map((values, index) => (block.columns[index] === undefined ? undefined : values))
    capacity *= 2
    buckets = widened(buckets, capacity)
    dims = dims.map((values) => widened(values, capacity))
    for (const [dim, values] of dims.entries()) block.dims[dim] = values
    const longer = emptyTimes(capacity)
    longer.rows.set(times.rows)
    longer.bins.set(times.bins)
    longer.counts.set(times.counts)
    longer.length = times.length
    block.times = times = longer
    columns.length = 0
    for (const [index, values] of used.entries()) {
      if (values === undefined) continue
      const larger = new Float64Array(capacity)
      larger.set(values)
      columns[index] = block.columns[index] = larger
    }
  }

  const put = (index: number, row: number, value: number): void => {
    if (value === 0) return
    const values = block.columns[index] ?? open(index)
    values[row] = value
  }

  /** A column is part of the block from its first value on; its memory is used again. */
  const open = (index: number): Float64Array => {
    const values = (columns[index] ??= new Float64Array(capacity))
    block.columns[index] = values
    return values
  }

  const putUnits = (row: number, sign: number, numbers: Float64Array, base: number): void => {
    const isSplit = numbers[base + slot.isSplit] === 1
    const end = base + slotCount + (numbers[base + slot.units] as number) * unitSlots
    for (let at = base + slotCount; at < end; at += unitSlots) {
      const unit = numbers[at] as number
      const count = numbers[at + 1] as number
      const high = count < two32 ? 0 : Math.floor(count / two32)
      put(column.tokens(unit), row, sign * (count - high * two32))
      put(column.tokens(unit) + 1, row, sign * high)
      put(column.sliceCalls(unit), row, sign)
      if (!isSplit) continue
      put(column.sliceCost(unit), row, sign * (numbers[at + 2] as number))
      put(column.sliceCost(unit) + 1, row, sign * (numbers[at + 3] as number))
    }
    if (isSplit) return
    put(column.sliceCalls(noUnit), row, sign)
    put(column.sliceCost(noUnit), row, sign * (numbers[base + slot.costLow] as number))
    put(column.sliceCost(noUnit) + 1, row, sign * (numbers[base + slot.costHigh] as number))
  }

  const putTime = (row: number, sign: number, bin: number): void => {
    const at = times.length++
    times.rows[at] = row
    times.bins[at] = bin
    times.counts[at] = sign
  }

  const putDim = (dim: number, row: number, value: number): void => {
    const values = dims[dim] as Int32Array
    values[row] = value
  }

  return {
    block,
    get buckets() {
      return buckets
    },
    add(sign, numbers, base, names) {
      if (block.rows === capacity) grow()
      const row = block.rows++
      buckets[row] = Math.floor((numbers[base + slot.at] as number) / quarters.bucketMs)
      putDim(dimOf.kind, row, numbers[base + slot.kind] as number)
      putDim(dimOf.status, row, numbers[base + slot.status] as number)
      putDim(dimOf.basis, row, numbers[base + slot.basis] as number)
      putDim(dimOf.source, row, numbers[base + slot.source] as number)
      putDim(dimOf.retry, row, (numbers[base + slot.attempt] as number) > 0 ? 1 : 0)
      for (let dim: number = dimOf.provider; dim <= dimOf.key; dim++) putDim(dim, row, names[dim - dimOf.provider] as number)
      const duration = numbers[base + slot.duration] as number
      if (!Number.isNaN(duration)) putTime(row, sign, latencyBin(duration))
      put(column.calls, row, sign)
      put(column.cost, row, sign * (numbers[base + slot.costLow] as number))
      put(column.cost + 1, row, sign * (numbers[base + slot.costHigh] as number))
      putUnits(row, sign, numbers, base)
    },
    clear() {
      for (let index = 0; index < columnCount; index++) {
        block.columns[index]?.fill(0, 0, block.rows)
        block.columns[index] = undefined
      }
      block.rows = 0
      times.length = 0
    },
  }
}

const emptyTimes = (length: number) => ({
  length: 0,
  rows: new Int32Array(length),
  bins: new Int32Array(length),
  counts: new Float64Array(length),
})

const widened = (values: Int32Array, length: number): Int32Array<ArrayBuffer> => {
  const wider = new Int32Array(length)
  wider.set(values)
  return wider
}
