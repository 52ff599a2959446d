import { describe, expect, test } from 'vitest'
import { spendModel } from './forecast.ts'
import { spendAhead, whenWindowFull } from './spend-ahead.ts'

const hour = 3_600_000
const modelOf = (hourly: readonly number[]) => {
  const model = spendModel(hourly)
  if (model === undefined) throw new Error('Four weeks of hours are enough for a model.')
  return model
}
/** Two dollars in every hour, for four weeks. */
const level = modelOf(Array(672).fill(2))
const aheadAt = (now: number) => spendAhead(level, 0, now)

describe('spendAhead', () => {
  test('what the present hour has brought already is not expected once more', () => {
    expect(aheadAt(0).until(10 * hour).expected).toBeCloseTo(20, 6)
    expect(aheadAt(hour / 2).until(10 * hour).expected).toBeCloseTo(19, 6)
    expect(aheadAt(hour / 2).until(hour / 2).expected).toBeCloseTo(0, 6)
  })

  test('the instant at which so much is spent, or none before the horizon', () => {
    expect(aheadAt(0).whenSpent(10, 10 * hour)).toBeCloseTo(5 * hour, -1)
    expect(aheadAt(hour / 2).whenSpent(10, 10 * hour)).toBeCloseTo(5.5 * hour, -1)
    expect(aheadAt(0).whenSpent(100, 10 * hour)).toBeUndefined()
    expect(aheadAt(0).whenSpent(0, 10 * hour)).toBe(0)
  })

  test('the early end of the interval is never later than what is expected', () => {
    const wild = modelOf(Array.from({ length: 672 }, (_, index) => 2 + Math.sin(index * 1.7) + Math.sin(index / 31)))
    const ahead = spendAhead(wild, 0, 0)
    for (const amount of [1, 5, 20, 60]) {
      const early = ahead.earliestSpent(amount, 100 * hour)
      expect(early).toBeDefined()
      expect(early).toBeLessThanOrEqual((ahead.whenSpent(amount, 100 * hour) ?? 0) + 60_000)
    }
    expect(ahead.earliestSpent(1e9, 100 * hour)).toBeUndefined()
  })
})

describe('whenWindowFull', () => {
  test('a window that is as full as always never fills', () => {
    expect(whenWindowFull(level, Array(24).fill(2), 60, 0, 720)).toBeUndefined()
  })

  test('a window that was empty fills as spend comes', () => {
    expect(whenWindowFull(level, Array(24).fill(0), 20, 0, 720)).toBe(10 * hour)
  })

  test('what leaves the window makes room', () => {
    const busyThenQuiet = [...Array(12).fill(10), ...Array(12).fill(0)]
    expect(whenWindowFull(level, busyThenQuiet, 121, 0, 720)).toBeUndefined()
  })
})
