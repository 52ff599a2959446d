import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketStarts, type Interval, intervals, nextStart, offsetAt, parseSpan, quarterMs, startOf } from './window.ts'

const at = (text: string) => Date.parse(text)
const iso = (instant: number) => new Date(instant).toISOString()

describe('startOf and nextStart', () => {
  test.each<[string, Interval, string, string, string, string]>([
    ['a day in UTC', 'day', 'UTC', '2026-11-22T13:44:00Z', '2026-11-22T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
    [
      'a day in Berlin begins an hour earlier in winter',
      'day',
      'Europe/Berlin',
      '2026-11-22T23:30:00Z',
      '2026-11-22T23:00:00.000Z',
      '2026-11-23T23:00:00.000Z',
    ],
    [
      'the day that clocks go forward has 23 hours',
      'day',
      'Europe/Berlin',
      '2026-03-29T12:00:00Z',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ],
    [
      'the day that clocks go back has 25 hours',
      'day',
      'Europe/Berlin',
      '2026-10-25T12:00:00Z',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ],
    ['New York, autumn', 'day', 'America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    [
      'a zone of three quarters of an hour',
      'day',
      'Asia/Kathmandu',
      '2026-11-22T18:20:00Z',
      '2026-11-22T18:15:00.000Z',
      '2026-11-23T18:15:00.000Z',
    ],
    [
      'an hour in a zone of half an hour',
      'hour',
      'Asia/Kolkata',
      '2026-11-22T18:20:00Z',
      '2026-11-22T17:30:00.000Z',
      '2026-11-22T18:30:00.000Z',
    ],
    [
      'clocks that move by half an hour',
      'day',
      'Australia/Lord_Howe',
      '2026-10-04T01:00:00Z',
      '2026-10-03T13:30:00.000Z',
      '2026-10-04T13:00:00.000Z',
    ],
    [
      'a midnight that is skipped begins at the change',
      'day',
      'Africa/Cairo',
      '2026-04-24T12:00:00Z',
      '2026-04-23T22:00:00.000Z',
      '2026-04-24T21:00:00.000Z',
    ],
    ['a week begins on Monday', 'week', 'Europe/Berlin', '2026-11-22T12:00:00Z', '2026-11-15T23:00:00.000Z', '2026-11-22T23:00:00.000Z'],
    [
      'a month over a change of clocks',
      'month',
      'Europe/Berlin',
      '2026-10-31T12:00:00Z',
      '2026-09-30T22:00:00.000Z',
      '2026-10-31T23:00:00.000Z',
    ],
    ['a December', 'month', 'America/New_York', '2026-12-15T12:00:00Z', '2026-12-01T05:00:00.000Z', '2027-01-01T05:00:00.000Z'],
    ['a leap February', 'month', 'UTC', '2028-02-29T12:00:00Z', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  ])('%s', (_, interval, zone, instant, start, next) => {
    expect([iso(startOf(interval, at(instant), zone)), iso(nextStart(interval, at(instant), zone))]).toEqual([start, next])
  })

  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Africa/Cairo',
    'Pacific/Apia',
    'America/St_Johns',
    'Asia/Beirut',
  )
  const instants = fc.integer({ min: at('2020-01-01'), max: at('2030-01-01') })

  test('every instant lies in its interval, intervals meet without gap, and cuts lie on quarters of an hour', () => {
    fc.assert(
      fc.property(zones, instants, fc.constantFrom(...intervals), (zone, instant, interval) => {
        const start = startOf(interval, instant, zone)
        const next = nextStart(interval, instant, zone)
        expect(start).toBeLessThanOrEqual(instant)
        expect(next).toBeGreaterThan(instant)
        expect(startOf(interval, next, zone)).toBe(next)
        expect(startOf(interval, next - 1, zone)).toBe(start)
        if (interval !== 'minute') expect(start % quarterMs).toBe(0)
      }),
      { numRuns: 1_000 },
    )
  })
})

test('an hour that a change by half an hour cuts in two is two', () => {
  const zone = 'Australia/Lord_Howe'
  const starts = (from: string, to: string) =>
    bucketStarts('hour', at(from), at(to), zone, 10).map((start) => new Date(start).toISOString().slice(11, 16))
  // 02:00 becomes 01:30, and 02:00 becomes 02:30.
  expect(starts('2026-04-04T14:00:00Z', '2026-04-04T17:00:00Z')).toEqual(['14:00', '15:00', '15:30', '16:30'])
  expect(starts('2026-10-03T14:30:00Z', '2026-10-03T17:30:00Z')).toEqual(['14:30', '15:30', '16:00', '17:00'])
})

test('offsets follow the seasons', () => {
  expect(offsetAt(at('2026-01-15T00:00:00Z'), 'Europe/Berlin')).toBe(3_600_000)
  expect(offsetAt(at('2026-07-15T00:00:00Z'), 'Europe/Berlin')).toBe(7_200_000)
})

test('a zone that does not exist is refused with its name', () => {
  expect(() => startOf('day', 0, 'Mars/Olympus')).toThrow(
    'BAD_QUESTION: "Mars/Olympus" is not a time zone. Use a name such as "Europe/Berlin" or "UTC".',
  )
})

describe('bucketStarts', () => {
  test('cover the period, the first one beginning before it', () => {
    expect(bucketStarts('day', at('2026-10-24T10:00:00Z'), at('2026-10-26T00:00:00Z'), 'Europe/Berlin', 10).map(iso)).toEqual([
      '2026-10-23T22:00:00.000Z',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
    ])
  })

  test('are refused past the limit', () => {
    expect(bucketStarts('hour', 0, 10 * 3_600_000, 'UTC', 10)).toHaveLength(10)
    expect(() => bucketStarts('hour', 0, 11 * 3_600_000, 'UTC', 10)).toThrow(/more than 10 buckets of "hour"/)
  })
})

test('spans are whole numbers of minutes, hours, days or weeks', () => {
  expect(['90m', '24h', '7d', '2w'].map(parseSpan)).toEqual([5_400_000, 86_400_000, 604_800_000, 1_209_600_000])
  expect(['0h', '1.5h', 'h', '1y', '-1d', '1 h', '999999h'].map(parseSpan)).toEqual(Array(7).fill(undefined))
})
