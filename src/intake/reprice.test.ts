import { describe, expect, test } from 'vitest'
import type { BookJson } from '../core/book-json.ts'
import type { CallEntry, ModelCall } from '../core/event.ts'
import { createPriceBook } from '../core/price-book.ts'
import { settleCharge } from '../core/settle.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { reprice } from './reprice.ts'

const bookOf = (version: string, input: string) =>
  createPriceBook({
    version,
    providers: { acme: { name: 'Acme', models: { one: { periods: [{ rates: { input, output: '10' } }] } } } },
  } satisfies BookJson)

const day = Date.parse('2026-11-20T10:00:00Z')
const call = (index: number, more: Partial<ModelCall> = {}): ModelCall => ({
  id: `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
  at: day + index,
  source: 'sdk',
  kind: 'llm',
  provider: 'acme',
  model: 'one',
  usage: { input: 1_000, output: 100 },
  quality: 'complete',
  status: 'ok',
  attempt: 0,
  run: 'r',
  ...more,
})

const oldBook = bookOf('old', '2')
const newBook = bookOf('new', '3')
const period = { where: [], from: day - 1, to: day + 1_000_000 }
const who = { who: 'ada', why: 'the contract of May' }

const ledger = async (calls: readonly ModelCall[]) => {
  const store = memoryStore()
  await store.append(calls.map((event): CallEntry => ({ event, charge: settleCharge(event, oldBook) })))
  const total = async () => (await store.ask({ measures: ['cost'], by: [], ...period, zone: 'UTC' })).totals.cost
  return { store, total }
}

describe('reprice', () => {
  test('a dry run shows the difference by model and day and changes nothing', async () => {
    const { store, total } = await ledger([call(1), call(2), call(3, { model: 'unknown' })])
    const before = await total()
    const result = await reprice({ store, book: newBook, ...period })
    expect(result).toMatchObject({ looked: 3, changed: 2, before: 6_000_000_000n, after: 8_000_000_000n })
    expect(result.rows).toEqual([
      { provider: 'acme', model: 'one', day: '2026-11-20', calls: 2, before: 6_000_000_000n, after: 8_000_000_000n },
    ])
    expect(await total()).toBe(before)
  })

  test('totals differ afterwards by exactly what was shown, and a second time changes nothing', async () => {
    const { store, total } = await ledger([call(1), call(2)])
    const shown = await reprice({ store, book: newBook, ...period })
    await reprice({ store, book: newBook, ...period, correction: who })
    expect(await total()).toBe('0.008000000000')
    expect(shown.after - shown.before).toBe(2_000_000_000n)
    expect(await reprice({ store, book: newBook, ...period, correction: who })).toMatchObject({ changed: 0 })
    expect((await store.run('r'))?.summary.llmCost).toBe(8_000_000_000n)
  })

  test('the correction names the entry, both books, who and why, and the old entry stays readable', async () => {
    const { store } = await ledger([call(1)])
    await reprice({ store, book: newBook, ...period, correction: who })
    const { entries } = await store.entries({ ...period, withUncounted: true }, { limit: 10 })
    const [correction] = entries.filter(({ corrects }) => corrects !== undefined)
    expect(correction).toMatchObject({ corrects: call(1).id, reason: 'book old → new, by ada: the contract of May' })
    expect(entries.map(({ event }) => event.id)).toContain(call(1).id)
  })

  test('a model that has a price by now is no longer unpriced', async () => {
    const { store } = await ledger([call(1, { provider: 'later', model: 'two' })])
    const book = createPriceBook({
      version: 'later',
      providers: { later: { name: 'Later', models: { two: { periods: [{ rates: { input: '1', output: '1' } }] } } } },
    })
    await reprice({ store, book, ...period, correction: who })
    const answer = await store.ask({ measures: ['cost'], by: [], ...period, zone: 'UTC' })
    expect(answer.coverage.unpriced.calls).toBe(0)
    expect(answer.totals.cost).toBe('0.001100000000')
  })

  test('going back to the old book is a correction of the correction', async () => {
    const { store, total } = await ledger([call(1)])
    const before = await total()
    await reprice({ store, book: newBook, ...period, correction: who })
    await reprice({ store, book: oldBook, ...period, correction: who })
    expect(await total()).toBe(before)
  })
})
