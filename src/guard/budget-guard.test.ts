import { afterEach, describe, expect, test, vi } from 'vitest'
import { dailyBudget } from '../core/budget.ts'
import { parseBudgets } from '../core/budget-form.ts'
import type { Decision } from './guard.ts'
import { memoryBook } from './memory-book.ts'
import { ahead, entry, micro, nextId, noon, type Ride, ride, toolEntry } from './ride.contract.ts'

const minute = 60_000
const hour = 60 * minute
const allowed = (decision: Decision): boolean => decision.allowed
const reservationOf = (decision: Decision): string => {
  if (!decision.allowed || decision.reservation === undefined) throw new Error('nothing was reserved')
  return decision.reservation
}
const only = ({ guard }: Ride) => {
  const [status, ...others] = guard.status()
  if (status === undefined || others.length > 0) throw new Error('there is not just one allowance')
  return status
}

describe('a call before it is sent', () => {
  test('goes free where no budget binds it', async () => {
    const { guard } = await ride([{ scope: 'agent:other', limit: '$1', per: 'day' }])
    expect(await guard.reserve(ahead({ agent: 'support' }))).toEqual({ allowed: true, reservation: undefined })
  })

  test('has its worst case set aside: prompt and output limit at their rates', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    expect(allowed(await it.guard.reserve(ahead({ promptTokens: 100, outputMax: 100 })))).toBe(true)
    expect(only(it)).toMatchObject({ spent: micro(0), reserved: micro(300), remaining: micro(999_700), status: 'ok' })
  })

  test('is refused when the worst case does not fit, with all that a person needs to decide', async () => {
    const it = await ride([{ name: 'support', limit: '$0.001', per: 'day', zone: 'Europe/Berlin' }])
    await it.keep(entry({ input: 500 }))
    expect(allowed(await it.guard.reserve(ahead()))).toBe(true)
    expect(await it.guard.reserve(ahead())).toEqual({
      allowed: false,
      refusal: {
        budget: 'support',
        scope: 'all',
        unit: 'usd',
        limit: micro(1_000),
        spent: micro(500),
        reserved: micro(300),
        asked: micro(300),
        resetsAt: '2026-11-22T23:00:00.000Z',
        reason: 'exceeded',
        message:
          'Budget "support" has $0.0002 left of $0.001 per day (Europe/Berlin) ($0.0005 spent, $0.0003 reserved), and this call can take $0.0003. Raise the limit, lower the call\'s output limit or wait until 2026-11-22T23:00:00.000Z.',
      },
    })
    expect(it.guard.counters()).toMatchObject({ reserved: 1, refused: 1 })
  })

  test('is held by every budget that binds it, or by none', async () => {
    const it = await ride([
      { name: 'wide', limit: '$1', per: 'day' },
      { name: 'narrow', scope: 'agent', limit: '200 tokens', per: '1h' },
    ])
    expect(allowed(await it.guard.reserve(ahead({ agent: 'a' })))).toBe(true)
    const refused = await it.guard.reserve(ahead({ agent: 'a' }))
    expect(refused).toMatchObject({ allowed: false, refusal: { budget: 'narrow', value: 'a', unit: 'tokens', asked: '200' } })
    expect(allowed(await it.guard.reserve(ahead({ agent: 'b' })))).toBe(true)
    expect(it.guard.status().map(({ name, value, reserved }) => [name, value, reserved])).toEqual([
      ['wide', undefined, micro(600)],
      ['narrow', 'a', '200'],
      ['narrow', 'b', '200'],
    ])
  })

  test('that cannot cost anything passes a budget in dollars that is spent', async () => {
    const it = await ride([{ limit: '$0.0001', per: 'day' }])
    await it.keep(entry({ input: 500 }))
    expect(allowed(await it.guard.reserve(ahead({ provider: 'free', model: 'local' })))).toBe(true)
    expect(allowed(await it.guard.reserve(ahead()))).toBe(false)
  })

  test('passes a budget that only warns, and is counted', async () => {
    const it = await ride([{ limit: '$0.0001', per: 'day', onExceed: 'warn' }])
    expect(allowed(await it.guard.reserve(ahead()))).toBe(true)
    expect(it.guard.counters()).toMatchObject({ warned: 1, refused: 0 })
  })

  test('is decided without a promise once the allowance is known', async () => {
    const { guard } = await ride([{ limit: '$1', per: 'day' }])
    await guard.reserve(ahead())
    expect(guard.reserve(ahead({ promptTokens: 1, outputMax: 1 }))).not.toBeInstanceOf(Promise)
  })
})

