import { describe, expect, test } from 'vitest'
import type { BookJson } from './book-json.ts'
import { chargeOf } from './charge.ts'
import { formatUsd } from './money.ts'
import { withPrices } from './price-additions.ts'
import { createPriceBook } from './price-book.ts'

const book: BookJson = {
  version: '2026-11-22+abc',
  checksum: 'c',
  providers: {
    openai: {
      name: 'OpenAI',
      models: {
        'gpt-4.1': {
          aliases: ['gpt-4.1-alias'],
          outputMax: 32768,
          periods: [
            { rates: { input: '2', output: '8', web_search: '10' }, variants: [{ tier: 'batch', multiply: '0.5' }] },
            { from: '2026-06-01', rates: { input: '1', output: '4' } },
          ],
        },
        'gpt-mini': { periods: [{ rates: { input: '0.4', output: '1.6' } }] },
      },
    },
    azure: { name: 'Azure', inherits: ['openai'], models: {} },
    ollama: { name: 'Ollama', anyModel: { periods: [{ rates: { input: '0', output: '0' } }] }, models: {} },
  },
}
const million = { input: 1_000_000, output: 1_000_000 }
const cost = (
  additions: unknown,
  provider: string,
  model: string,
  day = '2026-11-22',
  usage: Record<string, number> = million,
  variant = {},
) => {
  const charge = chargeOf(usage, { provider, model, ...variant }, Date.parse(day), createPriceBook(withPrices(book, additions)))
  return charge.basis === 'unpriced' ? charge.reason : formatUsd(charge.total)
}

describe('configuration adds', () => {
  test('an own model', () => {
    const additions = { models: { 'acme/house': { rates: { input: '1.5', output: 3 }, outputMax: 1000 } } }
    expect(cost(additions, 'acme', 'house')).toBe('4.500000000000')
    expect(createPriceBook(withPrices(book, additions)).outputMaxOf('acme', 'house')).toBe(1000)
  })

  test('the price of another model, for a deployment', () => {
    const additions = { models: { 'azure/prod-chat': { as: 'openai/gpt-4.1' } } }
    expect(cost(additions, 'azure', 'prod-chat')).toBe('5.000000000000')
    expect(cost(additions, 'azure', 'prod-chat', '2026-05-31')).toBe('10.000000000000')
    expect(cost({}, 'azure', 'prod-chat')).toBe('unknown-model')
  })

  test('other rates for a known model, which stand whole', () => {
    const additions = { models: { 'openai/gpt-4.1-2025-04-14': { rates: { input: '1.8', output: '7.2' } } } }
    expect(cost(additions, 'openai', 'gpt-4.1')).toBe('9.000000000000')
    expect(cost(additions, 'openai', 'gpt-4.1-2025-04-14')).toBe('9.000000000000')
    expect(cost(additions, 'openai', 'gpt-4.1-alias')).toBe('9.000000000000')
    expect(cost(additions, 'openai', 'gpt-4.1', '2026-01-01', { web_search: 1 })).toBe('unpriced-unit')
    expect(createPriceBook(withPrices(book, additions)).outputMaxOf('openai', 'gpt-4.1')).toBe(32768)
  })

  test('other rates from a day on, and until one', () => {
    const additions = { models: { 'openai/gpt-4.1': { rates: { input: '3', output: '3' }, from: '2026-03-01', until: '2026-09-01' } } }
    const costs = ['2026-02-28', '2026-03-01', '2026-06-15', '2026-08-31', '2026-09-01'].map((day) =>
      cost(additions, 'openai', 'gpt-4.1', day),
    )
    expect(costs).toEqual(['10.000000000000', '6.000000000000', '6.000000000000', '6.000000000000', '5.000000000000'])
  })

  test('the hour of a machine, beside which tokens cost nothing', () => {
    const additions = { models: { 'ollama/qwen3:8b': { machineHour: '1.20' } } }
    expect(cost(additions, 'ollama', 'qwen3:8b', '2026-11-22', { ...million, machine_ms: 1_800_000 })).toBe('0.600000000000')
    expect(cost(additions, 'ollama', 'another', '2026-11-22', million)).toBe('0.000000000000')
  })

  test('a contract of a provider, on every line and on what it inherits', () => {
    const additions = { discounts: [{ provider: 'azure', multiply: '0.9' }] }
    expect(cost(additions, 'azure', 'gpt-4.1')).toBe('4.500000000000')
    expect(cost(additions, 'openai', 'gpt-4.1')).toBe('5.000000000000')
    expect(cost(additions, 'azure', 'gpt-4.1', '2026-01-01', { web_search: 1000 })).toBe('9.000000000000')
    expect(cost(additions, 'azure', 'gpt-4.1', '2026-01-01', million, { tier: 'batch' })).toBe('4.500000000000')
  })

  test('dated contracts of one model, which compound', () => {
    const additions = {
      discounts: [
        { provider: 'openai', multiply: 0.5 },
        { provider: 'openai', model: 'gpt-4.1-2025-04-14', multiply: '0.9', from: '2026-07-01', until: '2026-08-01' },
      ],
    }
    expect(cost(additions, 'openai', 'gpt-4.1', '2026-06-30')).toBe('2.500000000000')
    expect(cost(additions, 'openai', 'gpt-4.1', '2026-07-01')).toBe('2.250000000000')
    expect(cost(additions, 'openai', 'gpt-4.1', '2026-08-01')).toBe('2.500000000000')
    expect(cost(additions, 'openai', 'gpt-mini', '2026-07-01')).toBe('1.000000000000')
  })

  test('nothing, and the book is the same', () => {
    expect(withPrices(book, {})).toBe(book)
    expect(withPrices(book, undefined)).toBe(book)
  })
})

