import { describe, expect, it } from 'vitest'
import { doubtOf } from './doubt.ts'

describe('doubtOf', () => {
  it.each([
    [{ cost: '1.00' }, '', ''],
    [{ cost: '1.00', unpricedCalls: 2 }, '≥', '2 unpriced'],
    [{ cost: '1.00', partialCalls: 1 }, '≥', '1 partial'],
    [{ cost: '1.00', unpricedCalls: 1_200, estimatedCalls: 3 }, '≈', '1,200 unpriced, 3 estimated'],
  ])('%j is marked "%s"', (row, mark, sentence) => {
    expect(doubtOf(row)).toMatchObject({ mark, sentence })
  })
})
