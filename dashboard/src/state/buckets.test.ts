import { describe, expect, it } from 'vitest'
import { bucketsMax, bucketsOf, dayMs, hourMs, intervalFor, nextStart, startOf } from './buckets.ts'

const at = (text: string): number => Date.parse(text)

describe('buckets', () => {
  it('days begin at midnight of the zone, not of UTC', () => {
    expect(startOf('day', at('2026-11-22T03:00:00Z'), 'America/New_York')).toBe(at('2026-11-21T05:00:00Z'))
    expect(startOf('day', at('2026-11-22T03:00:00Z'), 'Asia/Kathmandu')).toBe(at('2026-11-21T18:15:00Z'))
  })

  it('a day of a change of clocks has 25 or 23 hours', () => {
    const back = startOf('day', at('2026-10-25T10:00:00Z'), 'Europe/Berlin')
    expect(nextStart('day', back, 'Europe/Berlin') - back).toBe(25 * hourMs)
    const forward = startOf('day', at('2026-03-29T10:00:00Z'), 'Europe/Berlin')
    expect(nextStart('day', forward, 'Europe/Berlin') - forward).toBe(23 * hourMs)
  })

  it('weeks begin on Monday, months on the first', () => {
    expect(startOf('week', at('2026-11-22T12:00:00Z'), 'UTC')).toBe(at('2026-11-16T00:00:00Z'))
    expect(startOf('month', at('2026-11-22T12:00:00Z'), 'UTC')).toBe(at('2026-11-01T00:00:00Z'))
    expect(nextStart('month', at('2026-12-22T12:00:00Z'), 'Europe/Berlin')).toBe(at('2026-12-31T23:00:00Z'))
  })

  it('a day whose midnight is skipped begins at the change', () => {
    expect(startOf('day', at('2026-03-29T10:00:00Z'), 'Asia/Beirut')).toBe(at('2026-03-28T22:00:00Z'))
  })

  it('the buckets of a period cover it without a gap', () => {
    const starts = bucketsOf('hour', at('2026-11-21T10:30:00Z'), at('2026-11-22T10:30:00Z'), 'Asia/Kolkata')
    expect(starts[0]).toBe(at('2026-11-21T10:30:00Z'))
    expect(starts).toHaveLength(24)
    expect(bucketsOf('minute', 0, 30 * dayMs, 'UTC')).toHaveLength(bucketsMax)
  })

  it('an interval fits its period', () => {
    const spans = [hourMs, 6 * hourMs, 24 * hourMs, 7 * dayMs, 30 * dayMs, 365 * dayMs, 2_000 * dayMs]
    expect(spans.map((span) => intervalFor(0, span))).toEqual(['minute', '15m', 'hour', 'hour', 'day', 'week', 'month'])
  })
})
