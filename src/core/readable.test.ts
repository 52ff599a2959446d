import { describe, expect, test } from 'vitest'
import { readableChange, readableUsd } from './readable.ts'

describe('readableUsd', () => {
  test.each([
    ['0.000000000000', '$0'],
    ['0.000117650000', '$0.0001177'],
    ['0.000000000001', '$0.000000000001'],
    ['0.005000000000', '$0.005'],
    ['0.500000000000', '$0.50'],
    ['1.005000000000', '$1.01'],
    ['12.344999999999', '$12.34'],
    ['999.999000000000', '$1,000.00'],
    ['123456789012.340000000000', '$123,456,789,012.34'],
    ['-0.250000000000', '-$0.25'],
  ])('%s reads %s', (text, shown) => {
    expect(readableUsd(text)).toBe(shown)
  })
})

test.each([
  [100n, 138n, '+38 %'],
  [1_000n, 1_004n, '+0.4 %'],
  [100n, 93n, '−7.0 %'],
  [5n, 5n, '±0 %'],
  [0n, 5n, undefined],
])('from %s to %s is %s', (before, after, shown) => {
  expect(readableChange(before, after)).toBe(shown)
})
