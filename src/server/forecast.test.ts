import { describe, expect, test } from 'vitest'
import type { BookJson } from '../core/book-json.ts'
import type { CallEntry, ModelCall } from '../core/event.ts'
import { createPriceBook } from '../core/price-book.ts'
import { settleCharge } from '../core/settle.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import type { BudgetJson } from './api.ts'
import { createForecasts } from './forecast.ts'

const hour = 3_600_000
const day = 24 * hour
const begin = Date.parse('2026-11-02T00:00:00Z')
const book = createPriceBook({
  version: 'test',
  providers: { acme: { name: 'Acme', models: { one: { periods: [{ rates: { input: '1000' } }] } } } },
} satisfies BookJson)

/** Three weeks in which agent a spends a dollar an hour and agent b, since the last two days, half of one. */
const ledger = async () => {
  const store = memoryStore()
  const entries: CallEntry[] = []
  const add = (at: number, agent: string, input: number): void => {
    const event: ModelCall = {
      id: `019ab000-0000-7000-8000-${String(entries.length).padStart(12, '0')}`,
      at,
      source: 'sdk',
      kind: 'llm',
      provider: 'acme',
      model: 'one',
      usage: { input },
      quality: 'complete',
      status: 'ok',
      attempt: 0,
      agent,
    }
    entries.push({ event, charge: settleCharge(event, book) })
  }
  for (let index = 0; index < 21 * 24; index++) {
    add(begin + index * hour, 'a', 1_000)
    if (index >= 19 * 24) add(begin + index * hour + 1, 'b', 500)
  }
  await store.append(entries)
  return store
}

const budget = (more: Partial<BudgetJson>): BudgetJson => ({
  name: 'month',
  scope: 'all',
  unit: 'usd',
  window: { kind: 'calendar', interval: 'month', zone: 'UTC' },
  onExceed: 'warn',
  limit: '600.000000000000',
  spent: '528.000000000000',
  reserved: '0',
  remaining: '72.000000000000',
  share: 0.88,
  resetsAt: '2026-12-01T00:00:00.000Z',
  thresholds: [],
  status: 'ok',
  ...more,
})

const forecasts = async (budgets: readonly BudgetJson[] = [], time = { now: begin + 21 * day }) => {
  const store = await ledger()
  let questions = 0
  const ask = (question: Parameters<typeof store.ask>[0]) => {
    questions += 1
    return store.ask(question)
  }
  const made = createForecasts({ ask, budgets: () => budgets, zone: 'UTC', now: () => time.now })
  return { made, time, questions: () => questions }
}
const forecastOf = async (...budgets: readonly BudgetJson[]) => (await forecasts(budgets)).made.answer()

describe('createForecasts', () => {
  test('the end of the day, the week and the month: what is spent and what comes', async () => {
    const { total } = await forecastOf()
    expect(total.map(({ period, to }) => `${period} ${to.slice(0, 10)}`)).toEqual(['day 2026-11-24', 'week 2026-11-30', 'month 2026-12-01'])
    for (const { spent, expected, low, high } of total) {
      expect(Number(low)).toBeLessThanOrEqual(Number(expected))
      expect(Number(expected)).toBeLessThanOrEqual(Number(high))
      expect(Number(low)).toBeGreaterThanOrEqual(Number(spent))
    }
    const month = total.find(({ period }) => period === 'month')
    expect(Number(month?.spent)).toBeCloseTo(528, 6)
    // Eight days are left, at a dollar or a dollar and a half an hour.
    expect(Number(month?.expected)).toBeGreaterThan(528 + 8 * 24)
    expect(Number(month?.expected)).toBeLessThan(528 + 8 * 24 * 1.6)
  })

  test('a budget that runs out before it begins anew is said to, with the instant; one that lasts is not', async () => {
    const { budgets } = await forecastOf(budget({}), budget({ name: 'large', limit: '5000.000000000000' }))
    const [short, large] = budgets
    expect(Number(short?.atEnd?.expected)).toBeGreaterThan(600)
    const until = Date.parse(short?.exhaustsAt ?? '') - (begin + 21 * day)
    expect(until).toBeGreaterThan(40 * hour)
    expect(until).toBeLessThan(72 * hour)
    expect(Date.parse(short?.exhaustsEarliest ?? '')).toBeLessThanOrEqual(Date.parse(short?.exhaustsAt ?? ''))
    expect(large?.exhaustsAt).toBeUndefined()
  })

  test("each agent's allowance is forecast from its own hours", async () => {
    const rolling = { scope: 'agent', spent: '10.000000000000', window: { kind: 'rolling', span: '24h' } } as const
    const { budgets } = await forecastOf(...['a', 'b', 'c'].map((value) => budget({ ...rolling, value })))
    const atEnd = budgets.map((each) => (each.atEnd === undefined ? undefined : Math.round(Number(each.atEnd.expected))))
    expect(atEnd).toEqual([24, 12, undefined])
  })

  test('tokens are forecast as tokens', async () => {
    const { budgets } = await forecastOf(budget({ name: 'tokens', unit: 'tokens', limit: '2000000', spent: '528000' }))
    expect(budgets[0]?.atEnd?.expected).toMatch(/^\d{6}$/)
  })

  test('an allowance of a user or a session is none that is looked up', async () => {
    expect((await forecastOf(budget({ scope: 'user', value: 'u-1' }))).budgets).toEqual([])
  })

  test('a scrape never waits: what was known last is shown, and a new forecast is begun', async () => {
    const { made, time, questions } = await forecasts()
    expect(made.latest()).toBeUndefined()
    const first = await made.answer()
    const asked = questions()
    expect(made.latest()).toBe(first)
    expect(await made.answer()).toBe(first)
    expect(questions()).toBe(asked)
    time.now += 6 * 60_000
    expect(made.latest()).toBe(first)
    await expect.poll(() => made.latest()).not.toBe(first)
  })
})

test('what is being worked out at the end is waited for, and nothing is begun after it', async () => {
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  let asked = 0
  let looks = 0
  const errors: unknown[] = []
  const store = memoryStore()
  const forecasts = createForecasts({
    ask: async (question) => {
      asked += 1
      await held
      return store.ask(question)
    },
    budgets: () => [],
    zone: 'UTC',
    // So late that the last one is old at every look.
    now: () => (looks += 1) * day,
    onError: (error) => void errors.push(error),
  })
  expect(forecasts.latest()).toBeUndefined()
  let isClosed = false
  const closing = forecasts.close().then(() => {
    isClosed = true
  })
  await new Promise(setImmediate)
  expect(isClosed).toBe(false)
  letGo()
  await closing
  const before = asked
  forecasts.latest()
  expect(asked).toBe(before)
  expect(errors).toEqual([])
})
