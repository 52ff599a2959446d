import fc from 'fast-check'
import { expect, test } from 'vitest'
import { latencyBin, latencyOf, latencyOfBin } from './latency.ts'

test('a bin answers within 0.4 % of every latency that is in it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(300), fc.nat(100_000), fc.maxSafeNat()), (ms) => {
      const middle = latencyOfBin(latencyBin(ms))
      expect(Math.abs(middle - ms)).toBeLessThanOrEqual(ms * 0.004)
    }),
  )
})

test('a longer latency is never in an earlier bin', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (one, other) => {
      expect(latencyBin(Math.min(one, other))).toBeLessThanOrEqual(latencyBin(Math.max(one, other)))
    }),
  )
})

test('percentiles are by nearest rank', () => {
  const counts = new Map([1, 2, 3, 4].map((ms) => [latencyBin(ms), 1]))
  expect([0.5, 0.75, 0.95].map((share) => latencyOf(counts, share))).toEqual([2, 3, 4])
})
