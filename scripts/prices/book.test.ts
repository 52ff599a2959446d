import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { BookJson } from '../../src/core/book-json.ts'
import { chargeOf } from '../../src/core/charge.ts'
import { formatUsd, parseUsd } from '../../src/core/money.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { checkBook } from '../../src/core/price-history.ts'
import { checksumOf, compileBook, readProviders } from './book.ts'
import { checkProviders } from './checks.ts'
import type { Override } from './overrides.ts'
import { otherNamesOf } from './providers.ts'

const folder = join(import.meta.dirname, '../../prices')
const committed = JSON.parse(readFileSync(join(folder, 'book.json'), 'utf8')) as BookJson
const overrides = JSON.parse(readFileSync(join(folder, 'overrides.json'), 'utf8')) as readonly Override[]
const book = createPriceBook(committed)

test('the committed book is what prices/ compiles to', () => {
  expect(committed).toEqual(compileBook(readProviders(folder)))
})

test('the checksum is that of the providers', () => {
  expect(checksumOf(committed.providers)).toBe(committed.checksum)
})

test('every period says where its rates are from and how sure they are', () => {
  const unsure = Object.entries(committed.providers).flatMap(([provider, { models, anyModel, source }]) =>
    [...Object.entries(models), ...(anyModel ? [['any', anyModel] as const] : [])].flatMap(([name, model]) =>
      model.periods
        .filter((period) => period.confidence === undefined || !(period.source ?? source)?.startsWith('https://'))
        .map(() => `${provider}/${name}`),
    ),
  )
  expect(unsure).toEqual([])
})

test('there are over 1,500 models of over 25 providers', () => {
  const counts = Object.values(committed.providers).map(({ models }) => Object.keys(models).length)
  expect(counts.length).toBeGreaterThan(25)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(1500)
})

test('every other name of a provider is of one provider, and of none that the book has', () => {
  const names = Object.values(committed.providers).flatMap(({ alsoKnownAs = [] }) => alsoKnownAs)
  expect(new Set(names).size).toBe(names.length)
  expect(names.filter((name) => Object.hasOwn(committed.providers, name))).toEqual([])
  for (const [id, { alsoKnownAs = [] }] of Object.entries(committed.providers)) expect(alsoKnownAs).toEqual(otherNamesOf(id))
})