describe('a model without a price', () => {
  const unknown = ahead({ model: 'brand-new' })
  test.each([
    ['block', false, 0],
    ['allow', true, 0],
    ['assume $10 per million tokens', true, 2_000],
  ] as const)('%s', async (unpriced, passes, reserved) => {
    const it = await ride([{ limit: '$1', per: 'day', unpriced }])
    const decision = await it.guard.reserve(unknown)
    expect(decision.allowed).toBe(passes)
    if (!decision.allowed) expect(decision.refusal).toMatchObject({ reason: 'unpriced', asked: 'unknown' })
    expect(only(it).reserved).toBe(micro(reserved))
    await it.keep(entry({ model: 'brand-new', input: 30 }))
    expect(only(it).spent).toBe(micro(unpriced.startsWith('assume') ? 300 : 0))
    expect((await it.restart()).guard.status()[0]?.spent).toBe(micro(unpriced.startsWith('assume') ? 300 : 0))
  })

  test('does not concern a budget in tokens', async () => {
    const it = await ride([{ limit: '1000 tokens', per: 'day' }])
    expect(allowed(await it.guard.reserve(unknown))).toBe(true)
    expect(only(it).reserved).toBe('200')
  })
})

describe('from a reservation to its entry', () => {
  test('settling without a named event gives back at once', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    it.guard.settle(reservationOf(await it.guard.reserve(ahead())))
    expect(only(it).reserved).toBe(micro(0))
  })

  test('settled before its entry, a named call stays set aside until the entry comes, and is never counted twice', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    const event = nextId()
    const id = reservationOf(await it.guard.reserve(ahead({ event })))
    it.guard.settle(id)
    expect(only(it)).toMatchObject({ spent: micro(0), reserved: micro(300) })
    await it.keep(entry({ id: event, input: 80 }))
    expect(only(it)).toMatchObject({ spent: micro(80), reserved: micro(0) })
    expect(it.guard.counters()).toMatchObject({ settled: 1, lateSettles: 0 })
  })

  test('settled after its entry, nothing happens any more', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    const event = nextId()
    const id = reservationOf(await it.guard.reserve(ahead({ event })))
    await it.keep(entry({ id: event, input: 80 }))
    expect(only(it)).toMatchObject({ spent: micro(80), reserved: micro(0) })
    it.guard.settle(id)
    expect(only(it)).toMatchObject({ spent: micro(80), reserved: micro(0) })
    expect(it.guard.counters()).toMatchObject({ settled: 1, lateSettles: 0 })
  })

  test('what a call is known to have used is all that stays set aside until its entry comes', async () => {
    const it = await ride([
      { limit: '$1', per: 'day' },
      { limit: '1000 tokens', per: 'day' },
    ])
    const id = reservationOf(await it.guard.reserve(ahead({ event: nextId() })))
    it.guard.settle(id, { cost: 80_000_000n as never })
    expect(it.guard.status().map(({ reserved }) => reserved)).toEqual([micro(80), '200'])
    it.now += 9 * minute
    expect(it.guard.status().map(({ reserved }) => reserved)).toEqual([micro(80), '200'])
  })

  test('a call that was never sent gives everything back at once', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    it.guard.settle(reservationOf(await it.guard.reserve(ahead({ event: nextId() }))), { cost: 0n as never, tokens: 0 })
    expect(only(it).reserved).toBe(micro(0))
  })

  test('an entry that never comes gives its call back after the grace', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }], { settleGraceMs: 5_000 })
    it.guard.settle(reservationOf(await it.guard.reserve(ahead({ event: nextId() }))))
    it.now += 4_999
    expect(only(it).reserved).toBe(micro(300))
    it.now += 1
    expect(only(it).reserved).toBe(micro(0))
  })

  test('repeated, unknown and late settles are ignored and counted', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }], { leaseMs: minute })
    const first = reservationOf(await it.guard.reserve(ahead()))
    const second = reservationOf(await it.guard.reserve(ahead()))
    it.guard.settle(first)
    it.guard.settle(first)
    it.guard.settle('never made')
    it.now += minute
    expect(only(it).reserved).toBe(micro(0))
    it.guard.settle(second)
    expect(it.guard.counters()).toMatchObject({ settled: 1, expired: 1, lateSettles: 3 })
  })

  test('the entry of a call whose reservation has expired is spent all the same', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }], { leaseMs: minute })
    const event = nextId()
    await it.guard.reserve(ahead({ event }))
    it.now += minute
    await it.keep(entry({ id: event, input: 80, at: noon }))
    expect(only(it)).toMatchObject({ spent: micro(80), reserved: micro(0) })
  })

  test('what an aborted call used stays spent', async () => {
    const it = await ride([{ limit: '$1', per: 'day' }])
    const event = nextId()
    const id = reservationOf(await it.guard.reserve(ahead({ event })))
    await it.keep(entry({ id: event, input: 70, output: 5, status: 'aborted', quality: 'estimated' }))
    it.guard.settle(id)
    expect(only(it)).toMatchObject({ spent: micro(80), reserved: micro(0) })
  })

  test('tools are spent in dollars and not in tokens', async () => {
    const it = await ride([
      { limit: '$1', per: 'day' },
      { limit: '1000 tokens', per: 'day' },
    ])
    await it.keep(toolEntry(5_000))
    expect(it.guard.status().map(({ spent }) => spent)).toEqual([micro(5_000), '0'])
  })

  test('an entry that leaves the totals is taken back', async () => {
    const it = await ride([{ scope: 'agent', limit: '$1', per: '24h' }])
    const told = entry({ source: 'sdk', callKey: 'acme:1', agent: 'a', input: 100 })
    await it.keep(told)
    await it.keep(entry({ source: 'gateway', callKey: 'acme:1', input: 70 }))
    expect(only(it)).toMatchObject({ value: 'a', spent: micro(70) })
    expect((await it.restart()).guard.status()[0]).toMatchObject({ value: 'a', spent: micro(70) })
  })
})

