import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Block, column, combine, concatenate, createBlock, dimOf, two32 } from './block.ts'
import { blockOf, formatChunk, parseChunk } from './chunk.ts'
import { quarters } from './cubes.ts'
import { combineTimes, formatTimes, parseTimes, type Times, timesOf } from './times.ts'

interface Given {
  readonly model: number
  readonly run: number
  readonly calls: number
  readonly cost: number
  readonly tokens: number
  readonly rate: number
  readonly bins: readonly number[]
}

const rows = fc.array(
  fc.record({
    model: fc.constantFrom(0, 1, 2, 70_000),
    run: fc.nat(400),
    calls: fc.constantFrom(1, 1, 2, 300, 70_000, -1),
    cost: fc.oneof(fc.constantFrom(0, 1, 5_000_000_000, Number.MAX_SAFE_INTEGER), fc.nat(two32)),
    tokens: fc.constantFrom(0, 1, 999, 5_000_000_000),
    rate: fc.constantFrom(0, 1, 2_500_000, 0.5),
    bins: fc.array(fc.constantFrom(0, 3, 900, 6_142), { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 600 },
)

const blockFrom = (given: readonly Given[]): Block => {
  const block = createBlock()
  block.rows = given.length
  block.dims[dimOf.model] = Int32Array.from(given, ({ model }) => model)
  block.dims[dimOf.run] = Int32Array.from(given, ({ run }) => run)
  block.dims[dimOf.kind] = new Int32Array(given.length)
  block.columns[column.calls] = Float64Array.from(given, ({ calls }) => calls)
  block.columns[column.cost] = Float64Array.from(given, ({ cost }) => cost - Math.floor(cost / two32) * two32)
  block.columns[column.cost + 1] = Float64Array.from(given, ({ cost }) => Math.floor(cost / two32))
  // Half of a rate makes amounts that are no whole rate's, which are then kept as they are.
  const product = given.map(({ tokens, rate }) => Math.floor(tokens * rate))
  block.columns[column.tokens(1)] = Float64Array.from(given, ({ tokens }) => tokens % two32)
  block.columns[column.tokens(1) + 1] = Float64Array.from(given, ({ tokens }) => Math.floor(tokens / two32))
  block.columns[column.sliceCost(1)] = Float64Array.from(product, (amount) => amount % two32)
  block.columns[column.sliceCost(1) + 1] = Float64Array.from(product, (amount) => Math.floor(amount / two32))
  block.columns[column.sliceCalls(0)] = Float64Array.from(given, ({ calls }) => calls)
  block.columns[column.sliceCost(0)] = Float64Array.from(given, ({ cost }) => cost % 1_000)
  block.times = timesFrom(given)
  return block
}

const timesFrom = (given: readonly Given[]): Times => {
  const list = given.flatMap(({ bins }, row) => bins.map((bin) => [row, bin] as const))
  return {
    length: list.length,
    rows: Int32Array.from(list, ([row]) => row),
    bins: Int32Array.from(list, ([, bin]) => bin),
    counts: new Float64Array(list.length).fill(1),
  }
}

const roundTrip = (block: Block): Block => {
  const times = block.times === undefined ? null : formatTimes(block.times, block.rows)
  return blockOf(parseChunk(formatChunk(block, 'sums'), formatChunk(block, 'slices'), times), quarters)
}

/** What a block says, as plain sums by model and run. */
const sumsOf = (block: Block): Map<string, readonly bigint[]> => {
  const sums = new Map<string, bigint[]>()
  const at = (index: number, row: number): bigint => BigInt(block.columns[index]?.[row] ?? 0)
  for (let row = 0; row < block.rows; row++) {
    const key = `${block.dims[dimOf.model]?.[row]}/${block.dims[dimOf.run]?.[row]}`
    const sum = sums.get(key) ?? [0n, 0n, 0n, 0n, 0n]
    const added = [
      at(column.calls, row),
      at(column.cost, row) + at(column.cost + 1, row) * BigInt(two32),
      at(column.sliceCalls(0), row),
      at(column.sliceCost(0), row),
      at(column.sliceCost(1), row) + at(column.sliceCost(1) + 1, row) * BigInt(two32),
    ]
    sums.set(
      key,
      sum.map((value, index) => value + (added[index] ?? 0n)),
    )
  }
  for (const [key, sum] of sums) if (sum.every((value) => value === 0n)) sums.delete(key)
  return sums
}

const timesOfModels = (block: Block): Map<string, number> => {
  const counts = new Map<string, number>()
  const { times } = block
  for (let index = 0; times !== undefined && index < times.length; index++) {
    const row = times.rows[index] as number
    const key = `${block.dims[dimOf.model]?.[row]}/${block.dims[dimOf.run]?.[row]} ${times.bins[index]}`
    counts.set(key, (counts.get(key) ?? 0) + (times.counts[index] as number))
  }
  return counts
}

describe('a chunk', () => {
  test('gives back what was put in', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const block = blockFrom(given)
        const back = roundTrip(block)
        expect(back.rows).toBe(block.rows)
        for (const dim of [dimOf.model, dimOf.run, dimOf.kind]) expect(back.dims[dim]).toEqual(block.dims[dim])
        expect(sumsOf(back)).toEqual(sumsOf(block))
        expect(timesOfModels(back)).toEqual(timesOfModels(block))
      }),
    )
  })

  test('says the same after it was combined, in whatever pieces', () => {
    fc.assert(
      fc.property(rows, fc.nat(), (given, cut) => {
        const at = cut % given.length
        const whole = blockFrom(given)
        const pieces = [blockFrom(given.slice(0, at)), blockFrom(given.slice(at))].filter((block) => block.rows > 0)
        const combined = combine(concatenate(pieces.map((piece) => roundTrip(combine(piece, quarters)))), quarters)
        expect(sumsOf(combined)).toEqual(sumsOf(whole))
        expect(timesOfModels(combined)).toEqual(timesOfModels(whole))
        const groups = new Set(
          Array.from({ length: combined.rows }, (_, row) => `${combined.dims[dimOf.model]?.[row]}/${combined.dims[dimOf.run]?.[row]}`),
        )
        expect(groups.size).toBe(combined.rows)
      }),
    )
  })

  test('leaves out rows in which everything has come to zero', () => {
    const one = { model: 1, run: 1, calls: 1, cost: 5_000_000_000, tokens: 0, rate: 0, bins: [3] }
    const block = concatenate([blockFrom([one]), blockFrom([{ ...one, calls: -1, cost: -5_000_000_000, bins: [] }])])
    const withTime = combine(block, quarters)
    expect(withTime.rows).toBe(1)
    expect(combine(block, { ...quarters, hasTimes: false }).rows).toBe(0)
  })
})

test('times that are taken out and put in again are gone', () => {
  const times = { length: 3, rows: Int32Array.of(0, 1, 1), bins: Int32Array.of(7, 7, 9), counts: Float64Array.of(1, -1, 2) }
  const together = combineTimes(times, Int32Array.of(0, 0))
  expect([[...together.rows], [...together.bins], [...together.counts]]).toEqual([[0], [9], [2]])
})

test.each([
  ['one call each', [1, 1, 1]],
  ['a few calls', [1, 2, 3]],
  ['many calls', [500, 2, 90_000]],
  ['calls taken out', [-1, 2, 1]],
])('times of %s come back', (_name, counts) => {
  const times = { length: 3, rows: Int32Array.of(0, 0, 2), bins: Int32Array.of(1, 6_142, 5), counts: Float64Array.from(counts) }
  const bytes = formatTimes(times, 3)
  const back = combineTimes(timesOf(parseTimes(bytes ?? new Uint8Array()), 0), Int32Array.of(0, 1, 2))
  expect([[...back.rows], [...back.bins], [...back.counts]]).toEqual([[0, 0, 2], [1, 6_142, 5], counts])
})
