import { describe, expect, test } from 'vitest'
import type { BookJson } from '../../core/book-json.ts'
import type { CallEntry, ModelCall } from '../../core/event.ts'
import { picoUsd } from '../../core/money.ts'
import { createPriceBook } from '../../core/price-book.ts'
import { settleCharge } from '../../core/settle.ts'
import { memoryStore } from '../../ledger/memory/memory-store.ts'
import { pastBudgets } from './past-budgets.ts'
import { firedMax, previewRule, stepsMax } from './preview.ts'
import { parseRule } from './rule.ts'

const hour = 3_600_000
const day = 24 * hour
const begin = Date.parse('2026-09-07T00:00:00Z')
const end = begin + 35 * day
const book = createPriceBook({
  version: 'test',
  providers: { acme: { name: 'Acme', models: { one: { periods: [{ rates: { input: '1000' } }] } } } },
} satisfies BookJson)

/** Five weeks of a dollar an hour; in the last one a busy hour, and a run that goes round. */
const ledger = async () => {
  const store = memoryStore()
  const entries: CallEntry[] = []
  const add = (at: number, more: Partial<ModelCall> = {}): void => {
    const event: ModelCall = {
      id: `019ab000-0000-7000-8000-${String(entries.length).padStart(12, '0')}`,
      at,
      source: 'sdk',
      kind: 'llm',
      provider: 'acme',
      model: 'one',
      usage: { input: 1_000 },
      quality: 'complete',
      status: 'ok',
      attempt: 0,
      agent: 'a',
      task: 't',
      ...more,
    }
    entries.push({ event, charge: settleCharge(event, book) })
  }
  for (let index = 0; index < 35 * 24; index++) add(begin + index * hour + 60_000)
  for (let index = 0; index < 20; index++) add(begin + 30 * day + 14 * hour + index * 60_000 + 1)
  const loop = { run: 'loop', promptHash: 'f'.repeat(32), usage: { input: 10 } }
  for (let index = 0; index < 9; index++) add(begin + 32 * day + index * 60_000 + 2, loop)
  await store.append(entries.sort((left, right) => left.event.at - right.event.at))
  return store
}

const budget = {
  name: 'day',
  scope: 'all',
  window: { kind: 'calendar', interval: 'day', zone: 'UTC' },
  limit: { unit: 'usd', amount: picoUsd(30n * 10n ** 12n) },
  onExceed: 'warn',
  thresholds: [1],
  unpriced: { policy: 'allow' },
} as const

/** A rule tried on the last seven days, and when it would have fired and ended, as "07T14:59". */
const preview = async (json: Record<string, unknown>, { stepMs = hour, signal }: { stepMs?: number; signal?: AbortSignal } = {}) => {
  const store = await ledger()
  const progress: number[] = []
  const tried = await previewRule(
    parseRule({ name: 'r', ...json }, ''),
    { ask: store.ask, runCosts: async () => [], zone: 'UTC', budgets: pastBudgets([budget], store.ask, 'UTC') },
    {
      from: end - 7 * day,
      to: end,
      stepMs,
      entries: store.entries,
      onProgress: (done, of) => progress.push(done / of),
      ...(signal && { signal }),
    },
  )
  const clock = (at: number | undefined) => (at === undefined ? '–' : new Date(at).toISOString().slice(8, 16))
  return { ...tried, progress, times: tried.fired.map(({ at, resolvedAt }) => `${clock(at)} ${clock(resolvedAt)}`) }
}

describe('previewRule', () => {
  test('a threshold: when it would have fired and ended', async () => {
    const { times, isComplete, progress } = await preview({ kind: 'threshold', measure: 'cost', window: '1h', above: 10, by: 'agent' })
    expect(times).toEqual(['07T14:59 07T16:59'])
    expect(isComplete).toBe(true)
    expect(progress.at(-1)).toBe(1)
  })

  test('a baseline: the hour that stands out, with its cause, and no other', async () => {
    const { fired, times } = await preview({ kind: 'baseline', by: 'task', floorUsd: 1 })
    expect(times.map((time) => time.slice(0, 8))).toEqual(['07T14:59'])
    expect(fired[0]).toMatchObject({ segment: { task: 't' }, cause: 'traffic' })
    expect(fired[0]?.message).toMatch(
      /the hour from 14:00 cost \$21\.00 so far; \$1\.00 ± .* This is traffic: 21 calls where about 1 are usual/,
    )
  })

  test('single calls are shown to the rule again', async () => {
    const { times } = await preview({ kind: 'repeat', times: 5, floorUsd: 0 })
    expect(times.map((time) => time.slice(0, 8))).toEqual(['09T01:00'])
  })

  test('a budget as it stood: the one day that passed it', async () => {
    const { times, fired } = await preview({ kind: 'budget', floorUsd: 0 })
    expect(times.map((time) => time.slice(0, 8))).toEqual(['07T14:59'])
    expect(fired[0]?.message).toBe('Budget “day” is spent: $35.00 of $30.00 until 2026-10-08T00:00Z.')
  })

  test('no more looks than there may be, and a long window is looked at fifty times', async () => {
    const often = await preview({ kind: 'threshold', measure: 'cost', above: 10 }, { stepMs: 60_000 })
    expect(often.progress.length).toBeLessThanOrEqual(stepsMax)
    expect(often.isComplete).toBe(true)
    expect((await preview({ kind: 'change', measure: 'cost', window: '7d' })).stepMs).toBe(4 * hour)
    expect((await preview({ kind: 'threshold', measure: 'cost', window: '5m', above: 10 })).stepMs).toBe(hour)
  })

  test('a rule that fires all the time is tried until that is seen', async () => {
    const everyHour = { kind: 'threshold', measure: 'calls', window: '10m', above: 0, quiet: '1m', floorUsd: 0 }
    const { fired, isComplete, to } = await preview(everyHour, { stepMs: 10 * 60_000 })
    expect(fired.length).toBe(firedMax)
    expect(isComplete).toBe(false)
    expect(to).toBeLessThan(end)
  })

  test('it ends when nobody waits for it any more', async () => {
    await expect(preview({ kind: 'threshold', measure: 'cost', above: 10 }, { signal: AbortSignal.abort() })).rejects.toThrow('abort')
  })
})
