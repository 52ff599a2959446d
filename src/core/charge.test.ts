import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BookJson, PeriodJson, RatesJson } from './book-json.ts'
import { type Charge, chargeOf } from './charge.ts'
import { divideHalfEven, formatUsd, parseMultiplier, parseUsd } from './money.ts'
import { createPriceBook } from './price-book.ts'
import { type Unit, unitNames, units } from './units.ts'
import { countMax, promptTokensOf, type Usage } from './usage.ts'

const bookOf = (...periods: PeriodJson[]): BookJson => ({ version: 'test', providers: { p: { name: 'P', models: { m: { periods } } } } })
const at = Date.parse('2026-11-22')
const charge = (usage: Usage, json: BookJson, variant = {}, when = at): Charge =>
  chargeOf(usage, { provider: 'p', model: 'm', ...variant }, when, createPriceBook(json))
const dollars = (made: Charge): string => (made.basis === 'unpriced' ? made.reason : formatUsd(made.total))

describe('one call', () => {
  test('costs prompt × input price + completion × output price', () => {
    expect(charge({ input: 1200, output: 300 }, bookOf({ rates: { input: '2', output: '8' } }))).toEqual({
      basis: 'computed',
      total: 4_800_000_000n,
      lines: [
        { unit: 'input', count: 1200, rate: 2_000_000_000_000n, per: 1_000_000, total: 2_400_000_000n },
        { unit: 'output', count: 300, rate: 8_000_000_000_000n, per: 1_000_000, total: 2_400_000_000n },
      ],
      book: 'test',
    })
  })

  test('pays a cached token once, at the cached rate', () => {
    const rates = { input: '2', cache_read: '0.5', output: '8' }
    expect(dollars(charge({ input: 400, cache_read: 800, output: 300 }, bookOf({ rates })))).toBe('0.003600000000')
  })

  test('cached sound costs what sound does where that has a rate, else what cached text does', () => {
    const costs = (rates: RatesJson) => charge({ cache_read_audio: 1_000_000 }, bookOf({ rates }))
    expect(costs({ input: '2', cache_read: '0.2' })).toMatchObject({ total: 200_000_000_000n, lines: [{ pricedAs: 'cache_read' }] })
    expect(costs({ input: '2', cache_read: '0.2', input_audio: '3' })).toMatchObject({ lines: [{ pricedAs: 'input_audio' }] })
    expect(costs({ input: '2' })).toMatchObject({ lines: [{ pricedAs: 'input' }] })
  })

  test('takes the rate of pricedAs where a unit has none, and says so', () => {
    const made = charge({ cache_read: 10, reasoning: 10 }, bookOf({ rates: { input: '2', output: '8' } }))
    expect(made).toMatchObject({ basis: 'computed', lines: [{ pricedAs: 'input' }, { pricedAs: 'output' }] })
  })

  test('never pays a one-hour cache write at another rate: it is unpriced without one', () => {
    const made = charge({ input: 10, cache_write_1h: 10 }, bookOf({ rates: { input: '2', cache_write_5m: '2.5', output: '8' } }))
    expect(made).toMatchObject({ basis: 'partial', unpricedUnits: ['cache_write_1h'], total: 20_000_000n })
  })

  test('is unpriced where no used unit has a rate', () => {
    expect(charge({ image: 1 }, bookOf({ rates: { input: '2' } }))).toEqual({ basis: 'unpriced', reason: 'unpriced-unit' })
  })

  test('is unpriced before the first dated period', () => {
    expect(charge({ input: 1 }, bookOf({ from: '2026-11-23', rates: { input: '2' } }))).toEqual({
      basis: 'unpriced',
      reason: 'not-yet-priced',
    })
  })

  test('is estimated at the standard rate for a variant without a price of its own', () => {
    const json = bookOf({ rates: { input: '2' }, variants: [{ tier: 'batch', multiply: '0.5' }] })
    expect(charge({ input: 10 }, json, { tier: 'scale' })).toMatchObject({ basis: 'estimated', total: 20_000_000n })
    expect(charge({ input: 10 }, json, { tier: 'batch' })).toMatchObject({ basis: 'computed', total: 10_000_000n })
  })

  test('halves tokens and not searches in a batch, and compounds the uplift of a region', () => {
    const json = bookOf({
      rates: { input: '5', cache_read: '0.5', output: '25', web_search: '10' },
      variants: [
        { tier: 'batch', multiply: '0.5' },
        { region: 'us', multiply: '1.1' },
        { speed: 'fast', multiply: '6' },
      ],
    })
    const usage = { input: 1_000_000, cache_read: 1_000_000, output: 1_000_000, web_search: 1000 }
    expect(dollars(charge(usage, json))).toBe('40.500000000000')
    expect(dollars(charge(usage, json, { tier: 'batch' }))).toBe('25.250000000000')
    expect(dollars(charge(usage, json, { region: 'us' }))).toBe('43.550000000000')
    expect(dollars(charge(usage, json, { speed: 'fast', region: 'us' }))).toBe('211.300000000000')
    expect(dollars(charge(usage, json, { tier: 'batch', region: 'us' }))).toBe('26.775000000000')
  })

  test('takes the rates of the variant that names more', () => {
    const json = bookOf({
      rates: { input: '5' },
      variants: [
        { tier: 'batch', region: 'eu', rates: { input: '2.75' } },
        { tier: 'batch', rates: { input: '2.5' } },
        { region: 'eu', rates: { input: '5.5' } },
      ],
    })
    expect(dollars(charge({ input: 1_000_000 }, json, { tier: 'batch', region: 'eu' }))).toBe('2.750000000000')
    expect(dollars(charge({ input: 1_000_000 }, json, { tier: 'batch', region: 'us' }))).toBe('2.500000000000')
  })

  test('takes the rates of the hours that it began in, over midnight too', () => {
    const json = bookOf({
      rates: { input: '1' },
      hours: [
        { from: '22:00', to: '02:00', rates: { input: '3' } },
        { from: '06:00', to: '06:30', rates: { input: '2' } },
      ],
    })
    const priceAt = (hour: string) => dollars(charge({ input: 1_000_000 }, json, {}, Date.parse(`2026-11-22T${hour}Z`))).slice(0, 1)
    expect(
      ['21:59:59.999', '22:00', '23:59:59.999', '00:00', '01:59:59.999', '02:00', '06:00', '06:29', '06:30'].map(priceAt).join(''),
    ).toBe('133331221')
  })
})

