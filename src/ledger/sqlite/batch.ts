import { latencyBin } from '../latency.ts'
import { type Block, column, createBlock, dimOf, noUnit, two32 } from './block.ts'
import { bucketMs } from './cubes.ts'
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
  let capacity = 1024
  let buckets = new Int32Array(capacity)
  const block = createBlock()
  for (const dim of block.dims.keys()) block.dims[dim] = new Int32Array(capacity)
  const used = new Set<number>()

  const grow = (): void => {
    capacity *= 2
    const wider = new Int32Array(capacity)
    wider.set(buckets)
    buckets = wider
    for (const [dim, values] of block.dims.entries()) {
      const larger = new Int32Array(capacity)
      if (values !== undefined) larger.set(values)
      block.dims[dim] = larger
    }
    for (const [index, values] of block.columns.entries()) {
      if (values === undefined) continue
      const larger = new Float64Array(capacity)
      larger.set(values)
      block.columns[index] = larger
    }
  }

  const addTo = (index: number, row: number, value: number): void => {
    if (value === 0) return
    const values = (block.columns[index] ??= new Float64Array(capacity))
    values[row] = value
    used.add(index)
  }

  const setDim = (dim: number, row: number, value: number): void => {
    const values = block.dims[dim]
    if (values !== undefined) values[row] = value
  }

  const addMoney = (index: number, row: number, sign: number, low: number, high: number): void => {
    addTo(index, row, sign * low)
    addTo(index + 1, row, sign * high)
  }

  const addUnits = (row: number, sign: number, numbers: Float64Array, base: number): void => {
    const isSplit = numbers[base + slot.isSplit] === 1
    const units = numbers[base + slot.units] as number
    for (let unit = 0; unit < units; unit++) {
      const at = base + slotCount + unit * unitSlots
      const index = numbers[at] as number
      const count = numbers[at + 1] as number
      const high = count < two32 ? 0 : Math.floor(count / two32)
      addMoney(column.tokens(index), row, sign, count - high * two32, high)
      addTo(column.sliceCalls(index), row, sign)
      if (isSplit) addMoney(column.sliceCost(index), row, sign, numbers[at + 2] as number, numbers[at + 3] as number)
    }
    if (isSplit) return
    addTo(column.sliceCalls(noUnit), row, sign)
    addMoney(column.sliceCost(noUnit), row, sign, numbers[base + slot.costLow] as number, numbers[base + slot.costHigh] as number)
  }

  return {
    block,
    get buckets() {
      return buckets
    },
    add(sign, numbers, base, names) {
      if (block.rows === capacity) grow()
      const row = block.rows++
      buckets[row] = Math.floor((numbers[base + slot.at] as number) / bucketMs[0])
      setDim(dimOf.kind, row, numbers[base + slot.kind] as number)
      setDim(dimOf.status, row, numbers[base + slot.status] as number)
      setDim(dimOf.basis, row, numbers[base + slot.basis] as number)
      setDim(dimOf.source, row, numbers[base + slot.source] as number)
      for (let dim: number = dimOf.provider; dim <= dimOf.key; dim++) setDim(dim, row, names[dim - dimOf.provider] as number)
      const duration = numbers[base + slot.duration] as number
      setDim(dimOf.latency, row, Number.isNaN(duration) ? -1 : latencyBin(duration))
      setDim(dimOf.retry, row, (numbers[base + slot.attempt] as number) > 0 ? 1 : 0)
      addTo(column.calls, row, sign)
      addMoney(column.cost, row, sign, numbers[base + slot.costLow] as number, numbers[base + slot.costHigh] as number)
      addUnits(row, sign, numbers, base)
    },
    clear() {
      for (const index of used) block.columns[index]?.fill(0, 0, block.rows)
      for (const index of used) if (index > column.cost + 1) block.columns[index] = undefined
      used.clear()
      block.rows = 0
    },
  }
}
