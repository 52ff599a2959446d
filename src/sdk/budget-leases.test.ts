import { afterEach, describe, expect, test, vi } from 'vitest'
import { bookJson, eventId, modelCall, now as noon, testServer } from '../../test/server/test-server.ts'
import { parseBudgets } from '../core/budget-form.ts'
import { parseUsd, picoUsd } from '../core/money.ts'
import { createPriceBook } from '../core/price-book.ts'
import { createBudgetGuard } from '../guard/budget-guard.ts'
import type { CallAhead, Decision } from '../guard/guard.ts'
import { memoryBook } from '../guard/memory-book.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { type BudgetLeases, createBudgetLeases } from './budget-leases.ts'

const open: BudgetLeases[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const leases of open.splice(0)) await leases.close()
})

/** A server with budgets, and processes that lease from it. */
const served = async (forms: Parameters<typeof parseBudgets>[0]) => {
  const store = memoryStore()
  const prices = createPriceBook(bookJson)
  const clock = { now: noon }
  const guard = await createBudgetGuard({
    budgets: parseBudgets(forms),
    prices: () => prices,
    book: memoryBook(),
    store,
    now: () => clock.now,
    holder: 'server',
  })
  const server = await testServer({ store, budgets: guard })
  server.intake.onCounted(guard.observe)
  const requests: { readonly path: string; readonly body: Record<string, unknown> }[] = []
  let isDown = false
  const lease = (more: Partial<Parameters<typeof createBudgetLeases>[0]> = {}): BudgetLeases => {
    const leases = createBudgetLeases({
      url: 'http://localhost/',
      now: () => clock.now,
      fetch: async (input, init) => {
        if (isDown) throw new TypeError('fetch failed')
        requests.push({ path: new URL(String(input)).pathname, body: JSON.parse(String(init?.body)) as Record<string, unknown> })
        return server.fetch(new Request(String(input), init))
      },
      ...more,
    })
    open.push(leases)
    return leases
  }
  return {
    ...server,
    guard,
    clock,
    requests,
    lease,
    down: (down: boolean) => void (isDown = down),
    held: (index = 0) => guard.status()[index]?.reserved,
    spent: () => guard.status()[0]?.spent,
  }
}

/** Its worst case is $0.005: 500 × $2 in and 500 × $8 out, per million, at most doubled by a long context. */
const ahead = (more: Partial<CallAhead> = {}): CallAhead => ({
  provider: 'anthropic',
  model: 'claude-sonnet-4-5',
  promptTokens: 1_000,
  outputMax: 1_000,
  agent: 'bot',
  ...more,
})
/** Of the call above: 1,000 × $3 + 1,000 × $15, per million. */
const worst = 0.018
const usd = (amount: number): string => `${amount.toFixed(12)}`
const reservationOf = (decision: Decision): string => {
  if (!decision.allowed || decision.reservation === undefined) throw new Error(`not reserved: ${JSON.stringify(decision)}`)
  return decision.reservation
}

