import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baselineOf, surpriseOf } from './baseline.ts'
import { spendModel } from './forecast.ts'
import { medianOf, rankTest, robustSpreadOf, shareTest, slopeOf } from './statistics.ts'

/** The same numbers on every run: a linear congruential generator (Numerical Recipes), and normal values from it (Box and Muller). */
const generator = (seed: number) => {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state + 0.5) / 2 ** 32
  }
  return { uniform, normal: (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()) }
}

describe('statistics', () => {
  test('a median and its spread are not moved by an outlier', () => {
    expect(medianOf([1, 2, 3, 4, 1_000])).toBe(3)
    expect(medianOf([1, 2, 3, 4])).toBe(2.5)
    expect(robustSpreadOf([1, 2, 3, 4, 5])).toBeCloseTo(robustSpreadOf([1, 2, 3, 4, 1_000]), 10)
  })

  test('the slope of a line is found though a value is wild', () => {
    expect(slopeOf([1, 3, 5, 700, 9, 11, 13, 15])).toBeCloseTo(2, 10)
  })

  test('two samples of one kind differ by chance as often as the test says', () => {
    const { normal } = generator(1)
    let found = 0
    for (let round = 0; round < 1_000; round++) {
      const draw = () => Array.from({ length: 30 }, () => Math.exp(normal()))
      if ((rankTest(draw(), draw())?.p ?? 1) < 0.05) found += 1
    }
    expect(found).toBeGreaterThan(25)
    expect(found).toBeLessThan(75)
  })

  test('a real shift is found, ties included, and a direction given', () => {
    const low = Array.from({ length: 40 }, (_, index) => index % 10)
    const result = rankTest(
      low,
      low.map((value) => value + 4),
    )
    expect(result?.p).toBeLessThan(0.001)
    expect(result?.superiority).toBeGreaterThan(0.7)
    expect(rankTest(low, low)?.p).toBeCloseTo(1, 1)
    expect(rankTest([1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1])).toEqual({ p: 1, superiority: 0.5 })
    expect(rankTest([1, 2, 3], low)).toBeUndefined()
  })
})