describe('windows', () => {
  test('a calendar budget resets at its instant, not a second later', async () => {
    const it = await ride([{ limit: '$0.0003', per: 'day', zone: 'Asia/Kathmandu' }])
    await it.keep(entry({ input: 200 }))
    it.now = Date.parse('2026-11-22T18:14:59.999Z')
    expect(allowed(await it.guard.reserve(ahead()))).toBe(false)
    it.now += 1
    expect(allowed(await it.guard.reserve(ahead()))).toBe(true)
    expect(only(it)).toMatchObject({ spent: micro(0), resetsAt: '2026-11-23T18:15:00.000Z' })
  })

  test('a rolling budget says when enough has left', async () => {
    const it = await ride([{ limit: '$0.0005', per: '1h' }])
    await it.keep(entry({ input: 200, at: noon - 30 * minute }))
    await it.keep(entry({ input: 200, at: noon - 10 * minute }))
    const refused = await it.guard.reserve(ahead())
    expect(refused).toMatchObject({ allowed: false, refusal: { resetsAt: '2026-11-22T12:31:00.000Z' } })
    it.now = Date.parse('2026-11-22T12:31:00.000Z')
    expect(allowed(await it.guard.reserve(ahead()))).toBe(true)
  })

  test.each([
    ['1h', hour, minute],
    ['24h', 24 * hour, 15 * minute],
    ['7d', 7 * 24 * hour, 15 * minute],
  ])('a rolling budget of %s that was learned from the ledger forgets late, and never early', async (per, span, late) => {
    const it = await ride([])
    const at = noon - 10 * hour - 7 * minute - 31_000
    await it.keep(entry({ input: 100, at }))
    it.now = per === '1h' ? at + 20_000 : noon
    const next = await it.restart({ budgets: parseBudgets([{ name: 'rolling', limit: '$1', per }]) })
    next.now = at + span
    expect(only(next).spent).toBe(micro(100))
    next.now = at + span + late
    expect(only(next).spent).toBe(micro(0))
  })

  test('a total never resets', async () => {
    const it = await ride([{ limit: '$0.0003', per: 'total' }])
    await it.keep(entry({ input: 300, at: noon - 400 * 24 * hour }))
    it.now += 10_000 * 24 * hour
    expect(allowed(await it.guard.reserve(ahead()))).toBe(false)
    expect(only(it)).not.toHaveProperty('resetsAt')
  })

  test('a call in flight over a reset stays set aside in the new window', async () => {
    const it = await ride([{ limit: '$0.0003', per: 'day' }], { at: Date.parse('2026-11-22T23:59:59Z') })
    const event = nextId()
    await it.guard.reserve(ahead({ event }))
    it.now += 1_000
    expect(allowed(await it.guard.reserve(ahead()))).toBe(false)
    await it.keep(entry({ id: event, at: Date.parse('2026-11-22T23:59:59Z') }))
    expect(allowed(await it.guard.reserve(ahead()))).toBe(true)
  })
})

