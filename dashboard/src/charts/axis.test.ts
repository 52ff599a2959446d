import { describe, expect, it } from 'vitest'
import { clockOf } from '../format/times.ts'
import { bucketsOf, dayMs, hourMs } from '../state/buckets.ts'
import { axisLabels, bucketTitle } from './axis.ts'

const zone = 'Europe/Berlin'
const clock = clockOf(zone)
const now = Date.parse('2026-11-22T14:30:00Z')
const texts = (interval: 'minute' | '15m' | 'hour' | 'day' | 'week' | 'month', spanMs: number, most: number): readonly string[] =>
  axisLabels(bucketsOf(interval, now - spanMs, now, zone), interval, clock, most).map(({ text }) => text)

describe('axisLabels', () => {
  it('hours stand at times that people count in, midnight as its day', () => {
    expect(texts('hour', 24 * hourMs, 8)).toEqual(['16:00', '20:00', '22 Nov', '04:00', '08:00', '12:00'])
    expect(texts('hour', 7 * dayMs, 9)).toEqual(['16 Nov', '17 Nov', '18 Nov', '19 Nov', '20 Nov', '21 Nov', '22 Nov'])
  })

  it('minutes stand at round ones', () => {
    expect(texts('minute', hourMs, 7)).toEqual(['14:30', '14:40', '14:50', '15:00', '15:10', '15:20'])
  })

  it('the newest day always has its label', () => {
    expect(texts('day', 30 * dayMs, 4).at(-1)).toBe('22 Nov')
    expect(texts('month', 300 * dayMs, 3).at(-1)).toBe('Nov 2026')
  })

  it('there are never more than fit', () => {
    for (const most of [1, 3, 7, 12]) {
      expect(texts('hour', 30 * dayMs, most).length).toBeLessThanOrEqual(most)
      expect(texts('15m', 12 * hourMs, most).length).toBeLessThanOrEqual(most)
      expect(texts('week', 700 * dayMs, most).length).toBeLessThanOrEqual(most)
    }
    expect(axisLabels([], 'hour', clock, 5)).toEqual([])
  })
})

it('a bar says what it is', () => {
  const start = Date.parse('2026-11-22T13:00:00Z')
  expect(bucketTitle(start, start + hourMs, 'hour', clock)).toBe('22 Nov, 14:00 – 15:00')
  expect(bucketTitle(Date.parse('2026-11-21T23:00:00Z'), Date.parse('2026-11-22T23:00:00Z'), 'day', clock)).toBe('Sun, 22 Nov 2026')
})
