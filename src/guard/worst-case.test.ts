import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { amountOf } from '../core/charge.ts'
import { settleCharge } from '../core/settle.ts'
import { ahead, noon, prices } from './ride.contract.ts'
import { outputTokensAssumed, worstCaseOf } from './worst-case.ts'

const day = 86_400_000
const costOf = (more: Parameters<typeof ahead>[0], at = noon): number | undefined => {
  const { cost } = worstCaseOf(ahead(more), at, prices)
  return cost === undefined ? undefined : Number(cost) / 1e6
}

describe('the worst case of a call, in micro-dollars', () => {
  test.each([
    ['prompt and output limit at their rates', { promptTokens: 100, outputMax: 50 }, 200],
    ["the model's own limit, where the caller names none", { promptTokens: 100, outputMax: undefined }, 2_100],
    ['a cache write, where the model has a price for one', { model: 'cached', promptTokens: 100, outputMax: 0 }, 5_200],
    [
      'no cache write, where the caller knows that there is none',
      { model: 'cached', promptTokens: 100, outputMax: 0, mayUse: ['input', 'output'] },
      5_100,
    ],
    ['the long rate just past its threshold', { model: 'cached', promptTokens: 1_001, outputMax: 100 }, 5_000 + 3_003 + 600],
    ['the short rate at the threshold', { model: 'cached', promptTokens: 1_000, outputMax: 100 }, 5_000 + 2_000 + 400],
    [
      'the usual price, where a cheaper tier is asked for and need not be given',
      { model: 'cached', tier: 'batch', promptTokens: 100, outputMax: 100 },
      5_000 + 200 + 400,
    ],
    [
      'the dearer price of a tier that is asked for, and the fee of the request in full',
      { model: 'cached', tier: 'priority', promptTokens: 100, outputMax: 100 },
      5_000 + 400 + 800,
    ],
    ['no output from a model that has no price for one', { model: 'embedding', promptTokens: 1_000, outputMax: undefined }, 100],
    ['fractions of a token count as whole ones', { promptTokens: 0.1, outputMax: 0.1 }, 3],
    ['negative counts count as none', { promptTokens: -5, outputMax: -5 }, 0],
    ['a model that costs nothing', { provider: 'free', model: 'local' }, 0],
    ['an unknown model', { model: 'brand-new' }, undefined],
  ] as const)('%s', (_name, call, expected) => {
    expect(costOf(call as never)).toBe(expected)
  })

  test('is that of the rates which hold when the call is made', () => {
    const call = { model: 'dearer', promptTokens: 100, outputMax: 100 }
    expect([costOf(call), costOf(call, noon + day)]).toEqual([300, 3_000])
  })

  test('assumes an output where nobody names a limit', () => {
    expect(worstCaseOf(ahead({ model: 'dearer', outputMax: undefined as never }), noon, prices).outputTokens).toBe(outputTokensAssumed)
  })

  test('is never below the charge of a call that keeps to its estimate and its limit', () => {
    const tokens = fc.integer({ min: 0, max: 3_000 })
    const models = fc.constantFrom('plain', 'cached', 'dearer', 'embedding')
    const tiers = fc.constantFrom(undefined, 'batch', 'priority')
    fc.assert(
      fc.property(models, tiers, tokens, tokens, tokens, tokens, tokens, (model, tier, input, read, write, hour, output) => {
        const variant = tier === undefined ? {} : { tier }
        const usage = { input, cache_read: read, cache_write_5m: write, cache_write_1h: hour, output, request: 1 }
        const charge = settleCharge({ provider: 'acme', model, ...variant, usage, quality: 'complete', at: noon }, prices)
        const worst = worstCaseOf(ahead({ model, ...variant, promptTokens: input + read + write + hour, outputMax: output }), noon, prices)
        expect(worst.cost).toBeGreaterThanOrEqual(amountOf(charge))
      }),
    )
  })
})