describe('spendModel', () => {
  /** 24-hour rhythm, quiet weekends, a trend per day, and noise that one day shares. */
  const series = (seed: number, days: number, { trend = 0, noise = 0.15 } = {}) => {
    const { normal } = generator(seed)
    const values: number[] = []
    for (let day = 0; day < days; day++) {
      const level = (10 + trend * day) * (day % 7 >= 5 ? 0.4 : 1) * Math.exp(noise * normal())
      for (let hour = 0; hour < 24; hour++)
        values.push(level * (1 + 0.8 * Math.sin(((hour - 6) / 24) * 2 * Math.PI)) * Math.exp(0.2 * normal()))
    }
    return values
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

  test('four truths in five lie inside the interval, over a week ahead', () => {
    let inside = 0
    const rounds = 200
    for (let seed = 1; seed <= rounds; seed++) {
      const values = series(seed, 42)
      const forecast = spendModel(values.slice(0, 35 * 24))?.over(168)
      const truth = sum(values.slice(35 * 24))
      if (forecast !== undefined && truth >= forecast.low && truth <= forecast.high) inside += 1
    }
    expect(inside / rounds).toBeGreaterThan(0.7)
    expect(inside / rounds).toBeLessThanOrEqual(1)
  })

  test('the median error of a week ahead is below a tenth, with and without a trend', () => {
    for (const trend of [0, 0.2]) {
      const errors = Array.from({ length: 100 }, (_, seed) => {
        const values = series(seed + 1, 42, { trend })
        const truth = sum(values.slice(35 * 24))
        return Math.abs((spendModel(values.slice(0, 35 * 24))?.over(168).expected ?? 0) - truth) / truth
      })
      expect(medianOf(errors)).toBeLessThan(0.1)
    }
  })

  test('the rhythm of the day is followed: nights are cheaper', () => {
    const model = spendModel(series(7, 21))
    expect(model?.at(12)).toBeGreaterThan(2 * (model?.at(0) ?? 0))
  })

  test('a budget that lasts is not said to run out, and one that does is, at the hour', () => {
    const model = spendModel(Array(48).fill(2))
    expect(model?.hoursUntil(10, 100)).toBeCloseTo(5, 6)
    expect(model?.hoursUntil(1_000, 100)).toBeUndefined()
    expect(spendModel(Array(48).fill(0))?.hoursUntil(1, 1_000)).toBeUndefined()
  })

  test('too little history gives no forecast, and none is ever negative or not a number', () => {
    expect(spendModel([1, 2, 3])).toBeUndefined()
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 6, maxLength: 400 }),
        fc.double({ min: 0, max: 1_000, noNaN: true }),
        (hourly, hours) => {
          const forecast = spendModel(hourly)?.over(hours)
          expect(forecast?.low).toBeGreaterThanOrEqual(0)
          expect(forecast?.expected).toBeGreaterThanOrEqual(forecast?.low ?? Number.NaN)
          expect(forecast?.high).toBeGreaterThanOrEqual(forecast?.expected ?? Number.NaN)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('shareTest', () => {
  test('shares that are about the same differ by chance, others do not', () => {
    expect(shareTest({ part: 20, whole: 1_000 }, { part: 110, whole: 5_000 })).toBeGreaterThan(0.5)
    expect(shareTest({ part: 20, whole: 1_000 }, { part: 400, whole: 5_000 })).toBeLessThan(1e-6)
    // By hand: 60 of 150 against 40 of 150, z = (0.1333 − 1/150) ÷ √(⅓ · ⅔ · 2/150) = 2.327.
    expect(shareTest({ part: 60, whole: 150 }, { part: 40, whole: 150 })).toBeCloseTo(0.02, 3)
  })

  test('a share that was nothing can be compared with, and few calls tell nothing', () => {
    expect(shareTest({ part: 0, whole: 1_000 }, { part: 30, whole: 1_000 })).toBeLessThan(0.001)
    expect(shareTest({ part: 0, whole: 100 }, { part: 4, whole: 100 })).toBeUndefined()
    expect(shareTest({ part: 0, whole: 0 }, { part: 0, whole: 0 })).toBeUndefined()
    expect(shareTest({ part: 9, whole: 9 }, { part: 900, whole: 900 })).toBeUndefined()
  })
})

describe('baselineOf', () => {
  const weeks = (count: number, seed = 3) => {
    const { normal } = generator(seed)
    return Array.from(
      { length: count * 168 },
      (_, hour) => (hour % 24 < 8 ? 1 : 10) * (Math.floor(hour / 24) % 7 >= 5 ? 0.2 : 1) * Math.exp(0.1 * normal()),
    )
  }

  test('a usual hour is no surprise in three quiet weeks, whatever the hour', () => {
    const values = weeks(7)
    const surprises = values.slice(4 * 168).filter((value, index) => {
      const baseline = baselineOf(values.slice(0, 4 * 168 + index))
      return baseline !== undefined && surpriseOf(value, baseline, 0.5) !== undefined
    })
    expect(surprises).toEqual([])
  })

  test('five times the usual is a surprise, also after an incident a week before', () => {
    const values = weeks(4)
    for (let hour = 3 * 168; hour < 3 * 168 + 10; hour++) values[hour] = 100
    const baseline = baselineOf(values)
    expect(baseline?.season).toBe('week')
    expect(
      surpriseOf((baseline?.expected ?? 0) * 5 + 5, baseline ?? { expected: 0, spread: 0, season: 'day', samples: 0 }, 0.5),
    ).toBeDefined()
  })

  test('cents never page, however surprising', () => {
    expect(surpriseOf(0.4, { expected: 0.001, spread: 0.0001, season: 'day', samples: 9 }, 0.5)).toBeUndefined()
  })

  test('without history there is no baseline', () => {
    expect(baselineOf(weeks(1).slice(0, 72))).toBeUndefined()
    expect(baselineOf(weeks(1))?.season).toBe('day')
  })
})
