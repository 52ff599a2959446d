import { describe, expect, test, vi } from 'vitest'
import type { EventJson, ItemResult } from '../intake/event-json.ts'
import { backoffMsMax, createEventQueue, eventsPerSendMax, type QueueOptions } from './event-queue.ts'
import { SendError } from './send-error.ts'
import type { WarningCode } from './warning.ts'

const eventOf = (id: number): EventJson => ({ id: String(id), at: 0, kind: 'tool', tool: 't' })
const accepted = (event: EventJson): ItemResult => ({ id: event.id, outcome: 'accepted', costUsd: '1' })

interface Fake {
  /** What each further send does: fails in this way, or keeps the batch. */
  readonly plan: (Error | 'hang')[]
  readonly batches: string[][]
  readonly warnings: WarningCode[]
}

const queueWith = (fake: Fake, more: Partial<QueueOptions> = {}) =>
  createEventQueue({
    sender: {
      async send(events, signal) {
        const next = fake.plan.shift()
        if (next === 'hang') {
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        } else if (next !== undefined) throw next
        fake.batches.push(events.map((event) => event.id))
        return events.map(accepted)
      },
      async close() {},
    },
    eventsMax: 10_000,
    flushIntervalMs: 1,
    random: () => 0,
    warn: (code) => fake.warnings.push(code),
    ...more,
  })

const fakeWith = (...plan: Fake['plan']): Fake => ({ plan, batches: [], warnings: [] })
const down = () => new SendError('temporary', 'down')

describe('the queue of events', () => {
  test('keeps the order, cuts into batches, and tells each event what became of it', async () => {
    const fake = fakeWith()
    const queue = queueWith(fake)
    const told: string[] = []
    for (let id = 0; id < eventsPerSendMax * 2 + 5; id++) queue.push(eventOf(id), (result) => told.push(String(result?.id)))
    expect(await queue.flush(1_000, true)).toBe(true)
    expect(fake.batches.map((batch) => batch.length)).toEqual([eventsPerSendMax, eventsPerSendMax, 5])
    expect(fake.batches.flat()).toEqual(Array.from({ length: 1_005 }, (_, id) => String(id)))
    expect(told).toEqual(fake.batches.flat())
    expect(queue.stats()).toMatchObject({ queued: 0, sent: 1_005, dropped: 0 })
  })

  test('sends by itself, without being flushed', async () => {
    const fake = fakeWith()
    queueWith(fake).push(eventOf(1))
    await vi.waitFor(() => expect(fake.batches).toEqual([['1']]))
  })

  test('sends again what failed, with the same ids and before what came later', async () => {
    const fake = fakeWith(down(), down())
    const queue = queueWith(fake)
    queue.push(eventOf(1))
    const flushed = queue.flush(1_000, true)
    queue.push(eventOf(2))
    expect(await flushed).toBe(true)
    expect(fake.batches.flat().slice(0, 1)).toEqual(['1'])
    expect(queue.stats()).toMatchObject({ sendFailures: 2, dropped: 0 })
    expect(fake.warnings).toContain('ledger-unreachable')
  })

  test('waits twice as long after each failure, up to a limit, and a random share of that', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      for (const share of [1, 0.5]) {
        const sentAt: number[] = []
        const start = performance.now()
        const queue = queueWith(fakeWith(), {
          random: () => share,
          sender: {
            async send() {
              sentAt.push(performance.now() - start)
              throw down()
            },
            async close() {},
          },
        })
        queue.push(eventOf(1))
        await vi.advanceTimersByTimeAsync(120_000)
        const waits = sentAt.slice(1, 10).map((at, index) => (at - (sentAt[index] ?? 0)) / share)
        expect(waits.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, backoffMsMax, backoffMsMax])
      }
    } finally {
      vi.useRealTimers()
    }
  })

  test('an impatient flush gives up at the first failure, a patient one at its time', async () => {
    const fake = fakeWith(...Array.from({ length: 100 }, down))
    const queue = queueWith(fake, { random: () => 1 })
    queue.push(eventOf(1))
    expect(await queue.flush(10_000, false)).toBe(false)
    expect(queue.isReachable).toBe(false)
    expect(await queue.flush(5, true)).toBe(false)
    expect(queue.stats().queued).toBe(1)
  })

  test('is reachable again once a send succeeds', async () => {
    const fake = fakeWith(down())
    const queue = queueWith(fake)
    queue.push(eventOf(1))
    await queue.flush(1_000, true)
    expect(queue.isReachable).toBe(true)
  })

  test('keeps at most its limit; what is past it is dropped, counted and told', async () => {
    const fake = fakeWith('hang')
    const queue = queueWith(fake, { eventsMax: 3 })
    const lost: (ItemResult | undefined)[] = []
    for (let id = 0; id < 5; id++) queue.push(eventOf(id), (result) => lost.push(result))
    expect(queue.stats()).toMatchObject({ queued: 3, dropped: 2 })
    expect(lost).toEqual([undefined, undefined])
    expect(fake.warnings).toEqual(['events-dropped', 'events-dropped'])
    await queue.close(1)
  })

  test('a batch that is too large is sent in halves, and an event that alone is too large is lost', async () => {
    const sizes: number[] = []
    const queue = queueWith(fakeWith(), {
      sender: {
        async send(events) {
          sizes.push(events.length)
          if (events.length > 1 || events[0]?.id === '2') throw new SendError('too-large', 'too large')
          return events.map(accepted)
        },
        async close() {},
      },
    })
    for (let id = 0; id < 4; id++) queue.push(eventOf(id))
    expect(await queue.flush(1_000, true)).toBe(true)
    expect(sizes).toEqual([4, 2, 1, 1, 1, 1])
    expect(queue.stats()).toMatchObject({ sent: 3, dropped: 1 })
  })

  test('a batch that is refused for good is lost and counted, and the next one is sent', async () => {
    const fake = fakeWith(new SendError('refused', 'malformed'))
    const queue = queueWith(fake)
    queue.push(eventOf(1))
    expect(await queue.flush(1_000, true)).toBe(true)
    queue.push(eventOf(2))
    expect(await queue.flush(1_000, true)).toBe(true)
    expect(fake.batches).toEqual([['2']])
    expect(queue.stats()).toMatchObject({ sent: 1, dropped: 1 })
  })

  test('a rejected event is counted with its reason and does not hold up the others', async () => {
    const fake = fakeWith()
    const queue = queueWith(fake, {
      sender: {
        send: async (events) =>
          events.map((event) => (event.id === '1' ? { outcome: 'rejected', reason: 'bad-time', message: 'late' } : accepted(event))),
        async close() {},
      },
    })
    for (let id = 0; id < 3; id++) queue.push(eventOf(id))
    await queue.flush(1_000, true)
    expect(queue.stats()).toMatchObject({ sent: 2, rejected: 1 })
    expect(fake.warnings).toEqual(['event-rejected'])
  })

  test('closing sends what is left; what cannot be sent in time is lost and counted; what comes later is too', async () => {
    const fake = fakeWith()
    const queue = queueWith(fake, { flushIntervalMs: 60_000 })
    queue.push(eventOf(1))
    await queue.close(1_000)
    expect(fake.batches).toEqual([['1']])
    queue.push(eventOf(2))
    expect(queue.stats()).toMatchObject({ queued: 0, sent: 1, dropped: 1 })

    const hanging = queueWith(fakeWith('hang'))
    hanging.push(eventOf(1))
    await hanging.close(5)
    expect(hanging.stats()).toMatchObject({ queued: 0, dropped: 1 })
  })
})