test.each([
  ['x-ai', 'grok-4', 'xai'],
  ['aws', 'amazon.nova-pro-v1:0', 'bedrock'],
  ['aws.bedrock', 'amazon.nova-pro-v1:0', 'bedrock'],
  ['gemini', 'gemini-2.5-flash', 'google'],
  ['together_ai', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', 'together'],
])('%s/%s is found at %s', (provider, model, id) => {
  expect(book.nameOf(provider, model)?.provider).toBe(id)
})

test('nothing is wrong with the book', () => {
  expect(checkBook(committed)).toEqual([])
})

test('no rate is out of range and none has jumped but for what was decided', () => {
  expect(checkProviders(committed.providers, overrides).faults).toEqual([])
})

test('every decision names its page, its day and its reason', () => {
  const vague = overrides.filter(
    ({ source, date, why }) => !source.startsWith('https://') || !/^20\d\d-\d\d-\d\d$/.test(date) || why.length < 15,
  )
  expect(vague).toEqual([])
})

const tiers = Object.entries(committed.providers).flatMap(([provider, { models }]) =>
  Object.entries(models).flatMap(([name, { periods }]) =>
    periods.flatMap((period) => [
      ...(period.tiers ?? []).map((tier, index, all) => ({
        provider,
        name,
        from: period.from,
        variant: {},
        base: period.rates,
        below: all[index - 1],
        tier,
      })),
      ...(period.variants ?? [])
        .filter(({ multiply, regions }) => multiply === undefined && regions === undefined)
        .flatMap(({ tier: service, speed, region, rates, tiers: own = [] }) => {
          const variant = { ...(service && { tier: service }), ...(speed && { speed }), ...(region && { region }) }
          const base = { ...period.rates, ...rates }
          return own.map((tier, index, all) => ({ provider, name, from: period.from, variant, base, below: all[index - 1], tier }))
        }),
    ]),
  ),
)

test('every tier of the book begins at its threshold, or one token past it', () => {
  expect(tiers.length).toBeGreaterThan(200)
  for (const { provider, name, from, variant, base, below, tier } of tiers)
    for (const past of [-1, 0, 1]) {
      const count = tier.threshold + past
      const isOver = past > 0 || (past === 0 && tier.op === 'gte')
      const rate = { ...base, ...(isOver ? tier.rates : below?.rates) }.input ?? ''
      const charge = chargeOf({ input: count }, { provider, model: name, ...variant }, Date.parse(from ?? '2026-01-01'), book)
      const total = charge.basis === 'unpriced' ? undefined : charge.total
      expect([provider, name, variant, count, total]).toEqual([
        provider,
        name,
        variant,
        count,
        (BigInt(count) * (parseUsd(rate) ?? 0n)) / 1_000_000n,
      ])
    }
})

test.each([
  ['openai', 'gpt-5.5', 272_000, 'gte'],
  ['openai', 'gpt-5.6-sol', 272_000, 'gte'],
  ['openai', 'gpt-6.1-sol', 272_000, 'gt'],
  ['google', 'gemini-2.5-pro', 200_000, 'gt'],
  ['google', 'gemini-3.1-pro-preview', 200_000, 'gt'],
  ['xai', 'grok-4.3', 200_000, 'gte'],
  ['xai', 'grok-4.6', 200_000, 'gte'],
  ['anthropic', 'claude-sonnet-4-5', 200_000, 'gt'],
  ['anthropic', 'claude-haiku-5-5', 100_000, 'gt'],
])('%s/%s has a tier at %i tokens', (provider, model, threshold, op) => {
  const [tier, ...others] = committed.providers[provider]?.models[model]?.periods.at(-1)?.tiers ?? []
  expect([tier?.threshold, tier?.op, others.length]).toEqual([threshold, op, 0])
})

test.each([
  'claude-opus-4-6',
  'claude-opus-4-7',
  'claude-opus-4-8',
  'claude-opus-5',
  'claude-opus-5-5',
  'claude-sonnet-4-6',
  'claude-sonnet-5',
  'claude-fable-5',
])('%s has one price for every prompt size', (model) => {
  const periods = committed.providers.anthropic?.models[model]?.periods
  expect(periods?.at(-1)?.rates.input).toBeDefined()
  expect(periods?.at(-1)?.tiers).toBeUndefined()
})

const costOf = (provider: string, model: string, day: string, usage: Record<string, number>, variant = {}) => {
  const charge = chargeOf(usage, { provider, model, ...variant }, Date.parse(day), book)
  return charge.basis === 'unpriced' ? charge.reason : formatUsd(charge.total)
}

test.each([
  ['a plain call', 'openai', 'gpt-4.1', '2026-11-22', { input: 1_000_000, output: 1_000_000 }, {}, '10.000000000000'],
  ['a dated snapshot', 'openai', 'gpt-4.1-2025-04-14', '2026-11-22', { input: 1_000_000 }, {}, '2.000000000000'],
  ['before a price cut', 'openai', 'o3', '2025-06-09T23:59:59.999Z', { input: 1_000_000 }, {}, '10.000000000000'],
  ['after a price cut', 'openai', 'o3', '2025-06-10', { input: 1_000_000 }, {}, '2.000000000000'],
  [
    'the priority list',
    'openai',
    'gpt-5.5',
    '2026-08-01',
    { input: 1_000_000, output: 1_000_000 },
    { tier: 'priority' },
    '87.500000000000',
  ],
  ['a one-hour cache write', 'anthropic', 'claude-sonnet-4-5', '2026-01-01', { cache_write_1h: 1_000_000 }, {}, '12.000000000000'],
  [
    'batch and US inference',
    'anthropic',
    'claude-opus-4-8',
    '2026-08-01',
    { input: 1_000_000, web_search: 1 },
    { tier: 'batch', region: 'us' },
    '2.760000000000',
  ],
  ['a peak hour', 'deepseek', 'deepseek-v4-pro', '2026-11-23T01:00:00Z', { output: 1_000_000 }, {}, '3.960000000000'],
  ['the same hour of a Sunday', 'deepseek', 'deepseek-v4-pro', '2026-11-22T01:00:00Z', { output: 1_000_000 }, {}, '1.980000000000'],
  ['past the peak hours', 'deepseek', 'deepseek-v4-pro', '2026-11-23T04:00:00Z', { output: 1_000_000 }, {}, '1.980000000000'],
  ['a peak hour before there were any', 'deepseek', 'deepseek-v4-pro', '2026-08-16T01:00:00Z', { output: 1_000_000 }, {}, '0.870000000000'],
  ['a picture by its size and quality', 'azure', 'hd/1024x1792/dall-e-3', '2026-01-01', { image: 2 }, {}, '0.240000000000'],
  ['the same, as LiteLLM spells it', 'openai', 'hd/1024-x-1792/dall-e-3', '2026-01-01', { image: 2 }, {}, '0.240000000000'],
  ['speech, which is sound', 'google', 'gemini-2.5-flash-preview-tts', '2026-01-01', { input: 8, output_audio: 50 }, {}, '0.000504000000'],
  [
    'a long prompt in a batch in a region',
    'vertex',
    'claude-sonnet-4-5',
    '2026-01-01',
    { input: 200_000, cache_write_1h: 100_000 },
    { tier: 'batch', region: 'us-east5' },
    '1.320000000000',
  ],
  [
    'priority in a data zone',
    'azure',
    'gpt-5.5',
    '2026-09-01',
    { input: 1_000, output: 1_000 },
    { tier: 'priority', region: 'eu' },
    '0.096250000000',
  ],
  ['a local model', 'ollama', 'qwen3:8b', '2026-11-22', { input: 5000, output: 100 }, {}, '0.000000000000'],
  ['a model nobody knows', 'openai', 'gpt-of-tomorrow', '2026-11-22', { input: 1 }, {}, 'unknown-model'],
])('%s costs what the provider says', (_name, provider, model, day, usage, variant, cost) => {
  expect(costOf(provider, model, day, usage, variant)).toBe(cost)
})