describe('budgets that are leased', () => {
  test('are asked for once, and then decided without a round trip', async () => {
    const { lease, requests, held } = await served([{ name: 'day', limit: '$10', per: 'day' }])
    const leases = lease({ calls: 10 })
    expect(leases.reserve(ahead())).toBeInstanceOf(Promise)
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    await Promise.resolve(leases.reserve(ahead()))
    for (let index = 0; index < 6; index++) expect(leases.reserve(ahead())).toMatchObject({ allowed: true })
    expect(requests).toHaveLength(1)
    expect(held()).toBe(usd(10 * worst))
  })

  test('are filled up before they are empty', async () => {
    const { lease, requests, held } = await served([{ name: 'day', limit: '$10', per: 'day' }])
    const leases = lease({ calls: 4 })
    await leases.reserve(ahead())
    for (let index = 0; index < 20; index++) {
      expect(leases.reserve(ahead())).toMatchObject({ allowed: true })
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(requests.length).toBeGreaterThan(3)
    expect(Number(held())).toBeGreaterThanOrEqual(21 * worst)
  })

  test('that nothing binds cost one question a minute', async () => {
    const { lease, requests, clock } = await served([{ name: 'other', scope: 'agent:other', limit: '$1', per: 'day' }])
    const leases = lease()
    for (let index = 0; index < 5; index++) expect(await leases.reserve(ahead())).toEqual({ allowed: true, reservation: undefined })
    expect(requests).toHaveLength(1)
    clock.now += 60_000
    await leases.reserve(ahead())
    expect(requests).toHaveLength(2)
  })

  test('are one lease for calls that budgets do not tell apart, and several for those that they do', async () => {
    const { lease, requests } = await served([{ name: 'agents', scope: 'agent', limit: '$10', per: 'day' }])
    const leases = lease()
    await leases.reserve(ahead({ session: 's-1' }))
    await leases.reserve(ahead({ session: 's-2', tags: { plan: 'pro' } }))
    expect(requests).toHaveLength(1)
    await leases.reserve(ahead({ agent: 'other' }))
    expect(requests).toHaveLength(2)
    expect(new Set(requests.map(({ body }) => (body.lease as { id: string }).id)).size).toBe(2)
  })

  test('refuse with the reason of the server, and do not ask again for a second', async () => {
    const { lease, requests, clock, post } = await served([{ name: 'day', limit: '$0.02', per: 'day' }])
    const leases = lease()
    expect(await leases.reserve(ahead())).toMatchObject({ allowed: true })
    expect(await leases.reserve(ahead())).toMatchObject({ allowed: false, refusal: { budget: 'day', reason: 'exceeded' } })
    const asked = requests.length
    expect(leases.reserve(ahead())).toMatchObject({ allowed: false, refusal: { budget: 'day' } })
    expect(requests).toHaveLength(asked)
    clock.now += 1_000
    expect(await leases.reserve(ahead())).toMatchObject({ allowed: false })
    expect(requests.length).toBeGreaterThan(asked)
    expect((await post('/v1/budgets/reserve', { ...ahead(), promptTokens: 0, outputMax: 100 })).status).toBe(200)
  })

  test('what a call was charged is spent at the server, and no longer held there after the next filling', async () => {
    const { lease, post, held, spent } = await served([{ name: 'day', limit: '$1', per: 'day' }])
    const leases = lease({ calls: 4 })
    const first = reservationOf(await leases.reserve(ahead()))
    const usage = { input: 1_000, output: 200 }
    await post('/v1/events', [modelCall(1, { provider: 'anthropic', model: 'claude-sonnet-4-5', usage, agent: 'bot' })])
    leases.settle(first, { cost: parseUsd('0.006') as never })
    expect([spent(), held()]).toEqual([usd(0.006), usd(4 * worst)])
    for (let index = 0; index < 2; index++) await leases.reserve(ahead())
    await vi.waitFor(() => expect(Number(held())).toBeCloseTo(8 * worst - 0.006, 12))
    // Settling it again is nothing.
    leases.settle(first, { cost: parseUsd('0.006') as never })
    leases.settle('unknown')
  })

  test('a call whose cost is not known stays held until its entry must have come', async () => {
    const { lease, clock, requests } = await served([{ name: 'day', limit: '$10', per: 'day' }])
    const leases = lease({ calls: 1 })
    leases.settle(reservationOf(await leases.reserve(ahead())))
    clock.now += 29_999
    await leases.reserve(ahead())
    clock.now += 1
    await leases.reserve(ahead())
    const told = requests.map(({ body }) => (body.lease as { heldUsd: string }).heldUsd)
    expect(told.slice(0, 2)).toEqual([usd(0), usd(worst)])
    expect(Number(told.at(-1))).toBeLessThanOrEqual(2 * worst)
  })

  test('lasts as long as a call is in flight, and not much longer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { lease, clock, held } = await served([{ name: 'day', limit: '$10', per: 'day' }])
    const leases = lease({ calls: 1, ttlMs: 30_000 })
    const reservation = reservationOf(await leases.reserve(ahead()))
    for (let index = 0; index < 30; index++) {
      clock.now += 10_000
      await vi.advanceTimersByTimeAsync(10_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(Number(held())).toBeGreaterThanOrEqual(worst)
    leases.settle(reservation, { cost: parseUsd('0.001') as never })
    clock.now += 10_000
    await vi.advanceTimersByTimeAsync(10_000)
    clock.now += 31_000
    expect(held()).toBe(usd(0))
  })

  test('go on while the server is away, as far as the lease reaches; then nobody can say', async () => {
    const { lease, down, clock } = await served([{ name: 'day', limit: '$10', per: 'day' }])
    const leases = lease({ calls: 3 })
    await leases.reserve(ahead())
    down(true)
    expect(await leases.reserve(ahead())).toMatchObject({ allowed: true })
    expect(await leases.reserve(ahead())).toMatchObject({ allowed: true })
    await expect(Promise.resolve(leases.reserve(ahead()))).rejects.toThrow('fetch failed')
    down(false)
    // For a moment nobody asks a server that did not answer, so that no call waits for it.
    await expect(Promise.resolve(leases.reserve(ahead()))).rejects.toThrow('fetch failed')
    clock.now += 500
    expect(await leases.reserve(ahead())).toMatchObject({ allowed: true })
  })

  test('are renewed before they expire, while nobody waits', async () => {
    const { lease, requests, clock } = await served([{ name: 'day', limit: '$10', per: 'day' }])
    const leases = lease({ ttlMs: 60_000 })
    await leases.reserve(ahead())
    clock.now += 40_000
    expect(leases.reserve(ahead())).not.toBeInstanceOf(Promise)
    await expect.poll(() => requests.length).toBe(2)
    for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    clock.now += 40_000
    expect(leases.reserve(ahead())).not.toBeInstanceOf(Promise)
  })

  test('that could only warn cost one question, and no more', async () => {
    const { lease, requests } = await served([{ name: 'day', limit: '$0.001', per: 'day', onExceed: 'warn' }])
    const leases = lease()
    for (let call = 0; call < 20; call++) expect(await leases.reserve(ahead())).toEqual({ allowed: true, reservation: undefined })
    expect(requests).toHaveLength(1)
  })

  test('are given back at the end', async () => {
    const { lease, held } = await served([{ name: 'day', limit: '$10', per: 'day' }])
    const leases = lease()
    await leases.reserve(ahead())
    expect(held()).not.toBe(usd(0))
    await leases.close()
    expect(held()).toBe(usd(0))
  })

  test('one call after the other never spends more than there is', async () => {
    const { lease, post, clock, spent } = await served([{ name: 'day', limit: '$1', per: 'day' }])
    const leases = lease()
    let passed = 0
    for (let round = 0; round < 200; round++) {
      const id = eventId(round)
      const decision = await leases.reserve(ahead({ event: id }))
      if (!decision.allowed) {
        clock.now += 1_001
        continue
      }
      passed += 1
      const usage = { input: 1_000, output: 1_000 }
      await post('/v1/events', [modelCall(0, { id, provider: 'anthropic', model: 'claude-sonnet-4-5', usage, agent: 'bot' })])
      leases.settle(reservationOf(decision), { cost: picoUsd(BigInt(worst * 1e12)) })
    }
    expect(passed).toBe(55)
    expect(Number(spent())).toBeCloseTo(55 * worst)
  })

  test('several processes, the server and calls at once never spend more than there is', async () => {
    const { lease, guard, post, clock, spent } = await served([
      { name: 'day', limit: '$1', per: 'day' },
      { name: 'agents', scope: 'agent', limit: '200k tokens', per: 'total' },
    ])
    const processes = [lease({ calls: 8 }), lease({ calls: 3 }), guard]
    let ids = 100
    let passed = 0
    const call = async (index: number): Promise<void> => {
      const who = processes[index % processes.length] as BudgetLeases
      const id = eventId(ids++)
      const decision = await Promise.resolve(who.reserve(ahead({ event: id, promptTokens: 100 * (index % 10), outputMax: 1_000 }))).catch(
        () => undefined,
      )
      if (decision === undefined || !decision.allowed || decision.reservation === undefined) return
      passed += 1
      const usage = { input: 100 * (index % 10) + 1, output: 100 * (index % 11) }
      const { body } = await post<{ results: { costUsd?: string }[] }>('/v1/events', [
        modelCall(0, {
          id,
          provider: 'anthropic',
          model: 'claude-sonnet-4-5',
          usage: { ...usage, input: Math.max(1, usage.input - 1) },
          agent: 'bot',
        }),
      ])
      const cost = parseUsd(body.results[0]?.costUsd ?? '')
      who.settle(decision.reservation, cost === undefined ? undefined : { cost })
    }
    for (let round = 0; round < 25; round++) {
      await Promise.all(Array.from({ length: 60 }, (_, index) => call(index + round)))
      clock.now += 1_001
    }
    expect(passed).toBeGreaterThan(90)
    expect(Number(spent())).toBeGreaterThan(0.9)
    for (const { spent: each, limit } of guard.status()) expect(Number(each)).toBeLessThanOrEqual(Number(limit))
  })
})
