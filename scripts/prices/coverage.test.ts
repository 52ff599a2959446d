import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProvider } from '@pydantic/genai-prices'
import { describe, expect, test } from 'vitest'
import type { BookJson, ProviderJson } from '../../src/core/book-json.ts'
import type { Candidate, Left } from './candidate.ts'
import { coverageOf } from './coverage.ts'
import type { Override } from './overrides.ts'
import { providerSources } from './providers.ts'
import { type GenaiProvider, readGenai } from './read-genai.ts'

const candidate = (model: string, rates: Record<string, string>, provider = 'mistral'): Candidate => ({
  source: 'litellm',
  provider,
  model,
  asOf: '2026-08-01',
  rates: new Map(Object.entries(rates)) as Candidate['rates'],
})

const providerOf = (inherits: readonly string[], ...models: readonly string[]): ProviderJson => ({
  name: 'A provider',
  source: 'https://page',
  checked: '2026-11-22',
  inherits,
  models: Object.fromEntries(models.map((name) => [name, { periods: [{ rates: { input: '1' } }] }])),
})

const coverage = (candidates: readonly Candidate[], left: readonly Left[] = [], overrides: readonly Partial<Override>[] = []) =>
  coverageOf(
    [{ candidates, left }],
    { mistral: providerOf([], 'known-model'), azure: providerOf(['mistral']) },
    overrides.map(
      (override) => ({ provider: 'mistral', source: 'https://page', date: '2026-11-22', why: 'because', ...override }) as Override,
    ),
  )

describe('a model that a source names', () => {
  test('is in the book under its name, in another spelling, or at a provider whose prices are inherited', () => {
    const candidates = [candidate('known-model', {}), candidate('Known-Model-2026-01-01', {}), candidate('known-model', {}, 'azure')]
    expect(coverage(candidates)).toEqual({ named: 3, absent: [], faults: [] })
  })

  test('and has a price of is a fault where the book does not have it', () => {
    expect(coverage([candidate('lost', { '|0|input': '2', '|0|output': '0' })]).faults).toEqual([
      { where: 'mistral/lost', what: 'has a price in a source, and is not in the book' },
    ])
  })

  test('is not excused by another source that has no price of it', () => {
    const told = coverage([candidate('lost', { '|0|input': '2' })], [{ provider: 'mistral', model: 'lost', why: 'no price' }])
    expect([told.faults.length, told.absent]).toEqual([1, []])
  })

  test.each([
    ['free everywhere', [candidate('m', { '|0|input': '0', '|0|output': '0' })], [], [], /zero in every source/],
    ['without a price', [candidate('m', {})], [], [], /no source has a price/],
    ['left by its reader', [], [{ provider: 'mistral', model: 'm', why: 'no model of text' }], [], /^no model of text$/],
    ['decided', [candidate('m', { '|0|input': '2' })], [], [{ models: 'm', drop: 'model' as const }], /^because$/],
  ])('and is %s is absent for that reason', (_case, candidates, left, overrides, why) => {
    const told = coverage(candidates, left, overrides)
    expect(told.faults).toEqual([])
    expect(told.absent).toEqual([{ where: 'mistral/m', what: expect.stringMatching(why) }])
  })
})

const folder = join(import.meta.dirname, '../../prices')
const committed = JSON.parse(readFileSync(join(folder, 'book.json'), 'utf8')) as BookJson
const overrides = JSON.parse(readFileSync(join(folder, 'overrides.json'), 'utf8')) as readonly Override[]

test.each([
  ['openai', 40],
  ['anthropic', 12],
  ['google', 20],
  ['mistral', 20],
  ['cohere', 5],
  ['deepseek', 2],
  ['xai', 10],
  ['moonshotai', 4],
  ['perplexity', 4],
])('every model of %s of which genai-prices has a price is in the book', (provider, least) => {
  const theirs = providerSources[provider]?.genai?.map((providerId) => findProvider({ providerId }) as GenaiProvider | undefined) ?? []
  const { candidates } = readGenai(
    theirs.flatMap((each) => each ?? []),
    '2026-09-23',
  )
  const own = candidates.filter((each) => each.provider === provider)
  const told = coverageOf([{ candidates: own, left: [] }], committed.providers, overrides)
  expect(told.faults).toEqual([])
  expect(told.named - told.absent.length).toBeGreaterThanOrEqual(least)
})
