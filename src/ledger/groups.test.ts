import fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentilesOf, percentilesOfDoubles } from './groups.ts'

test('percentiles of unsorted doubles are those of the sorted integers', () => {
  const all = ['p50', 'p95', 'p99'] as const
  const costs = fc.array(fc.oneof(fc.nat(3), fc.maxSafeNat()), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(costs, fc.boolean(), fc.subarray([...all], { minLength: 1 }), (list, isSorted, asked) => {
      const sorted = [...list].sort((left, right) => left - right)
      expect(percentilesOfDoubles(Float64Array.from(isSorted ? sorted : list), asked)).toEqual(percentilesOf(sorted.map(BigInt), asked))
    }),
  )
})
