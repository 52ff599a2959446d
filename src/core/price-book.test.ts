import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BookJson } from './book-json.ts'
import { createPriceBook, normalisedName } from './price-book.ts'

const rates = (input: string) => ({ periods: [{ rates: { input } }] })
const book = createPriceBook({
  version: '1',
  providers: {
    maker: {
      name: 'Maker',
      models: {
        'gpt-4.1': { ...rates('1'), aliases: ['gpt-four', 'gpt-4.1-special'], outputMax: 100 },
        'gpt-4.1-2024-05-13': rates('2'),
        'gpt-4.1-mini': rates('3'),
        'claude-opus-4-5': rates('4'),
        dated: { periods: [{ from: '2026-01-01', rates: { input: '5' } }] },
      },
      patterns: [['^ft:gpt-4\\.1', 'gpt-4.1']],
    },
    seller: { name: 'Seller', inherits: ['maker'], models: { 'gpt-4.1': rates('10') } },
    cloud: {
      name: 'Cloud',
      models: {
        'us.anthropic.claude-x-v1:0': rates('22'),
        'anthropic.claude-x-v1:0': rates('20'),
        'anthropic.claude-x-lite-v1:0': rates('2'),
      },
    },
    other: { name: 'Other', alsoKnownAs: ['mk', 'seller'], discounts: [{ multiply: '0.5' }], models: { m: rates('7') } },
    local: { name: 'Local', anyModel: rates('0'), models: { known: rates('1') } },
    circle: { name: 'Circle', inherits: ['circle'], models: {} },
  },
})
const rateOf = (provider: string, model: string, at = Date.parse('2026-11-22')) => {
  const card = book.find(provider, model, at, {})
  return typeof card === 'string' ? card : Number(card.rates.input?.amount) / 1e12
}

test('a provider is known by its other names, but for those that are the name of one', () => {
  expect([rateOf('mk', 'm'), rateOf('seller', 'gpt-4.1'), rateOf('nobody', 'm')]).toEqual([7, 10, 'unknown-model'])
  const card = book.find('mk', 'm', Date.parse('2026-11-22'), {})
  expect(typeof card !== 'string' && card.prices[0]?.multiplier).toEqual({ numerator: 5n, denominator: 10n })
})

describe('a model is found by', () => {
  test.each([
    ['its name', 'maker', 'gpt-4.1', 1],
    ['an alias', 'maker', 'gpt-four', 1],
    ['its name before a spelling that another also has', 'maker', 'gpt-4.1-2024-05-13', 2],
    ['a snapshot date', 'maker', 'gpt-4.1-2025-04-14', 1],
    ['a compact snapshot date', 'maker', 'claude-opus-4-5-20251101', 4],
    ['a date after an at sign', 'maker', 'claude-opus-4-5@20251101', 4],
    ['-latest', 'maker', 'gpt-4.1-mini-latest', 3],
    ['a dot for a dash', 'maker', 'claude-opus-4.5', 4],
    ['a dash for a dot', 'maker', 'gpt-4-1', 1],
    ['capitals', 'maker', 'GPT-4.1', 1],
    ['a resource path', 'maker', 'models/gpt-4.1', 1],
    ['a publisher path', 'maker', 'publishers/anthropic/models/claude-opus-4-5@default', 4],
    ['a vendor before the name', 'maker', 'maker/gpt-4.1-mini', 3],
    ['a router preference', 'maker', 'gpt-4.1:nitro', 1],
    ['a declared pattern', 'maker', 'ft:gpt-4.1:acme::id', 1],
    ['the seller before the maker', 'seller', 'gpt-4.1', 10],
    ['the maker where the seller has none', 'seller', 'gpt-4.1-mini', 3],
    ['a region that is listed', 'cloud', 'us.anthropic.claude-x-v1:0', 22],
    ['a region that is not', 'cloud', 'eu.anthropic.claude-x-v1:0', 20],
    ['a profile of a resource', 'cloud', 'arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-x-v1:0', 22],
    ['any name where all are the same', 'local', 'whatever:8b', 0],
    ['its own entry before any', 'local', 'known', 1],
  ])('%s', (_how, provider, model, rate) => {
    expect(rateOf(provider, model)).toBe(rate)
  })
})

test.each([
  ['maker', 'gpt-5', 'unknown-model'],
  ['maker', 'gpt-4.1-turbo', 'unknown-model'],
  ['maker', 'gpt-4.1:free', 'unknown-model'],
  ['nobody', 'gpt-4.1', 'unknown-model'],
  ['circle', 'gpt-4.1', 'unknown-model'],
  ['__proto__', 'constructor', 'unknown-model'],
  ['maker', '__proto__', 'unknown-model'],
  ['maker', '', 'unknown-model'],
])('%s/%s has no price, which is not a price of zero', (provider, model, reason) => {
  expect(rateOf(provider, model)).toBe(reason)
})

test('a model has no price before its first day', () => {
  expect(rateOf('maker', 'dated', Date.parse('2025-12-31T23:59:59.999Z'))).toBe('not-yet-priced')
  expect(rateOf('maker', 'dated', Date.parse('2026-01-01'))).toBe(5)
})

test('the book knows the name and the longest answer of a model in every spelling', () => {
  expect(book.nameOf('seller', 'gpt-4.1-mini-latest')).toEqual({ provider: 'maker', model: 'gpt-4.1-mini' })
  expect(book.nameOf('maker', 'nothing')).toBeUndefined()
  expect(book.outputMaxOf('maker', 'gpt-four')).toBe(100)
})

test('names that callers mint do not push out what is known', () => {
  for (let index = 0; index < 25_000; index++) rateOf('maker', `minted-${index}`)
  expect(rateOf('maker', 'gpt-4.1')).toBe(1)
})

test('a spelling of a spelling is the same', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9.:@/-]{0,40}$/), (name) => {
      expect(() => normalisedName(name)).not.toThrow()
      expect(normalisedName(name.toUpperCase())).toBe(normalisedName(name))
    }),
  )
})

test.each([
  ['a rate that is no decimal', { rates: { input: '1e-6' } }, 'the rate of "input" should be dollars as a decimal string'],
  ['a negative rate', { rates: { input: '-1' } }, 'the rate of "input"'],
  ['an unknown unit', { rates: { tokens: '1' } }, '"tokens" is not a unit'],
  ['a day that is none', { from: '22.11.2026', rates: { input: '1' } }, '"from" should be a day'],
  [
    'an hour that is none',
    { rates: { input: '1' }, hours: [{ from: '24:00', to: '01:00', rates: {} }] },
    'an hour should be UTC such as "06:30"',
  ],
  ['a multiple that is none', { rates: { input: '1' }, variants: [{ tier: 't', multiply: '50%' }] }, '"multiply" should be a decimal'],
])('%s is refused with the model that has it', (_name, period, complaint) => {
  const json = { version: '1', providers: { p: { name: 'P', models: { m: { periods: [period] } } } } } as unknown as BookJson
  expect(() => createPriceBook(json).readAll()).toThrow('BAD_PRICE: Price of p/m: ')
  expect(() => createPriceBook(json).readAll()).toThrow(complaint)
})
