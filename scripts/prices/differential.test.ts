import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { calcPrice, findProvider } from '@pydantic/genai-prices'
import { expect, test } from 'vitest'
import { chargeOf } from '../../src/core/charge.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import type { Unit } from '../../src/core/units.ts'
import type { Usage } from '../../src/core/usage.ts'
import { bookJson } from '../../src/pricing.ts'
import { providerSources } from './providers.ts'

/** Models for which we and genai-prices differ, each with the reason and the provider's page. */
const explained = JSON.parse(readFileSync(join(import.meta.dirname, 'differential.json'), 'utf8')) as readonly {
  readonly provider: string
  readonly why: string
  readonly source: string
  readonly models: readonly string[]
}[]

/** The same usage in our words and in theirs; a probe of a unit is made only where they have a price for it. */
const probes: readonly (readonly [Usage, Record<string, number>, string?])[] = [
  [
    { input: 1000, output: 500 },
    { input_tokens: 1000, output_tokens: 500 },
  ],
  [{ input: 700, cache_read: 300, output: 500 }, { input_tokens: 1000, cache_read_tokens: 300, output_tokens: 500 }, 'cache_read_mtok'],
  [
    { input: 700, cache_write_5m: 300, output: 500 },
    { input_tokens: 1000, cache_write_tokens: 300, output_tokens: 500 },
    'cache_write_mtok',
  ],
  [
    { input: 300_000, output: 500 },
    { input_tokens: 300_000, output_tokens: 500 },
  ],
  [{ input: 700, input_audio: 300, output: 500 }, { input_tokens: 1000, input_audio_tokens: 300, output_tokens: 500 }, 'input_audio_mtok'],
  [
    { input: 1000, output: 200, output_audio: 300 },
    { input_tokens: 1000, output_tokens: 500, output_audio_tokens: 300 },
    'output_audio_mtok',
  ],
  [
    { input: 700, input_audio: 100, cache_read_audio: 200, output: 500 },
    { input_tokens: 1000, input_audio_tokens: 300, cache_read_tokens: 200, cache_audio_read_tokens: 200, output_tokens: 500 },
    'cache_audio_read_mtok',
  ],
  [{ input: 700, input_image: 300, output: 500 }, { input_tokens: 1000, input_image_tokens: 300, output_tokens: 500 }, 'input_image_mtok'],
  [
    { input: 1000, output: 200, output_image: 300 },
    { input_tokens: 1000, output_tokens: 500, output_image_tokens: 300 },
    'output_image_mtok',
  ],
]
const days = ['2026-05-15T12:00Z', '2026-09-21T12:00Z'].map(Date.parse)

const book = createPriceBook(bookJson)
/** Models, and what of them: `provider/model unit`. */
const compared = new Set<string>()
const comparedUnits = new Set<string>()
const different = new Set<string>()

const compare = (provider: string, providerId: string, model: string, at: number): void => {
  for (const [ours, theirs, key] of probes) {
    const price = calcPrice(theirs, model, { providerId, timestamp: new Date(at) })
    const isTheirs = price !== null && findProvider({ providerId })?.models.some(({ id }) => id === price.model.id)
    if (!isTheirs || price.total_price === 0 || (key !== undefined && price.model_price[key] === undefined)) continue
    // They add the fee of a request by themselves.
    const usage = price.model_price.requests_kcount === undefined ? ours : { ...ours, request: 1 }
    const charge = chargeOf(usage, { provider, model }, at, book)
    const cost = charge.basis === 'unpriced' ? Number.NaN : Number(charge.total) / 1e12
    compared.add(`${provider}/${model}`)
    comparedUnits.add(`${provider}/${model} ${key ?? 'plain'}`)
    if (!(Math.abs(cost - price.total_price) <= 1e-9 * price.total_price + 1e-12)) different.add(`${provider}/${model}`)
  }
}

for (const [provider, { genai = [] }] of Object.entries(providerSources))
  for (const id of genai) {
    const models = Object.entries(bookJson.providers[provider]?.models ?? {})
    const names = [
      ...(findProvider({ providerId: id })?.models ?? []).map((model) => model.id),
      ...models.flatMap(([name, { aliases = [] }]) => [name, ...aliases]),
    ]
    for (const name of new Set(names)) for (const at of days) compare(provider, id, name, at)
  }

test('over a thousand models have the price that genai-prices has, but for those that are explained', () => {
  const reasons = new Set(explained.flatMap(({ provider, models }) => models.map((model) => `${provider}/${model}`)))
  expect([...different].filter((model) => !reasons.has(model))).toEqual([])
})

/** The units of both sides, one pair for each probe that is of a unit. */
const pairs: readonly (readonly [Unit, string])[] = [
  ['cache_read', 'cache_read_mtok'],
  ['cache_write_5m', 'cache_write_mtok'],
  ['input_audio', 'input_audio_mtok'],
  ['output_audio', 'output_audio_mtok'],
  ['cache_read_audio', 'cache_audio_read_mtok'],
  ['input_image', 'input_image_mtok'],
  ['output_image', 'output_image_mtok'],
]

test('no model of genai-prices that the book knows is left out, nor a unit that both price', () => {
  const left: string[] = []
  let known = 0
  for (const [provider, { genai = [] }] of Object.entries(providerSources))
    for (const providerId of genai)
      for (const { id } of findProvider({ providerId })?.models ?? [])
        for (const at of days) {
          const card = book.find(provider, id, at, {})
          const price = calcPrice({ input_tokens: 1000, output_tokens: 1000 }, id, { providerId, timestamp: new Date(at) })
          if (typeof card === 'string' || price === null || price.total_price === 0) continue
          known += 1
          const units = pairs.filter(([ours, theirs]) => card.rates[ours] !== undefined && price.model_price[theirs] !== undefined)
          for (const name of ['plain', ...units.map(([, theirs]) => theirs)])
            if (!comparedUnits.has(`${provider}/${id} ${name}`)) left.push(`${provider}/${id} ${name}`)
        }
  expect(left).toEqual([])
  // Of nothing nothing is left out either.
  expect(known).toBeGreaterThan(days.length * 1000)
})

test('every explanation still explains a difference, with the page of the provider', () => {
  const idle = explained
    .flatMap(({ provider, models }) => models.map((model) => `${provider}/${model}`))
    .filter((model) => !different.has(model))
  expect(idle).toEqual([])
  expect(explained.filter(({ why, source }) => why.length < 20 || !source.startsWith('https://'))).toEqual([])
})
