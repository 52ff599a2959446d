import { expect, test } from 'vitest'
import type { BookJson } from './book-json.ts'
import { checkBook, diffBooks, historyOf, searchPrices } from './price-history.ts'

const book: BookJson = {
  version: '1',
  providers: {
    openai: {
      name: 'OpenAI',
      source: 'https://openai.com/prices',
      models: {
        'gpt-5': {
          aliases: ['gpt-five'],
          periods: [
            { rates: { input: '2', output: '8' }, confidence: 'confirmed' },
            { from: '2026-06-01', rates: { input: '1', output: '8' }, source: 'https://openai.com/cut', confidence: 'decided' },
          ],
        },
      },
    },
    azure: { name: 'Azure', source: 'https://azure.com', inherits: ['openai'], models: {} },
    router: {
      name: 'Router',
      source: 'https://router.ai',
      models: { 'gpt-5': { periods: [{ rates: { input: '3', output: '9' }, confidence: 'single-source' }] } },
    },
  },
}
const lines = (asked: string) =>
  historyOf(book, asked).map(
    ({ provider, model, period, until, source }) =>
      `${provider}/${model} ${period.from ?? ''}–${until ?? ''} ${period.rates.input} ${source}`,
  )

test('a history has every period with its end and its source, at one provider or at all', () => {
  const own = ['openai/gpt-5 –2026-06-01 2 https://openai.com/prices', 'openai/gpt-5 2026-06-01– 1 https://openai.com/cut']
  expect(lines('openai/gpt-5-2026-01-31')).toEqual(own)
  expect(lines('azure/gpt-five')).toEqual(own)
  expect(lines('gpt-5')).toEqual([...own, 'router/gpt-5 – 3 https://router.ai'])
  expect(lines('gpt-6')).toEqual([])
})

test('a search finds the rates of a day by words of provider, name or alias', () => {
  const found = (text: string, day: string, limit?: number) =>
    searchPrices(book, text, Date.parse(day), limit).map(({ provider, period }) => `${provider} ${period.rates.input}`)
  expect(found('gpt', '2026-05-31')).toEqual(['openai 2', 'router 3'])
  expect(found('GPT openai', '2026-06-01')).toEqual(['openai 1'])
  expect(found('five', '2026-06-01')).toEqual(['openai 1'])
  expect(found('', '2026-06-01', 1)).toEqual(['openai 1'])
  expect(found('claude', '2026-06-01')).toEqual([])
})

test('a difference names what came, what went and which rate is another', () => {
  const after: BookJson = {
    version: '2',
    providers: {
      openai: {
        name: 'OpenAI',
        models: {
          'gpt-5': {
            periods: [
              {
                rates: { input: '2', output: '9' },
                tiers: [{ basis: 'prompt', scope: 'request', op: 'gt', threshold: 200_000, rates: { input: '4' } }],
                variants: [{ tier: 'batch', multiply: '0.5' }],
              },
              { from: '2026-09-01', rates: { input: '1' } },
            ],
          },
          'gpt-6': { periods: [{ rates: { input: '5' } }] },
        },
      },
    },
  }
  expect(diffBooks(book, after)).toEqual([
    { provider: 'openai', model: 'gpt-5', kind: 'rate', place: 'output', before: '8', after: '9' },
    { provider: 'openai', model: 'gpt-5', kind: 'rate', place: '>200000 input', after: '4' },
    { provider: 'openai', model: 'gpt-5', kind: 'rate', place: 'batch ×', after: '0.5' },
    { provider: 'openai', model: 'gpt-5', kind: 'period-removed', from: '2026-06-01' },
    { provider: 'openai', model: 'gpt-5', kind: 'period-added', from: '2026-09-01' },
    { provider: 'openai', model: 'gpt-6', kind: 'model-added' },
    { provider: 'router', model: 'gpt-5', kind: 'model-removed' },
  ])
  expect(diffBooks(book, book)).toEqual([])
})

test('a check has one sentence for each thing that is wrong', () => {
  expect(checkBook(book)).toEqual([])
  const wrong: BookJson = {
    version: '1',
    providers: {
      p: {
        name: 'P',
        models: {
          a: { periods: [{ rates: { input: 'free' } }] },
          b: { periods: [] },
          c: {
            periods: [
              { from: '2026-02-01', rates: { input: '1' }, source: 'https://p', confidence: 'confirmed' },
              { from: '2026-01-01', rates: { input: '1' }, source: 'https://p', confidence: 'confirmed' },
            ],
          },
        },
      },
    },
  }
  expect(checkBook(wrong)).toEqual([
    'p/a: BAD_PRICE: Price of p/a: the rate of "input" should be dollars as a decimal string such as "2.50", got "free".',
    'p/a: a period names no source.',
    'p/a: a period does not say how sure it is.',
    'p/b has no period.',
    'p/c: its periods are not in the order of their days.',
  ])
})
