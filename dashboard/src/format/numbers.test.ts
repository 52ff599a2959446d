import { describe, expect, it } from 'vitest'
import {
  axisUsd,
  changeOf,
  changeText,
  compact,
  count,
  counted,
  dash,
  decimal,
  decimalsFor,
  duration,
  exactUsd,
  percent,
  picoOf,
  signedUsd,
  usd,
  usdTextOf,
  usdWith,
} from './numbers.ts'

describe('money', () => {
  it.each([
    ['0.000000000000', '$0.00'],
    ['1234.567000000000', '$1,234.57'],
    ['1.005000000000', '$1.00'],
    ['1.015000000000', '$1.02'],
    ['0.123456000000', '$0.123'],
    ['0.000117650000', '$0.000118'],
    ['0.000000000001', '$0.000000000001'],
    ['-12.340000000000', '−$12.34'],
    ['9223372036854.775807000000', '$9,223,372,036,854.78'],
  ])('%s is written %s', (value, text) => expect(usd(value)).toBe(text))

  it('what is unknown is a dash and never a zero', () => {
    for (const value of [null, undefined, '', 'NaN', '1e3']) expect(usd(value)).toBe(dash)
  })

  it('every digit can be had', () => {
    expect(exactUsd('0.000117650000')).toBe('$0.00011765')
    expect(exactUsd('12.000000000000')).toBe('$12.00')
    expect(exactUsd(null)).toBe(dash)
  })

  it('a column has one number of decimals and says when a figure is smaller than it shows', () => {
    expect(decimalsFor(['120.5', '0.0004', null])).toBe(2)
    expect(decimalsFor(['0.42', '0.0004'])).toBe(4)
    expect(decimalsFor(['0.000042'])).toBe(8)
    expect(usdWith('0.0004', 2)).toBe('<$0.01')
    expect(usdWith('0.000000000000', 6)).toBe('$0.00')
    expect(usdWith('3.456', 2)).toBe('$3.46')
    expect(usdWith(null, 2)).toBe(dash)
  })

  it('text to pico-dollars and back loses nothing', () => {
    for (const text of ['0.000117650000', '-4.000000000000', '9223372036854.775807000001']) {
      const pico = picoOf(text)
      expect(pico).toBeTypeOf('bigint')
      expect(usdTextOf(pico ?? 0n)).toBe(text)
    }
  })

  it('a difference has a sign', () => {
    expect(signedUsd('1.2')).toBe('+$1.20')
    expect(signedUsd('-0.05')).toBe('−$0.0500')
  })

  it('axes are short', () => {
    expect([0, 0.05, 0.2, 2.5, 950, 12_500, 3_400_000].map(axisUsd)).toEqual(['$0', '$0.05', '$0.20', '$2.5', '$950', '$12.5k', '$3.4M'])
  })
})

describe('counts and shares', () => {
  it('counts are grouped and keep all digits, past 2⁵³ as well', () => {
    expect(count(1234567)).toBe('1,234,567')
    expect(count('123456789012345678901')).toBe('123,456,789,012,345,678,901')
    expect(count(null)).toBe(dash)
  })

  it('one is one and everything else is many', () => {
    expect([0, 1, 1_200, null].map((value) => counted(value, 'call'))).toEqual(['0 calls', '1 call', '1,200 calls', `${dash} calls`])
  })

  it.each([
    [0, '0'],
    [9_999, '9,999'],
    [12_345, '12.3k'],
    [999_950, '1.00M'],
    [12_400_000, '12.4M'],
    ['98765432109876543', '98,765T'],
  ])('%s is short as %s', (value, text) => expect(compact(value)).toBe(text))

  it('averages keep three digits that mean something', () => {
    expect([0.12345, 12.5, 456.7, 12_345.6].map(decimal)).toEqual(['0.123', '12.5', '457', '12,346'])
  })

  it('a share is never all or nothing unless it is', () => {
    expect([0, 0.0001, 0.123, 0.99996, 1, 1.5, null].map(percent)).toEqual(['0%', '<0.1%', '12.3%', '>99.9%', '100%', '150%', dash])
  })

  it('a change needs something to compare with', () => {
    expect(changeOf(12, 0)).toBeUndefined()
    expect(changeOf(null, 4)).toBeUndefined()
    expect(changeText(changeOf(112, 100))).toBe('+12%')
    expect(changeText(changeOf(96.6, 100))).toBe('−3.4%')
    expect(changeText(changeOf(1_400, 100))).toBe('×14')
    expect(changeText(changeOf(100, 100))).toBe('±0%')
    expect(changeText(undefined)).toBe(dash)
  })
})

describe('durations', () => {
  it.each([
    [812, '812 ms'],
    [12_340, '12.3 s'],
    [59_990, '1m 00s'],
    [245_000, '4m 05s'],
    [7_800_000, '2h 10m'],
    [200_000_000, '2d 7h'],
    [null, dash],
  ])('%s ms is %s', (ms, text) => expect(duration(ms)).toBe(text))
})
