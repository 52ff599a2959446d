import { expect, it } from 'vitest'
import type { Answer, Basis } from '../../../src/server/api.ts'
import { trustOf } from './coverage.ts'

const coverage = (calls: Partial<Record<Basis, number>>): Answer['coverage'] => {
  const none = { calls: 0, cost: '0.000000000000' }
  const all = { reported: none, computed: none, partial: none, estimated: none, unpriced: none }
  return { ...all, ...Object.fromEntries(Object.entries(calls).map(([basis, count]) => [basis, { calls: count, cost: '1.000000000000' }])) }
}

it('a total of priced calls needs no mark', () => {
  expect(trustOf(coverage({ computed: 90, reported: 10 }))).toMatchObject({
    mark: '',
    shareSure: 1,
    sentence: 'Every call is priced exactly.',
  })
})

it('unpriced and partial calls make it a lower bound', () => {
  expect(trustOf(coverage({ computed: 99, unpriced: 1 }))).toMatchObject({
    mark: '≥',
    shareSure: 0.99,
    sentence: 'Of 100 calls, 1 unpriced.',
  })
  expect(trustOf(coverage({ partial: 1 })).mark).toBe('≥')
})

it('an estimate is near and no bound', () => {
  expect(trustOf(coverage({ computed: 8, estimated: 1, unpriced: 1 }))).toMatchObject({ mark: '≈', isLowerBound: true, isEstimate: true })
})

it('no calls: nothing to trust or doubt', () => {
  expect(trustOf(coverage({}))).toMatchObject({ shareSure: undefined, mark: '', sentence: 'No calls in this period.' })
})
