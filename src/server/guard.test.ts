import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bookJson, modelCall, now, testServer } from '../../test/server/test-server.ts'
import { parseBudgets } from '../core/budget-form.ts'
import { createPriceBook } from '../core/price-book.ts'
import { createBudgetGuard } from '../guard/budget-guard.ts'
import { memoryBook } from '../guard/memory-book.ts'
import { createKeyRing, keyHashOf, parseKeys } from '../intake/keys.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import type { AlertsAnswer, BudgetsAnswer, LeaseAnswer, ReserveAnswer, SettleAnswer } from './api.ts'

const budgeted = async (forms: Parameters<typeof parseBudgets>[0], options: Parameters<typeof testServer>[0] = {}) => {
  const store = memoryStore()
  const book = createPriceBook(bookJson)
  const budgets = await createBudgetGuard({
    budgets: parseBudgets(forms),
    prices: () => book,
    book: memoryBook(),
    store,
    now: () => now,
    holder: 't',
  })
  const server = await testServer({ store, budgets, ...options })
  server.intake.onCounted(budgets.observe)
  return server
}
/** Its worst case is $0.005: 500 × $2 in and 500 × $8 out, per million. */
const ahead = { provider: 'openai', model: 'gpt-4.1', promptTokens: 500, outputMax: 500 }

