import fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentilesOf, percentilesOfDoubles } from './groups.ts'

test('percentiles of unsorted doubles are those of the sorted integers', () => {
  const costs = fc.array(fc.oneof(fc.nat(3), fc.maxSafeNat()), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(costs, fc.boolean(), (list, isSorted) => {
      const sorted = [...list].sort((left, right) => left - right)
      expect(percentilesOfDoubles(Float64Array.from(isSorted ? sorted : list))).toEqual(percentilesOf(sorted.map(BigInt)))
    }),
  )
})