describe('the budget of a run', () => {
  test('lasts as long as the run, before and after a restart', async () => {
    const it = await ride([{ scope: 'run', limit: '$0.0005' }])
    await it.guard.reserve(ahead({ run: 'r-1' }))
    await it.keep(entry({ run: 'r-1', input: 150 }))
    expect(await it.guard.reserve(ahead({ run: 'r-1' }))).toMatchObject({ allowed: false, refusal: { scope: 'run', value: 'r-1' } })
    expect(allowed(await it.guard.reserve(ahead({ run: 'r-2' })))).toBe(true)
    const next = await it.restart()
    next.now += hour
    expect(await next.guard.reserve(ahead({ run: 'r-1', outputMax: 126 }))).toMatchObject({
      allowed: false,
      refusal: { spent: micro(150), reserved: micro(0) },
    })
    expect(allowed(await next.guard.reserve(ahead({ run: 'r-1', outputMax: 125 })))).toBe(true)
  })

  test('can be declared with the call itself, and be raised', async () => {
    const it = await ride([])
    const call = (runBudgetUsd: string) => ahead({ run: 'r-1', runBudgetUsd })
    expect(allowed(await it.guard.reserve(call('0.0004')))).toBe(true)
    await it.keep(entry({ run: 'r-1', input: 100 }))
    expect(await it.guard.reserve(call('0.0004'))).toMatchObject({
      allowed: false,
      refusal: { budget: 'run budget', value: 'r-1', spent: micro(100), reserved: micro(300) },
    })
    expect(allowed(await it.guard.reserve(call('0.0008')))).toBe(true)
  })

  test('an entry that is observed while the ledger is asked of its run is counted once', async () => {
    const it = await ride([{ scope: 'run', limit: '$1' }])
    const [first, second] = [entry({ run: 'r-1', input: 10 }), entry({ run: 'r-1', input: 20 })]
    const kept = await it.store.append([first, second])
    const deciding = it.guard.reserve(ahead({ run: 'r-1' }))
    for (const { counted } of kept) it.guard.observe(counted, undefined)
    await deciding
    expect(only(it).spent).toBe(micro(30))
    // Observed late: it was in the ledger's answer already.
    it.guard.observe(kept[0]?.counted, undefined)
    expect(only(it).spent).toBe(micro(30))
    await it.keep(entry({ run: 'r-1', input: 5 }))
    expect(only(it).spent).toBe(micro(35))
  })
})

