import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Unit } from '../core/units.ts'
import { type Cause, costOf, explain, type ModelSpending, type Spending } from './explain.ts'

const model = (calls: number, units: Partial<Record<Unit, readonly [count: bigint, cost: bigint]>>, otherCost = 0n): ModelSpending => ({
  calls,
  otherCost,
  units: new Map(Object.entries(units).map(([unit, [count, cost]]) => [unit as Unit, { count, cost }])),
})
const spending = (runs: number, models: Record<string, ModelSpending>, more: Partial<Spending> = {}): Spending => ({
  runs,
  toolCost: 0n,
  retryCost: 0n,
  models: new Map(Object.entries(models)),
  ...more,
})

const causesOf = (before: Spending, after: Spending): Partial<Record<Cause, bigint>> => {
  const found: Partial<Record<Cause, bigint>> = {}
  for (const part of explain(before, after).parts) found[part.cause] = (found[part.cause] ?? 0n) + part.amount
  return found
}

const calm = spending(100, { m: model(200, { input: [1_000n, 2_000n], output: [500n, 4_000n] }) }, { toolCost: 600n, retryCost: 300n })

describe('explain', () => {
  test('twice the runs at the same cost per run is traffic and nothing else', () => {
    const doubled = spending(
      200,
      { m: model(400, { input: [2_000n, 4_000n], output: [1_000n, 8_000n] }) },
      { toolCost: 1_200n, retryCost: 600n },
    )
    expect(causesOf(calm, doubled)).toEqual({ traffic: costOf(calm) })
  })

  test.each<[string, Spending, Partial<Record<Cause, bigint>>]>([
    [
      'a prompt that grows is prompt',
      spending(100, { m: model(200, { input: [1_500n, 3_000n], output: [500n, 4_000n] }) }, { toolCost: 600n, retryCost: 300n }),
      { prompt: 1_000n },
    ],
    [
      'longer answers are output',
      spending(100, { m: model(200, { input: [1_000n, 2_000n], output: [750n, 6_000n] }) }, { toolCost: 600n, retryCost: 300n }),
      { output: 2_000n },
    ],
    [
      'a dearer token is price',
      spending(100, { m: model(200, { input: [1_000n, 3_000n], output: [500n, 4_000n] }) }, { toolCost: 600n, retryCost: 300n }),
      { price: 1_000n },
    ],
    [
      'more calls per run are calls',
      spending(100, { m: model(300, { input: [1_500n, 3_000n], output: [750n, 6_000n] }) }, { toolCost: 600n, retryCost: 300n }),
      { calls: 3_000n },
    ],
    [
      'retries are retries',
      spending(100, { m: model(200, { input: [1_000n, 2_000n], output: [500n, 4_000n] }) }, { toolCost: 600n, retryCost: 900n }),
      { retries: 600n },
    ],
    [
      'tools are tools',
      spending(100, { m: model(200, { input: [1_000n, 2_000n], output: [500n, 4_000n] }) }, { toolCost: 100n, retryCost: 300n }),
      { tools: -500n },
    ],
    [
      'another model is mix',
      spending(100, { n: model(200, { input: [1_000n, 9_000n] }) }, { toolCost: 600n, retryCost: 300n }),
      { mix: 3_000n },
    ],
  ])('%s', (_, after, expected) => {
    expect(causesOf(calm, after)).toEqual(expected)
  })

  test('the same prompt with less of it cached is cache, not prompt', () => {
    const cached = spending(10, { m: model(10, { input: [200n, 2_000n], cache_read: [800n, 800n] }) })
    const cold = spending(10, { m: model(10, { input: [800n, 8_000n], cache_read: [200n, 200n] }) })
    expect(causesOf(cached, cold)).toEqual({ cache: 5_400n })
  })

  test('without runs on one side everything is traffic', () => {
    expect(causesOf(spending(0, {}), calm)).toEqual({ traffic: costOf(calm) })
    expect(explain(calm, calm)).toMatchObject({ difference: 0n, parts: [] })
  })

  const counted = fc.record({ count: fc.bigInt(0n, 10n ** 12n), cost: fc.bigInt(0n, 10n ** 18n) })
  const anyModel = fc.record({
    calls: fc.integer({ min: 0, max: 10_000 }),
    otherCost: fc.bigInt(-(10n ** 9n), 10n ** 15n),
    units: fc
      .dictionary(fc.constantFrom('input', 'cache_read', 'cache_write_5m', 'output', 'reasoning', 'web_search'), counted)
      .map((found) => new Map(Object.entries(found) as [Unit, { count: bigint; cost: bigint }][])),
  })
  const anySpending = fc.record({
    runs: fc.integer({ min: 0, max: 100_000 }),
    toolCost: fc.bigInt(0n, 10n ** 18n),
    retryCost: fc.bigInt(0n, 10n ** 18n),
    models: fc.dictionary(fc.constantFrom('a', 'b', 'c'), anyModel).map((found) => new Map(Object.entries(found))),
  })

  test('the parts sum to the difference, to the pico-dollar, whatever moved', () => {
    fc.assert(
      fc.property(anySpending, anySpending, (before, after) => {
        const { difference, parts } = explain(before, after)
        expect(difference).toBe(costOf(after) - costOf(before))
        expect(parts.reduce((sum, part) => sum + part.amount, 0n)).toBe(difference)
      }),
    )
  })

  test('growing everything by the same share is traffic alone, but for rounding', () => {
    fc.assert(
      fc.property(anySpending, fc.integer({ min: 2, max: 9 }), (before, factor) => {
        fc.pre(
          before.runs > 0 &&
            [...before.models.values()].every(({ calls, units }) => calls > 0 && [...units.values()].every(({ count }) => count > 0n)),
        )
        const by = BigInt(factor)
        const after: Spending = {
          runs: before.runs * factor,
          toolCost: before.toolCost * by,
          retryCost: before.retryCost * by,
          models: new Map(
            [...before.models].map(([name, { calls, otherCost, units }]) => [
              name,
              {
                calls: calls * factor,
                otherCost: otherCost * by,
                units: new Map([...units].map(([unit, { count, cost }]) => [unit, { count: count * by, cost: cost * by }])),
              },
            ]),
          ),
        }
        expect(explain(before, after).parts.filter(({ cause }) => cause !== 'traffic')).toEqual([])
      }),
    )
  })
})
