import { describe, expect, test } from 'vitest'
import { parseUsd } from '../core/money.ts'
import type { LeaseAnswer, LeaseGrant, LeaseJson } from './lease-json.ts'
import { leaseRequestOf } from './lease-json.ts'
import { ahead, entry, micro, nextId, noon, type Ride, ride } from './ride.contract.ts'

const ask = (it: Ride, lease: LeaseJson, call = ahead({ agent: 'a' })): Promise<LeaseAnswer> => {
  const request = leaseRequestOf(lease, call)
  if (typeof request === 'string') throw new Error(request)
  return it.guard.lease(request)
}
const granted = (answer: LeaseAnswer): LeaseGrant => {
  if (!answer.allowed || answer.lease === undefined) throw new Error(`no lease: ${JSON.stringify(answer)}`)
  return answer.lease
}
const reserved = ({ guard }: Ride): readonly string[] => guard.status().map(({ reserved }) => reserved)

describe('a lease', () => {
  test('sets several calls aside in every binding budget, and says what one may take of it', async () => {
    const it = await ride([
      { limit: '$1', per: 'day' },
      { scope: 'agent', limit: '100k tokens', per: 'day' },
    ])
    const id = nextId()
    expect(await ask(it, { id, calls: 4, ttlMs: 30_000 })).toEqual({
      allowed: true,
      expiresAt: '2026-11-22T12:00:30.000Z',
      scopes: ['all', 'agent'],
      lease: {
        id,
        usd: micro(1_200),
        tokens: 800,
        promptUsd: micro(1),
        outputUsd: micro(2),
        requestUsd: micro(0),
        outputMax: 100,
      },
    })
    expect(reserved(it)).toEqual([micro(1_200), '800'])
    it.now += 30_000
    expect(reserved(it)).toEqual([micro(0), '0'])
  })

  test('asked for again is replaced: what is in flight stays, the rest is measured anew', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    const id = nextId()
    await ask(it, { id, calls: 10 })
    expect(granted(await ask(it, { id, calls: 2, heldUsd: '0.000450' })).usd).toBe(micro(1_050))
    expect(reserved(it)).toEqual([micro(1_050)])
    await ask(it, { id, calls: 0, heldUsd: '0.000150' })
    expect(reserved(it)).toEqual([micro(150)])
    expect([it.guard.giveBack(id), it.guard.giveBack(id), reserved(it)]).toEqual([true, false, [micro(0)]])
  })

  test('is smaller where little is left, and is not more than half of that', async () => {
    const it = await ride([{ limit: '$0.003', per: 'day' }])
    expect(granted(await ask(it, { id: nextId(), calls: 100 })).usd).toBe(micro(1_500))
    expect(granted(await ask(it, { id: nextId(), calls: 100 })).usd).toBe(micro(600))
    for (let index = 0; index < 3; index++) expect(granted(await ask(it, { id: nextId(), calls: 100 })).usd).toBe(micro(300))
    expect(await ask(it, { id: nextId(), calls: 100 })).toMatchObject({ allowed: false, refusal: { reason: 'exceeded' } })
  })

  test('that cannot be raised keeps what is in flight', async () => {
    const it = await ride([{ limit: '$0.0006', per: 'day' }])
    const id = nextId()
    await ask(it, { id, calls: 1 })
    await it.keep(entry({ input: 200 }))
    expect(await ask(it, { id, calls: 1, heldUsd: '0.0003' })).toMatchObject({ allowed: false, refusal: { spent: micro(200) } })
    expect(reserved(it)).toEqual([micro(300)])
  })

  test('has the rates of the longest context, so that they hold for calls of any size', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    expect(granted(await ask(it, { id: nextId() }, ahead({ model: 'cached' })))).toMatchObject({
      promptUsd: micro(3),
      outputUsd: micro(6),
      requestUsd: micro(5_000),
    })
  })

  test('is not needed where nothing binds, until then', async () => {
    const it = await ride([{ scope: 'agent:other', limit: '$1', per: 'day' }])
    expect(await ask(it, { id: nextId() })).toEqual({ allowed: true, expiresAt: '2026-11-22T12:01:00.000Z', scopes: ['agent'] })
  })

  test('of a model without a price has the dearest rate that is assumed, or is refused', async () => {
    const it = await ride([
      { limit: '$1', per: 'day', unpriced: 'assume $10' },
      { limit: '$1', per: 'day', unpriced: 'assume $20' },
    ])
    const unknown = ahead({ model: 'brand-new' })
    expect(granted(await ask(it, { id: nextId(), calls: 1 }, unknown))).toMatchObject({ usd: micro(4_000), promptUsd: micro(20) })
    expect(reserved(it)).toEqual([micro(2_000), micro(4_000)])
    const firm = await ride([{ limit: '$1', per: 'day' }])
    expect(await ask(firm, { id: nextId() }, unknown)).toMatchObject({ allowed: false, refusal: { reason: 'unpriced' } })
  })

  test('is known under its id after the server was killed', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    const id = nextId()
    await ask(it, { id, calls: 10 })
    const next = await it.restart()
    expect(reserved(next)).toEqual([micro(3_000)])
    await ask(next, { id, calls: 1 })
    expect(reserved(next)).toEqual([micro(300)])
    next.guard.giveBack(id)
    expect(reserved(next)).toEqual([micro(0)])
  })

  test('and calls that are decided one by one share the same last dollar', async () => {
    const it = await ride([{ limit: '$0.006', per: 'day' }])
    const results = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        if (index % 3 === 0) {
          const answer = await ask(it, { id: nextId(), calls: 4 })
          return answer.allowed ? (parseUsd(answer.lease?.usd ?? '0') ?? 0n) : 0n
        }
        return (await it.guard.reserve(ahead({ agent: 'a' }))).allowed ? 300_000_000n : 0n
      }),
    )
    const total = results.reduce<bigint>((sum, each) => sum + each, 0n)
    expect(total).toBeLessThanOrEqual(6_000_000_000n)
    expect(total).toBeGreaterThan(5_600_000_000n)
  })
})

test.each([
  [{ id: 'mine' }, '"lease.id"'],
  [{ id: nextId(), calls: -1 }, '"lease.calls"'],
  [{ id: nextId(), calls: 1.5 }, '"lease.calls"'],
  [{ id: nextId(), calls: 1_001 }, '"lease.calls"'],
  [{ id: nextId(), heldTokens: -1 }, '"lease.heldTokens"'],
  [{ id: nextId(), heldUsd: '-1' }, '"lease.heldUsd"'],
  [{ id: nextId(), heldUsd: 'much' }, '"lease.heldUsd"'],
  [{ id: nextId(), ttlMs: 1 }, '"lease.ttlMs"'],
  [{ id: nextId(), ttlMs: 600_001 }, '"lease.ttlMs"'],
])('a lease request %j is refused in a sentence', (json, complaint) => {
  expect(leaseRequestOf(json, ahead())).toContain(complaint)
})

test('a lease of a day long gone has expired by noon', async () => {
  const it = await ride([{ limit: '$1', per: 'day' }], { at: noon - 86_400_000 })
  const id = nextId()
  await ask(it, { id })
  it.now = noon
  expect(it.guard.giveBack(id)).toBe(false)
})