const counts = fc.dictionary(fc.constantFrom(...unitNames), fc.integer({ min: 1, max: countMax }), { noNullPrototype: true })
const decimals = fc
  .tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 999_999_999_999 }), fc.integer({ min: 0, max: 12 }))
  .map(([whole, digits, length]) => (length === 0 ? `${whole}` : `${whole}.${String(digits).padStart(12, '0').slice(0, length)}`))
const someRates = fc.dictionary(fc.constantFrom(...unitNames), decimals, { noNullPrototype: true })
const multipliers = fc.constantFrom('0.5', '1.1', '6', '0.333333333333', '1.8')

describe('whatever the usage and the rates', () => {
  test('the lines sum to the total, each rounded half-even once', () => {
    fc.assert(
      fc.property(counts, someRates, multipliers, fc.boolean(), (usage, rates, multiply, isVariant) => {
        const made = charge(usage, bookOf({ rates, variants: [{ tier: 't', multiply }] }), isVariant ? { tier: 't' } : {})
        if (made.basis === 'unpriced') return
        const factor = parseMultiplier(multiply)
        for (const line of made.lines) {
          const applies = isVariant && units[line.unit].side !== 'other'
          expect(line.multiplier).toEqual(applies ? factor : undefined)
          const [up, down] = applies && factor ? [factor.numerator, factor.denominator] : [1n, 1n]
          expect(line.rate).toBe(parseUsd((rates as Record<string, string>)[line.pricedAs ?? line.unit] ?? ''))
          expect(line.total).toBe(divideHalfEven(BigInt(line.count) * line.rate * up, BigInt(line.per) * down))
        }
        expect(made.lines.reduce((sum, line) => sum + line.total, 0n)).toBe(made.total)
      }),
    )
  })

  test('what has no rate is named and never becomes a zero', () => {
    fc.assert(
      fc.property(counts, someRates, (usage, rates) => {
        const made = charge(usage, bookOf({ rates }))
        const priced = (unit: Unit): boolean => [unit, ...(units[unit].pricedAs ?? [])].some((each) => each in rates)
        const unpriced = unitNames.filter((unit) => unit in usage && !priced(unit))
        if (unpriced.length === 0) expect(made.basis).toBe('computed')
        else if (unpriced.length === Object.keys(usage).length) expect(made).toEqual({ basis: 'unpriced', reason: 'unpriced-unit' })
        else expect(made).toMatchObject({ basis: 'partial', unpricedUnits: unpriced })
      }),
    )
  })

  test('a raise does not reprice the past', () => {
    fc.assert(
      fc.property(counts, someRates, someRates, fc.integer({ min: 1, max: 1e10 }), (usage, before, after, ms) => {
        const raise = Date.parse('2026-06-01')
        const once = bookOf({ rates: before })
        const twice = bookOf({ rates: before }, { from: '2026-06-01', rates: after })
        expect(charge(usage, twice, {}, raise - ms)).toEqual(charge(usage, once, {}, raise - ms))
        expect(charge(usage, twice, {}, raise + ms - 1)).toEqual(charge(usage, bookOf({ rates: after }), {}, raise + ms - 1))
      }),
    )
  })

  test('a tier begins at its threshold, or past it, for the whole request', () => {
    const sides = unitNames.filter((unit) => units[unit].side === 'prompt')
    fc.assert(
      fc.property(
        fc.constantFrom('gt' as const, 'gte' as const),
        fc.integer({ min: 100, max: 1_000_000 }),
        fc.integer({ min: -1, max: 1 }),
        fc.constantFrom(...sides),
        (op, threshold, past, unit) => {
          const rates = { input: '1', cache_write_1h: '1', cache_write_12h: '1', output: '1' }
          const json = bookOf({
            rates,
            tiers: [
              {
                basis: 'prompt',
                scope: 'request',
                op,
                threshold,
                rates: { input: '2', cache_write_1h: '2', cache_write_12h: '2', output: '3' },
              },
            ],
          })
          const usage: Usage = { input: 50, [unit]: threshold + past - (unit === 'input' ? 0 : 50), output: 1_000_000 }
          expect(promptTokensOf(usage)).toBe(threshold + past)
          const made = charge(usage, json)
          const isLong = past > 0 || (past === 0 && op === 'gte')
          const expected = BigInt(threshold + past) * (isLong ? 2n : 1n) + (isLong ? 3_000_000n : 1_000_000n)
          expect(made.basis === 'computed' && made.total).toBe(expected * 1_000_000n)
        },
      ),
    )
  })
})
