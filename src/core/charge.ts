import type { Variant } from './event.ts'
import { divideHalfEven, type Multiplier, type PicoUsd, zeroUsd } from './money.ts'
import type { PriceBook, Rate, RateCard } from './price-book.ts'
import { type Unit, unitNames, units } from './units.ts'
import { promptTokensOf, type Usage } from './usage.ts'

/** How sure a charge is. Ordered from the surest; the list on every total. */
export const bases = ['reported', 'computed', 'partial', 'estimated', 'unpriced'] as const
export type Basis = (typeof bases)[number]

/** One unit of one call with the rate that it was priced at: `total` = `count` × `rate` (× `multiplier`), rounded half-even once. */
export interface Line {
  readonly unit: Unit
  readonly count: number
  /** Pico-dollars for `per` of the unit, before the multiplier. */
  readonly rate: PicoUsd
  readonly per: number
  readonly multiplier?: Multiplier
  /** The unit whose rate was used, where the model lists none for this one. */
  readonly pricedAs?: Unit
  readonly total: PicoUsd
}

export type UnpricedReason = 'unknown-model' | 'not-yet-priced' | 'unpriced-unit' | 'missing-usage' | 'unpriced-tool'

/**
 * What one call cost. The total is the sum of the lines, to the pico-dollar, but for a `reported` charge, whose total is the
 * provider's word; what we compute is then kept beside it in `computed`. Unknown is a case, not a zero.
 */
export type Charge =
  | {
      readonly basis: 'reported' | 'computed' | 'partial' | 'estimated'
      readonly total: PicoUsd
      readonly lines: readonly Line[]
      /** Version of the price book, absent where no book was needed (a tool with a price, a reported cost of an unknown model). */
      readonly book?: string
      /** With a `reported` total: what the book makes of the same usage. */
      readonly computed?: PicoUsd
      /** Units that were used and have no rate: the total is a lower bound. */
      readonly unpricedUnits?: readonly Unit[]
    }
  | { readonly basis: 'unpriced'; readonly reason: UnpricedReason }

export interface ModelRef extends Variant {
  readonly provider: string
  readonly model: string
}

/**
 * Prices one call: usage × the rates that held for the model at `at` (UTC milliseconds). Pure; 12 decimals of a dollar, exact.
 *
 * A unit without a rate of its own takes the rate of `pricedAs` (see units.ts). If some used units have no rate the charge is
 * `partial` and a lower bound; if none has, or the model is not in the book at that time, it is `unpriced` with the reason.
 */
export const chargeOf = (usage: Usage, model: ModelRef, at: number, book: PriceBook): Charge => {
  const found = book.find(model.provider, model.model, at, model)
  if (typeof found === 'string') return { basis: 'unpriced', reason: found }
  const rates = ratesFor(found, usage)
  const lines: Line[] = []
  let unpricedUnits: Unit[] | undefined
  let total = 0n
  for (const unit of unitNames) {
    const count = usage[unit]
    if (count === undefined || count === 0) continue
    const line = lineOf(unit, count, rates, found.multiplier)
    if (line === undefined) {
      unpricedUnits = [...(unpricedUnits ?? []), unit]
    } else {
      lines.push(line)
      total += line.total
    }
  }
  if (unpricedUnits !== undefined && lines.length === 0) return { basis: 'unpriced', reason: 'unpriced-unit' }
  if (unpricedUnits !== undefined) return { basis: 'partial', total: total as PicoUsd, lines, book: book.version, unpricedUnits }
  return { basis: found.isExact ? 'computed' : 'estimated', total: total as PicoUsd, lines, book: book.version }
}

const ratesFor = (card: RateCard, usage: Usage): RateCard['rates'] => {
  if (card.tiers.length === 0) return card.rates
  const prompt = promptTokensOf(usage)
  let rates = card.rates
  // Tiers are in rising order of their threshold and each names all its rates, so that the last one reached is the whole answer.
  for (const tier of card.tiers) if (tier.op === 'gte' ? prompt >= tier.threshold : prompt > tier.threshold) rates = tier.rates
  return rates
}

const lineOf = (unit: Unit, count: number, rates: RateCard['rates'], multiplier: Multiplier | undefined): Line | undefined => {
  let pricedAs: Unit | undefined
  let rate: Rate | undefined = rates[unit]
  for (let next = units[unit].pricedAs; rate === undefined && next !== undefined; next = units[next].pricedAs) {
    pricedAs = next
    rate = rates[next]
  }
  if (rate === undefined) return undefined
  const info = units[unit]
  // Uplifts and discounts of a provider hold for its tokens, not for searches, pages or machines (Anthropic: pricing, "Data residency").
  const applied = info.side === 'other' ? undefined : multiplier
  return {
    unit,
    count,
    rate: rate.amount,
    per: info.per,
    ...(applied === undefined ? undefined : { multiplier: applied }),
    ...(pricedAs === undefined ? undefined : { pricedAs }),
    total: lineTotal(count, rate, info.per, applied),
  }
}

const lineTotal = (count: number, rate: Rate, per: number, multiplier: Multiplier | undefined): PicoUsd => {
  if (multiplier === undefined) {
    if (rate.each !== undefined) return (BigInt(count) * rate.each) as PicoUsd
    return divideHalfEven(BigInt(count) * rate.amount, BigInt(per)) as PicoUsd
  }
  return divideHalfEven(BigInt(count) * rate.amount * multiplier.numerator, BigInt(per) * multiplier.denominator) as PicoUsd
}

/** The money of a charge: an unpriced one adds nothing to a total and is counted in its coverage instead. */
export const amountOf = (charge: Charge): PicoUsd => (charge.basis === 'unpriced' ? zeroUsd : charge.total)
