import { divideHalfEven, type Multiplier, type PicoUsd, zeroUsd } from './money.ts'
import type { PriceBook } from './price-book.ts'
import type { RateCard, UnitPrice, UnitPrices } from './rate-card.ts'
import { type Unit, unitNames } from './units.ts'
import { promptTokensOf, type Usage } from './usage.ts'
import type { Variant } from './variant.ts'

/** How sure a charge is. Ordered from the surest; the list on every total. */
export const bases = ['reported', 'computed', 'partial', 'estimated', 'unpriced'] as const
export type Basis = (typeof bases)[number]
export const pricedBases = ['reported', 'computed', 'partial', 'estimated'] as const satisfies readonly Basis[]

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
  const card = book.find(model.provider, model.model, at, model)
  return typeof card === 'string' ? { basis: 'unpriced', reason: card } : chargeByCard(usage, card, book.version)
}

/** `chargeOf` for rates that are already at hand. */
export const chargeByCard = (usage: Usage, card: RateCard, version: string): Charge => {
  const prices = pricesFor(card, usage)
  const lines: Line[] = []
  let unpricedUnits: Unit[] | undefined
  let total = 0n
  for (let index = 0; index < unitNames.length; index++) {
    const unit = unitNames[index] as Unit
    const count = usage[unit]
    if (count === undefined || count === 0) continue
    const price = prices[index]
    if (price === undefined) {
      unpricedUnits ??= []
      unpricedUnits.push(unit)
    } else {
      const line = lineOf(count, price)
      lines.push(line)
      total += line.total
    }
  }
  if (unpricedUnits !== undefined && lines.length === 0) return { basis: 'unpriced', reason: 'unpriced-unit' }
  if (unpricedUnits !== undefined) return { basis: 'partial', total: total as PicoUsd, lines, book: version, unpricedUnits }
  return { basis: card.isExact ? 'computed' : 'estimated', total: total as PicoUsd, lines, book: version }
}

const pricesFor = (card: RateCard, usage: Usage): UnitPrices => {
  if (card.tiers.length === 0) return card.prices
  const prompt = promptTokensOf(usage)
  let prices = card.prices
  // Tiers are in rising order of their threshold and each names all its rates, so that the last one reached is the whole answer.
  for (const tier of card.tiers) if (tier.op === 'gte' ? prompt >= tier.threshold : prompt > tier.threshold) prices = tier.prices
  return prices
}

const lineOf = (count: number, price: UnitPrice): Line => {
  const { unit, rate, per, multiplier, pricedAs } = price
  const total = totalOf(count, price)
  // Four literals rather than one with optional parts: a charge is made for every call, and this is half of what it takes.
  if (multiplier === undefined)
    return pricedAs === undefined ? { unit, count, rate, per, total } : { unit, count, rate, per, pricedAs, total }
  return pricedAs === undefined ? { unit, count, rate, per, multiplier, total } : { unit, count, rate, per, multiplier, pricedAs, total }
}

const totalOf = (count: number, { each, numerator, denominator }: UnitPrice): PicoUsd => {
  if (each === undefined) return divideHalfEven(BigInt(count) * numerator, denominator) as PicoUsd
  const product = count * each
  // Below 2⁵³ the product of two integers is exact in a double, and one BigInt is made instead of two.
  return (product <= Number.MAX_SAFE_INTEGER ? BigInt(product) : BigInt(count) * BigInt(each)) as PicoUsd
}

/** The money of a charge: an unpriced one adds nothing to a total and is counted in its coverage instead. */
export const amountOf = (charge: Charge): PicoUsd => (charge.basis === 'unpriced' ? zeroUsd : charge.total)
