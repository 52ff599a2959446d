import { expect, test } from 'vitest'
import { createPriceBook } from '../core/price-book.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { driftOf } from './drift.ts'
import { createIntake } from './intake.ts'

test('what providers reported is held against the book, the largest difference first', async () => {
  const store = memoryStore()
  const book = createPriceBook({
    version: 'test',
    providers: {
      acme: {
        name: 'Acme',
        models: { one: { periods: [{ rates: { input: '2', output: '2' } }] }, two: { periods: [{ rates: { input: '2', output: '2' } }] } },
      },
    },
  })
  const now = Date.parse('2026-11-22T12:00:00Z')
  const intake = createIntake({ store, book: () => book, now: () => now })
  const call = (index: number, model: string, reportedCostUsd?: string) => ({
    id: `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`,
    at: now,
    kind: 'llm',
    provider: 'acme',
    model,
    usage: { input: 1_000_000 },
    ...(reportedCostUsd && { reportedCostUsd }),
  })
  await intake.admit([call(1, 'one', '2.5'), call(2, 'one', '2'), call(3, 'two', '5'), call(4, 'unknown', '1'), call(5, 'one')])
  expect(await driftOf(store, { where: [], from: now - 1, to: now + 1 })).toEqual([
    { provider: 'acme', model: 'two', calls: 1, reported: 5_000_000_000_000n, computed: 2_000_000_000_000n, uncomputed: 0 },
    { provider: 'acme', model: 'one', calls: 2, reported: 4_500_000_000_000n, computed: 4_000_000_000_000n, uncomputed: 0 },
    { provider: 'acme', model: 'unknown', calls: 1, reported: 0n, computed: 0n, uncomputed: 1 },
  ])
})
