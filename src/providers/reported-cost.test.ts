import { expect, test } from 'vitest'
import { formatUsd } from '../core/money.ts'
import { usdOf, usdOfTicks } from './reported-cost.ts'

test.each([
  [0.00014, '0.000140000000'],
  [1.4e-7, '0.000000140000'],
  [0, '0.000000000000'],
  [12, '12.000000000000'],
  [0.1234567890123456, '0.123456789012'],
  ['0.0123', '0.012300000000'],
  ['1.1e-05', '0.000011000000'],
  ['3.45E-5', '0.000034500000'],
  ['2e3', '2000.000000000000'],
  ['12.5e1', '125.000000000000'],
  ['.5', '0.500000000000'],
  ['1e-20', '0.000000000000'],
])('%s dollars are %s', (value, text) => {
  expect(formatUsd(usdOf(value) ?? -1n)).toBe(text)
})

test.each([
  -1,
  '-0.1',
  'None',
  '',
  ' ',
  '.',
  'NaN',
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '0x10',
  '1,5',
  '1e999',
  null,
  undefined,
  {},
  true,
])('%s is not an amount', (value) => {
  expect(usdOf(value)).toBeUndefined()
})

test('a tick is a ten-billionth of a dollar', () => {
  expect(formatUsd(usdOfTicks(1176500) ?? -1n)).toBe('0.000117650000')
  expect([usdOfTicks(-1), usdOfTicks(1.5), usdOfTicks('1'), usdOfTicks(2 ** 60)]).toEqual([undefined, undefined, undefined, undefined])
})