describe('thresholds', () => {
  const shares = ({ crossings }: Ride): readonly number[] => crossings.map(({ share }) => share)

  test('each fires once, on the entry that reaches it', async () => {
    const it = await ride([{ limit: '$0.001', per: 'day', thresholds: ['50%', '80%'] }])
    for (let index = 0; index < 15; index++) await it.keep(entry({ input: 100 }))
    expect(it.crossings).toMatchObject([
      { share: 0.5, spent: micro(500), isLimit: false },
      { share: 0.8, spent: micro(800), isLimit: false },
      { share: 1, spent: micro(1_000), isLimit: true },
    ])
    expect(it.guard.counters()).toMatchObject({ crossings: 3, breaches: 1 })
  })

  test('none fires again after a restart in the same window, and all can in the next', async () => {
    const it = await ride([{ limit: '$0.001', per: 'day' }])
    await it.keep(entry({ input: 900 }))
    expect(shares(it)).toEqual([0.5, 0.8])
    const next = await it.restart()
    await next.keep(entry({ input: 50 }))
    expect(shares(next)).toEqual([])
    next.now += 24 * hour
    await next.keep(entry({ input: 600, at: next.now }))
    expect(shares(next)).toEqual([0.5])
  })

  test('what was crossed while nobody watched fires at the start', async () => {
    const it = await ride([])
    await it.keep(entry({ input: 900 }))
    const next = await it.restart({ budgets: [dailyBudget('UTC', 500_000_000n as never)] })
    await vi.waitFor(() => expect(next.guard.counters()).toMatchObject({ crossings: 1, breaches: 1 }))
  })

  test('a lowered limit fires once for what is spent already, a raised one waits for it again', async () => {
    const it = await ride([{ name: 'daily', limit: '$0.001', per: 'day', thresholds: [] }])
    await it.keep(entry({ input: 600 }))
    expect(shares(it)).toEqual([])
    const limited = (limit: string) => parseBudgets([{ name: 'daily', limit, per: 'day', thresholds: [] }])
    await it.guard.reload(limited('$0.0005'))
    await vi.waitFor(() => expect(shares(it)).toEqual([1]))
    await it.guard.reload(limited('$0.0007'))
    await it.keep(entry({ input: 50 }))
    expect(shares(it)).toEqual([1])
    await it.keep(entry({ input: 50 }))
    await vi.waitFor(() => expect(shares(it)).toEqual([1, 1]))
  })

  test('an entry that is taken back and comes again does not fire again', async () => {
    const it = await ride([{ limit: '$0.001', per: 'day', thresholds: [0.5] }])
    const large = entry({ input: 600 })
    it.guard.observe(large, undefined)
    it.guard.observe(undefined, large)
    it.guard.observe(large, undefined)
    await vi.waitFor(() => expect(it.crossings.length).toBeGreaterThan(0))
    expect(shares(it)).toEqual([0.5])
  })

  test('a rolling window fires again once it has been below and a span has passed', async () => {
    const it = await ride([{ limit: '$0.001', per: '1h', thresholds: [0.5] }])
    await it.keep(entry({ input: 600 }))
    it.now = noon + 40 * minute
    await it.keep(entry({ input: 10, at: it.now }))
    expect(shares(it)).toEqual([0.5])
    it.now = noon + 70 * minute
    await it.keep(entry({ input: 10, at: it.now }))
    it.now = noon + 71 * minute
    await it.keep(entry({ input: 600, at: it.now }))
    await vi.waitFor(() => expect(shares(it)).toEqual([0.5, 0.5]))
  })

  test('a mark that cannot be kept fires at the next entry, once', async () => {
    const book = memoryBook()
    const failing = vi.fn().mockRejectedValueOnce(new Error('disk full')).mockImplementation(book.mark)
    const it = await ride([{ limit: '$0.001', per: 'day', thresholds: [0.5] }], { book: { ...book, mark: failing } })
    await it.keep(entry({ input: 600 }))
    expect([shares(it), it.guard.counters().unavailable]).toEqual([[], 1])
    await it.keep(entry({ input: 1 }))
    await it.keep(entry({ input: 1 }))
    expect(shares(it)).toEqual([0.5])
  })
})

describe('reloading', () => {
  test('another limit takes effect at once and loses nothing that was spent or is in flight', async () => {
    const it = await ride([{ name: 'a', limit: '$0.0005', per: 'day' }])
    await it.keep(entry({ input: 100 }))
    await it.guard.reserve(ahead())
    expect(allowed(await it.guard.reserve(ahead()))).toBe(false)
    await it.guard.reload(parseBudgets([{ name: 'a', limit: '$0.001', per: 'day' }]))
    expect(only(it)).toMatchObject({ spent: micro(100), reserved: micro(300), limit: micro(1_000) })
    expect(allowed(await it.guard.reserve(ahead()))).toBe(true)
    await it.guard.reload(parseBudgets([{ name: 'a', limit: '$0.0002', per: 'day' }]))
    expect(allowed(await it.guard.reserve(ahead({ outputMax: 0 })))).toBe(false)
  })

  test('a budget that is new, or has another window, learns from the ledger what was spent', async () => {
    const it = await ride([{ name: 'a', limit: '$1', per: 'day' }])
    await it.keep(entry({ input: 100, at: noon - 20 * hour }), entry({ input: 50 }))
    await it.guard.reload(
      parseBudgets([
        { name: 'a', limit: '$1', per: '24h' },
        { name: 'b', limit: '1000 tokens', per: 'total' },
      ]),
    )
    expect(it.guard.status().map(({ name, spent }) => [name, spent])).toEqual([
      ['b', '150'],
      ['a', micro(150)],
    ])
  })

  test('the same budget twice counts once', async () => {
    const it = await ride([
      { name: 'a', limit: '$1', per: 'day' },
      { name: 'a', limit: '$2', per: 'day' },
    ])
    await it.keep(entry({ input: 100 }))
    expect(only(it)).toMatchObject({ spent: micro(100), limit: micro(2_000_000) })
  })

  test('a ledger that cannot be asked changes nothing', async () => {
    const it = await ride([{ name: 'a', limit: '$0.0005', per: 'day' }])
    const asking = vi.spyOn(it.store, 'ask').mockRejectedValue(new Error('closed'))
    await expect(it.guard.reload(parseBudgets([{ name: 'b', limit: '$1', per: 'day' }]))).rejects.toThrow('closed')
    asking.mockRestore()
    expect(only(it).name).toBe('a')
  })

  test('an entry that is kept during the reload is not lost', async () => {
    const it = await ride([])
    const asking = vi.spyOn(it.store, 'ask').mockImplementationOnce(async (question) => {
      const answer = await it.store.ask(question)
      await it.keep(entry({ input: 40 }))
      return answer
    })
    await it.guard.reload(parseBudgets([{ limit: '$1', per: 'day', name: 'a' }]))
    expect(asking).toHaveBeenCalled()
    expect(only(it).spent).toBe(micro(40))
  })
})

