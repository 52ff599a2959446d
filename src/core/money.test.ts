import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { divideHalfEven, formatUsd, parseMultiplier, parseUsd } from './money.ts'

describe('money', () => {
  test.each([
    ['0', 0n],
    ['0.000117650000', 117_650_000n],
    ['2.50', 2_500_000_000_000n],
    ['-4', -4_000_000_000_000n],
    ['0.000000000001', 1n],
    ['0.0000000000005', 0n],
    ['0.0000000000015', 2n],
    ['0.00000000000051', 1n],
    ['123456789012345678', 123_456_789_012_345_678_000_000_000_000n],
  ])('"%s" dollars are %s pico-dollars', (text, pico) => {
    expect(parseUsd(text)).toBe(pico)
  })

  test.each(['', ' 1', '1 ', '1e3', '+1', '.5', '1.', '1,000', '$1', 'NaN', '0x10', '--1', '1.2.3'])('"%s" is not dollars', (text) => {
    expect(parseUsd(text)).toBeUndefined()
  })

  test('writing and reading gives the same integer', () => {
    fc.assert(fc.property(fc.bigInt(-(10n ** 29n), 10n ** 29n), (pico) => parseUsd(formatUsd(pico)) === pico))
  })

  test.each([
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [-5n, 2n, -2n],
    [-7n, 2n, -4n],
    [-8n, 3n, -3n],
    [8n, 3n, 3n],
    [1n, 3n, 0n],
  ])('%s ÷ %s is %s, ties to the even one', (dividend, divisor, quotient) => {
    expect(divideHalfEven(dividend, divisor)).toBe(quotient)
  })

  test('a rounded quotient is never further than half from the true one', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.bigInt(1n, 10n ** 9n), (dividend, divisor) => {
        const off = divideHalfEven(dividend, divisor) * divisor - dividend
        return (off < 0n ? -off : off) * 2n <= divisor
      }),
    )
  })

  test('a multiplier is an exact fraction, and never zero', () => {
    expect(parseMultiplier('1.1')).toEqual({ numerator: 11n, denominator: 10n })
    expect(parseMultiplier('2')).toEqual({ numerator: 2n, denominator: 1n })
    for (const text of ['0', '0.0', '-1', '1.', '', '1e1']) expect(parseMultiplier(text)).toBeUndefined()
  })
})
