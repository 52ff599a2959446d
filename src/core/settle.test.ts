import { describe, expect, test } from 'vitest'
import { formatUsd, picoUsd } from './money.ts'
import { createPriceBook } from './price-book.ts'
import { type CallToCharge, settleCharge, toolCharge } from './settle.ts'
import { parseToolPrices } from './tool-prices.ts'

const book = createPriceBook({
  version: 'test',
  providers: {
    cloud: { name: 'Cloud', models: { m: { periods: [{ rates: { input: '2', output: '8' } }] } } },
    local: { name: 'Local', models: { box: { periods: [{ rates: { input: '0', output: '0', machine_ms: '3.60' } }] } } },
  },
})
const call = (rest: Partial<CallToCharge>): CallToCharge => ({
  provider: 'cloud',
  model: 'm',
  at: 0,
  usage: { input: 1_000_000, output: 500_000 },
  quality: 'complete',
  status: 'ok',
  ...rest,
})
const settled = (rest: Partial<CallToCharge>) => settleCharge(call(rest), book)

describe('a model call', () => {
  test('is charged what the book computes', () => {
    expect(settled({})).toMatchObject({ basis: 'computed', total: 6_000_000_000_000n, book: 'test' })
  })

  test('is charged what the provider reports, with the computed cost beside it', () => {
    expect(settled({ reportedCost: picoUsd(5n) })).toMatchObject({
      basis: 'reported',
      total: 5n,
      computed: 6_000_000_000_000n,
      lines: [{ unit: 'input' }, { unit: 'output' }],
    })
  })

  test('of an unknown model has the reported cost and no lines', () => {
    expect(settled({ model: 'x', reportedCost: picoUsd(5n) })).toEqual({ basis: 'reported', total: 5n, lines: [] })
    expect(settled({ model: 'x' })).toEqual({ basis: 'unpriced', reason: 'unknown-model' })
  })

  test('is never surer than its usage', () => {
    expect(settled({ quality: 'partial' }).basis).toBe('partial')
    expect(settled({ quality: 'estimated' }).basis).toBe('estimated')
    expect(settled({ quality: 'estimated', usage: { input: 1, image: 1 } })).toMatchObject({ basis: 'estimated', unpricedUnits: ['image'] })
    expect(settled({ quality: 'partial', tier: 'scale' }).basis).toBe('estimated')
  })

  test.each(['missing', 'partial', 'estimated'] as const)('with %s usage and nothing counted is unpriced, not free', (quality) => {
    for (const status of ['ok', 'aborted'] as const)
      expect(settled({ quality, status, usage: {} })).toEqual({ basis: 'unpriced', reason: 'missing-usage' })
    expect(settled({ quality, usage: {}, model: 'x' })).toEqual({ basis: 'unpriced', reason: 'missing-usage' })
  })

  test('that failed without usage costs exactly nothing, whatever the model', () => {
    for (const model of ['m', 'x'])
      expect(settled({ model, status: 'error', quality: 'complete', usage: {} })).toEqual({
        basis: 'computed',
        total: 0n,
        lines: [],
        book: 'test',
      })
  })

  test('whose answer broke off before its usage was told is unpriced, not free', () => {
    expect(settled({ status: 'error', quality: 'missing', usage: {} })).toEqual({ basis: 'unpriced', reason: 'missing-usage' })
  })

  test('that failed after some of its answer is charged for that', () => {
    expect(settled({ status: 'error', quality: 'partial', usage: { input: 1_000_000 } })).toMatchObject({
      basis: 'partial',
      total: 2_000_000_000_000n,
    })
  })

  test('takes machine time only for a model that is priced by it', () => {
    const local = { provider: 'local', model: 'box', durationMs: 1500.4 }
    expect(settled(local)).toMatchObject({ basis: 'computed', total: 1_500_000_000n })
    expect(settled({ ...local, usage: {}, quality: 'missing' })).toMatchObject({ basis: 'partial', total: 1_500_000_000n })
    expect(settled({ durationMs: 1500 })).toEqual(settled({}))
  })
})

describe('a tool call', () => {
  const prices = parseToolPrices({ search: '0.005', crawl: { perCall: 0.01, perUnit: '0.001' }, gpu: { perHour: '1.20' } })
  const cost = (...given: Parameters<typeof toolCharge>) => {
    const charge = toolCharge(...given)
    return charge.basis === 'unpriced' ? charge.reason : formatUsd(charge.total)
  }

  test('costs what its caller says, else its configured price, else it is unpriced', () => {
    expect(cost({ tool: 'search', cost: picoUsd(7n) }, prices)).toBe('0.000000000007')
    expect(cost({ tool: 'search' }, prices)).toBe('0.005000000000')
    expect(cost({ tool: 'crawl', units: 20 }, prices)).toBe('0.030000000000')
    expect(cost({ tool: 'gpu', durationMs: 1000 }, prices)).toBe('0.000333333333')
    expect(cost({ tool: 'other' }, prices)).toBe('unpriced-tool')
    expect(cost({ tool: 'search' })).toBe('unpriced-tool')
  })

  test('that does not say its units or duration is unpriced where the price needs them', () => {
    expect(cost({ tool: 'crawl' }, prices)).toBe('unpriced-tool')
    expect(cost({ tool: 'gpu' }, prices)).toBe('unpriced-tool')
  })

  test('is one line that sums to its total', () => {
    const charge = toolCharge({ tool: 'crawl', units: 3 }, prices)
    expect(charge).toMatchObject({
      basis: 'computed',
      total: 13_000_000_000n,
      lines: [{ unit: 'request', count: 1, per: 1, total: 13_000_000_000n }],
    })
  })
})

test.each([
  [{ search: true }, 'tools.search should be a price such as "0.005", got true'],
  [{ search: 1e-9 }, 'tools.search should be dollars as a decimal string such as "0.005", got 1e-9'],
  [{ search: '-1' }, 'tools.search should be dollars as a decimal string such as "0.005", got "-1"'],
  [{ search: {} }, 'tools.search should be one of perCall, perUnit, perHour, got {}'],
  [{ search: { perToken: '1' } }, 'tools.search.perToken should be one of perCall, perUnit, perHour, got "perToken"'],
  [{ search: { perHour: '1e3' } }, 'tools.search.perHour should be dollars as a decimal string such as "0.005", got "1e3"'],
  [[], 'tools should be prices by tool, got []'],
])('tool prices that are wrong are refused with the key: %j', (json, complaint) => {
  expect(() => parseToolPrices(json)).toThrow(complaint)
})