describe('when nobody can say what is left', () => {
  const broken = async (onUnavailable?: 'allow' | 'block') => {
    const it = await ride([{ scope: 'run', limit: '$1' }], { ...(onUnavailable && { onUnavailable }) })
    vi.spyOn(it.store, 'entries').mockRejectedValue(new Error('LEDGER_FAILED: the disk is gone.'))
    return it
  }
  afterEach(() => vi.restoreAllMocks())

  test('calls go on by default, and say so', async () => {
    const it = await broken()
    expect(await it.guard.reserve(ahead({ run: 'r' }))).toEqual({ allowed: true, reservation: undefined, because: 'unavailable' })
    expect(it.guard.counters().unavailable).toBeGreaterThan(0)
  })

  test('calls are held back where that is wished, and pass again as soon as the ledger answers', async () => {
    const it = await broken('block')
    expect(await it.guard.reserve(ahead({ run: 'r' }))).toMatchObject({ allowed: false, refusal: { reason: 'unavailable', value: 'r' } })
    vi.restoreAllMocks()
    expect(allowed(await it.guard.reserve(ahead({ run: 'r' })))).toBe(true)
  })

  test('a lease that cannot be written is the same, and nothing stays set aside', async () => {
    const book = memoryBook()
    const it = await ride([{ limit: '$1', per: 'day' }], {
      book: { ...book, reserve: () => Promise.reject(new Error('disk full')) },
      onUnavailable: 'block',
    })
    expect(await it.guard.reserve(ahead())).toMatchObject({ allowed: false, refusal: { reason: 'unavailable' } })
    expect(only(it).reserved).toBe(micro(0))
  })
})

describe('the state of an allowance', () => {
  test('says at which rate it is spent and when it will be exhausted', async () => {
    const it = await ride([{ limit: '$0.003', per: 'day' }])
    await it.keep(entry({ input: 1_000, at: noon - 2 * hour }), entry({ input: 500, at: noon - 10 * minute }))
    expect(only(it)).toMatchObject({
      spent: micro(1_500),
      burnRatePerHour: micro(500),
      exhaustsAt: '2026-11-22T15:00:00.000Z',
      resetsAt: '2026-11-23T00:00:00.000Z',
      share: 0.5,
      status: 'warning',
      thresholds: [
        { share: 0.5, isCrossed: true },
        { share: 0.8, isCrossed: false },
        { share: 1, isCrossed: false },
      ],
    })
    expect((await it.restart()).guard.status()[0]).toEqual(only(it))
  })

  test('is not exhausted before it resets, when it resets first', async () => {
    const it = await ride([{ limit: '$0.010', per: 'day' }])
    await it.keep(entry({ input: 500 }))
    expect(only(it)).not.toHaveProperty('exhaustsAt')
  })

  test('shows the fullest first', async () => {
    const it = await ride([{ scope: 'agent', limit: '$1', per: 'day' }])
    await it.keep(...[3, 1, 2].map((share) => entry({ agent: `a${share}`, input: share * 1_000 })))
    expect(it.guard.status(2).map(({ value }) => value)).toEqual(['a3', 'a2'])
  })
})
