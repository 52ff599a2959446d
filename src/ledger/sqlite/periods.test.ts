import fc from 'fast-check'
import { expect, test } from 'vitest'
import { day, day0, hour, minute, question } from '../contract/samples.ts'
import { families } from './cubes.ts'
import { bucketsOf, planOf } from './periods.ts'

const levels = families[0]?.levels ?? []
const times = fc.integer({ min: day0 - 3 * day, max: day0 + 3 * day })

test('the stretches and edges of a plan cover the period once, each in its bucket', () => {
  fc.assert(
    fc.property(
      fc.tuple(times, times).filter(([from, to]) => from < to),
      fc.constantFrom('15m', 'hour', 'day', 'week', 'month', undefined),
      fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/St_Johns'),
      fc.tuple(times, times),
      fc.tuple(fc.nat(25_000), fc.nat(500_000)),
      ([from, to], interval, zone, [one, other], [daysSealed, hoursSealed]) => {
        const asked = question({ from, to, zone, ...(interval && { interval }) })
        const buckets = bucketsOf(asked)
        const known = { first: Math.min(one, other), last: Math.max(one, other) }
        const coarser = levels.map((level) => ({ level, sealed: level.bucketMs === day ? daysSealed : hoursSealed }))
        const plan = planOf(asked, buckets, known, coarser)
        const parts = [
          ...plan.stretches.map(({ bucket, level, first, end }) => ({
            bucket,
            from: first * level.bucketMs,
            to: end * level.bucketMs,
            sign: 1,
          })),
          ...plan.edges,
        ]
        // Every instant at which there can be an entry is in the period as often as the parts say.
        for (const at of [
          from,
          from - 1,
          to,
          to - 1,
          known.first,
          known.last,
          from + 7 * minute,
          to - 7 * minute,
          from + 25 * hour,
          from - 20 * minute,
          to + 20 * minute,
        ]) {
          if (at < known.first || at > known.last) continue
          const covering = parts.filter((part) => part.from <= at && at < part.to)
          const times = covering.reduce((sum, { sign }) => sum + sign, 0)
          expect(times).toBe(at >= from && at < to ? 1 : 0)
          if (times === 1) for (const { bucket } of covering) expect(bucket).toBe(buckets.indexOf(at))
        }
        for (const { level, end } of plan.stretches)
          for (const coarse of coarser) if (coarse.level === level) expect(end).toBeLessThanOrEqual(coarse.sealed)
      },
    ),
    { numRuns: 300 },
  )
})
