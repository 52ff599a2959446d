import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chargeOf } from '../../src/core/charge.ts'
import { formatUsd } from '../../src/core/money.ts'
import { type BookJson, createPriceBook } from '../../src/core/price-book.ts'
import { checksumOf, compileBook, readProviders } from './book.ts'

const folder = join(import.meta.dirname, '../../prices')
const committed = JSON.parse(readFileSync(join(folder, 'book.json'), 'utf8')) as BookJson

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

const book = createPriceBook(committed)
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
  ['a local model', 'ollama', 'qwen3:8b', '2026-11-22', { input: 5000, output: 100 }, {}, '0.000000000000'],
  ['a model nobody knows', 'openai', 'gpt-of-tomorrow', '2026-11-22', { input: 1 }, {}, 'unknown-model'],
])('%s costs what the provider says', (_name, provider, model, day, usage, variant, cost) => {
  expect(costOf(provider, model, day, usage, variant)).toBe(cost)
})
