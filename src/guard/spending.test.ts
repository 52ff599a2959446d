import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BudgetWindow } from '../core/budget.ts'
import { emptySpending, instantBelow, spanMs, spend, spentAt } from './spending.ts'

const calendar = (interval: 'hour' | 'day' | 'week' | 'month', zone: string): BudgetWindow => ({ kind: 'calendar', interval, zone })
const utc = (text: string): number => Date.parse(text)

/** The instant of the reset, found by looking: spent until the millisecond before, empty from it on. */
const resetOf = (window: BudgetWindow, from: number): string => {
  const spending = emptySpending(window, from)
  spend(spending, from, 5n, from)
  const end = spending.end
  expect(spentAt(spending, end - 1)).toBe(5n)
  expect(spentAt(spending, end)).toBe(0n)
  return new Date(end).toISOString()
}

describe('a calendar window resets at the instant its zone says', () => {
  test.each([
    ['a plain day in UTC', calendar('day', 'UTC'), '2026-11-22T15:00:00Z', '2026-11-23T00:00:00.000Z'],
    ['the day of 23 hours in Berlin', calendar('day', 'Europe/Berlin'), '2026-03-29T00:30:00Z', '2026-03-29T22:00:00.000Z'],
    ['the day of 25 hours in Berlin', calendar('day', 'Europe/Berlin'), '2026-10-25T00:30:00Z', '2026-10-25T23:00:00.000Z'],
    ['the day of 23 hours in New York', calendar('day', 'America/New_York'), '2026-03-08T06:00:00Z', '2026-03-09T04:00:00.000Z'],
    ['the day of 25 hours in New York', calendar('day', 'America/New_York'), '2026-11-01T05:00:00Z', '2026-11-02T05:00:00.000Z'],
    ['a day at an offset of 5:45', calendar('day', 'Asia/Kathmandu'), '2026-11-22T18:14:00Z', '2026-11-22T18:15:00.000Z'],
    ['a change of half an hour, forward', calendar('day', 'Australia/Lord_Howe'), '2026-10-03T14:00:00Z', '2026-10-04T13:00:00.000Z'],
    ['a change of half an hour, back', calendar('day', 'Australia/Lord_Howe'), '2026-04-04T14:00:00Z', '2026-04-05T13:30:00.000Z'],
    ['a week begins on Monday', calendar('week', 'Europe/Berlin'), '2026-10-25T12:00:00Z', '2026-10-25T23:00:00.000Z'],
    ['a month has its own length', calendar('month', 'America/New_York'), '2026-02-10T00:00:00Z', '2026-03-01T05:00:00.000Z'],
    ['an hour at an offset of 5:45', calendar('hour', 'Asia/Kathmandu'), '2026-11-22T10:20:00Z', '2026-11-22T11:15:00.000Z'],
  ] as const)('%s', (_name, window, from, reset) => {
    expect(resetOf(window, utc(from))).toBe(reset)
  })

  test('a call that began before the reset belongs to the window that has gone', () => {
    const spending = emptySpending(calendar('day', 'UTC'), utc('2026-11-22T23:59:00Z'))
    spend(spending, utc('2026-11-22T23:59:59.999Z'), 7n, utc('2026-11-23T00:00:01Z'))
    expect(spentAt(spending, utc('2026-11-23T00:00:01Z'))).toBe(0n)
  })

  test('a call from a clock that is ahead is counted when its day begins', () => {
    const now = utc('2026-11-22T23:59:00Z')
    const spending = emptySpending(calendar('day', 'UTC'), now)
    spend(spending, utc('2026-11-23T00:00:30Z'), 7n, now)
    expect(spentAt(spending, now)).toBe(0n)
    expect(spentAt(spending, utc('2026-11-23T00:00:00Z'))).toBe(7n)
  })

  test('what is taken back leaves the sum, and never below zero', () => {
    const now = utc('2026-11-22T12:00:00Z')
    const spending = emptySpending(calendar('day', 'UTC'), now)
    spend(spending, now, 7n, now)
    spend(spending, now, -7n, now)
    expect(spentAt(spending, now)).toBe(0n)
    spend(spending, now, -1n, now)
    expect(spentAt(spending, now)).toBe(0n)
  })
})

describe('a rolling window', () => {
  test('is never below the true sum, and above it only by what lies in the minute after the edge', () => {
    const span = spanMs['1h']
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 400_000 }),
      late: fc.integer({ min: 0, max: 200_000 }),
      amount: fc.bigInt(1n, 99n),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        let now = utc('2026-11-22T12:00:00Z')
        const spending = emptySpending({ kind: 'rolling', span: '1h' }, now)
        const all: { at: number; amount: bigint }[] = []
        const since = (from: number) => all.filter(({ at }) => at > from).reduce((sum, { amount }) => sum + amount, 0n)
        for (const { wait, late, amount } of steps) {
          now += wait
          all.push({ at: now - late, amount })
          spend(spending, now - late, amount, now)
          const spent = spentAt(spending, now)
          expect(spent).toBeGreaterThanOrEqual(since(now - span))
          expect(spent).toBeLessThanOrEqual(since(now - span - 60_000))
        }
      }),
    )
  })

  test('says when enough will have left', () => {
    const now = utc('2026-11-22T12:00:30Z')
    const spending = emptySpending({ kind: 'rolling', span: '1h' }, now)
    spend(spending, now - 120_000, 3n, now)
    spend(spending, now, 4n, now)
    expect(instantBelow(spending, 4n, now)).toBe(utc('2026-11-22T12:59:00Z'))
    expect(instantBelow(spending, 3n, now)).toBe(utc('2026-11-22T13:01:00Z'))
    expect(instantBelow(spending, -1n, now)).toBeUndefined()
    expect(spentAt(spending, utc('2026-11-22T12:59:00Z'))).toBe(4n)
  })
})

test('a total forgets nothing', () => {
  const spending = emptySpending({ kind: 'total' }, 0)
  spend(spending, 0, 7n, 0)
  expect(spentAt(spending, Number.MAX_SAFE_INTEGER)).toBe(7n)
  expect(instantBelow(spending, 0n, 0)).toBeUndefined()
})