test('the version names the additions, whatever the order of their keys, and the checksum no longer holds', () => {
  const one = { discounts: [{ provider: 'openai', multiply: '0.9' }] }
  const same = { discounts: [{ multiply: '0.9', provider: 'openai' }] }
  const other = { discounts: [{ provider: 'openai', multiply: '0.8' }] }
  expect(withPrices(book, one).version).toMatch(/^2026-11-22\+abc\.[0-9a-f]{8}$/)
  expect(withPrices(book, same).version).toBe(withPrices(book, one).version)
  expect(withPrices(book, other).version).not.toBe(withPrices(book, one).version)
  expect(withPrices(book, one)).not.toHaveProperty('checksum')
})

test.each([
  [[], 'prices should be a table, got []'],
  [{ model: {} }, 'prices.model should be one of models, discounts, got "model"'],
  [{ models: { house: { rates: {} } } }, 'prices.models.house should be named "provider/model", got "house"'],
  [{ models: { 'a/b': {} } }, 'prices.models.a/b should be one of rates, as, machineHour, got {}'],
  [{ models: { 'a/b': { rates: { input: '1' }, price: 1 } } }, 'prices.models.a/b.price should be one of rates'],
  [{ models: { 'a/b': { rates: { tokens: '1' } } } }, 'prices.models.a/b: a/b: "tokens" is not a unit'],
  [{ models: { 'a/b': { rates: { input: '-1' } } } }, 'prices.models.a/b: a/b: the rate of "input" should be dollars'],
  [{ models: { 'a/b': { rates: { input: '1' }, from: 'June' } } }, '"from" should be a day'],
  [
    { models: { 'a/b': { rates: { input: '1' }, from: '2026-02-01', until: '2026-01-01' } } },
    'prices.models.a/b.until should be a day after `from`',
  ],
  [{ models: { 'a/b': { as: 'openai/nothing' } } }, 'prices.models.a/b.as should be a model of the price book'],
  [{ models: { 'a/b': { as: 'gpt-4.1' } } }, 'prices.models.a/b.as should be named "provider/model", got "gpt-4.1"'],
  [{ discounts: {} }, 'prices.discounts should be a list, got {}'],
  [
    { discounts: [{ provider: 'nobody', multiply: '1' }] },
    'prices.discounts.0.provider should be a provider of the price book, got "nobody"',
  ],
  [{ discounts: [{ provider: 'openai' }] }, 'prices.discounts.0.multiply should be a decimal such as "0.85", got nothing'],
  [{ discounts: [{ provider: 'openai', multiply: '-15%' }] }, 'prices.discounts.0: openai (discount): "multiply" should be a decimal'],
  [
    { discounts: [{ provider: 'openai', model: 'nothing', multiply: '1' }] },
    'prices.discounts.0.model should be a model of openai, got "nothing"',
  ],
])('%j is refused with the key that is wrong', (additions, complaint) => {
  expect(() => withPrices(book, additions)).toThrow(complaint)
})