describe('/v1/budgets', () => {
  test('what is spent, reserved and left of each', async () => {
    const { get, post } = await budgeted([
      { name: 'daily', limit: '$5', per: 'day', zone: 'Europe/Berlin' },
      { name: 'per-agent', scope: 'agent', limit: '$0.01', per: '1h' },
    ])
    await post('/v1/events', [modelCall(1, { agent: 'bot', at: '2026-11-22T11:30:00Z' })])
    await post('/v1/budgets/reserve', { ...ahead, agent: 'bot' })
    expect((await get<BudgetsAnswer>('/v1/budgets')).body).toMatchObject({
      budgets: [
        {
          name: 'per-agent',
          scope: 'agent',
          value: 'bot',
          spent: '0.004800000000',
          reserved: '0.005000000000',
          remaining: '0.000200000000',
          share: 0.48,
        },
        { name: 'daily', limit: '5.000000000000', resetsAt: '2026-11-22T23:00:00.000Z', status: 'ok' },
      ],
      hasMore: false,
    })
  })

  test('a call is let through once and refused when nothing is left, until the first is settled', async () => {
    const { post } = await budgeted([{ name: 'small', limit: '$0.008', per: 'day' }])
    const first = await post<Extract<ReserveAnswer, { allowed: true }>>('/v1/budgets/reserve', ahead)
    expect([first.status, first.body.allowed, typeof first.body.reservation]).toEqual([200, true, 'string'])
    const second = await post<ReserveAnswer>('/v1/budgets/reserve', ahead)
    expect(second.status).toBe(402)
    expect(second.body).toMatchObject({
      allowed: false,
      refusal: { budget: 'small', limit: '0.008000000000', reserved: '0.005000000000', asked: '0.005000000000', reason: 'exceeded' },
      error: { code: 'BUDGET_EXCEEDED', message: expect.stringContaining('small') },
    })
    expect((await post<SettleAnswer>('/v1/budgets/settle', { reservations: [first.body.reservation, 'nobody-knows'] })).body).toEqual({
      settled: 2,
    })
    expect((await post('/v1/budgets/reserve', ahead)).status).toBe(200)
  })

  test('where no budget binds, nothing is reserved', async () => {
    const { post } = await budgeted([{ name: 'other', scope: 'agent:other', limit: '$1', per: 'day' }])
    expect((await post('/v1/budgets/reserve', ahead)).body).toEqual({ allowed: true })
  })

  test('a lease is an allowance for several calls, and is given back', async () => {
    const { get, post } = await budgeted([{ name: 'small', limit: '$0.1', per: 'day' }])
    const id = randomUUID()
    const { status, body } = await post<Extract<LeaseAnswer, { allowed: true }>>('/v1/budgets/reserve', {
      ...ahead,
      lease: { id, calls: 4, ttlMs: 60_000 },
    })
    expect([status, body.allowed, body.lease?.id]).toEqual([200, true, id])
    const reserved = async () => (await get<BudgetsAnswer>('/v1/budgets')).body.budgets[0]?.reserved
    expect(Number(body.lease?.usd)).toBeGreaterThanOrEqual(4 * 0.005)
    expect(await reserved()).toBe(body.lease?.usd)
    expect((await post<SettleAnswer>('/v1/budgets/settle', { lease: { id } })).body).toEqual({ settled: 1 })
    expect(await reserved()).toBe('0.000000000000')
    const refused = await post<LeaseAnswer>('/v1/budgets/reserve', { ...ahead, promptTokens: 1_000_000, lease: { id, calls: 1 } })
    expect([refused.status, refused.body]).toEqual([402, expect.objectContaining({ allowed: false, scopes: expect.any(Array) })])
    expect((await post('/v1/budgets/reserve', { ...ahead, lease: { id: 'x' } })).body.error.message).toBe('"lease.id" should be a UUID.')
  })

  test('a call belongs to what is configured for its key, whatever it says', async () => {
    const secret = 'caller-0123456789abcdef'
    const keys = createKeyRing(parseKeys([{ id: 'ci', hash: keyHashOf(secret), may: ['call', 'read'], team: 'cx' }]))
    const { get, post } = await budgeted(
      [
        { name: 'teams', scope: 'team', limit: '$1', per: 'day' },
        { name: 'keys', scope: 'key', limit: '$1', per: 'day' },
      ],
      { keys },
    )
    await post('/v1/budgets/reserve', { ...ahead, team: 'somebody-else' }, { 'x-taximeter-key': secret })
    const { budgets } = (await get<BudgetsAnswer>('/v1/budgets', { 'x-taximeter-key': secret })).body
    expect(budgets.map(({ scope, value }) => `${scope}=${value}`).sort()).toEqual(['key=ci', 'team=cx'])
  })

  test.each<[string, unknown, RegExp]>([
    ['no model', { provider: 'openai', promptTokens: 1 }, /"model"/],
    ['a negative count', { ...ahead, promptTokens: -1 }, /"promptTokens"/],
    ['a field that is none', { ...ahead, prompt: 'the secret text of a prompt' }, /prompt/],
    ['a key that it is not', { ...ahead, key: 'other' }, /key/],
    ['no object', [ahead], /The body/],
    ['no JSON', '{', /not JSON/],
  ])('%s is refused', async (_, body, message) => {
    const { post } = await budgeted([{ name: 'small', limit: '$1', per: 'day' }])
    const answer = await post('/v1/budgets/reserve', body)
    expect([answer.status, answer.body.error.code]).toEqual([400, 'BAD_REQUEST'])
    expect(answer.body.error.message).toMatch(message)
    expect(JSON.stringify(answer.body)).not.toContain('secret text')
  })

  test('so many reservations are settled at once and no more', async () => {
    const { post } = await budgeted([{ name: 'small', limit: '$1', per: 'day' }])
    const many = (count: number) => ({ reservations: Array.from({ length: count }, (_, index) => `r-${index}`) })
    expect((await post('/v1/budgets/settle', many(1_000))).status).toBe(200)
    expect((await post('/v1/budgets/settle', many(1_001))).status).toBe(400)
  })
})

test('alerts are told where there are any', async () => {
  const alerts: AlertsAnswer = {
    alerts: [
      {
        id: 'a-1',
        rule: 'daily',
        state: 'firing',
        severity: 'critical',
        message: '$5.02 of $5.00.',
        segment: {},
        startedAt: '2026-11-22T11:00:00.000Z',
      },
    ],
  }
  const { get } = await testServer({ alerts: () => alerts })
  expect((await get<AlertsAnswer>('/v1/alerts')).body).toEqual(alerts)
})

test('a reload that finds a mistake says where it is', async () => {
  const { post } = await testServer({ reload: () => Promise.reject(new Error('not one of ours')) })
  expect((await post('/-/reload', '')).status).toBe(500)
  const fine = await testServer({ reload: async () => {} })
  expect((await fine.post('/-/reload', '')).status).toBe(204)
})
