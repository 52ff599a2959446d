import { TaximeterError } from './errors.ts'
import type { Variant } from './event.ts'
import { type Multiplier, type PicoUsd, parseMultiplier, parseUsd } from './money.ts'
import type { CardJson, PeriodJson, RatesJson } from './price-book.ts'
import { isUnit, type Unit, units } from './units.ts'

/** A rate: `amount` pico-dollars for `per` of its unit; `each` the same for one, where that is a whole number (nearly always). */
export interface Rate {
  readonly amount: PicoUsd
  readonly each?: bigint
}

export type Rates = Readonly<Partial<Record<Unit, Rate>>>

/** What one call is priced by: the rates of one model, at one time, for one variant. */
export interface RateCard {
  readonly rates: Rates
  /** Rising thresholds; each names all its rates. */
  readonly tiers: readonly { readonly op: 'gt' | 'gte'; readonly threshold: number; readonly rates: Rates }[]
  readonly multiplier?: Multiplier
  /** False when the call's tier, speed or region has no price of its own in the book and the standard one stands in. */
  readonly isExact: boolean
}

/** Variants are named by callers: only so many are remembered, so that a stream of new ones cannot fill the memory. */
const variantsMax = 64

/** Gives the card of a moment (UTC milliseconds) and a variant within one period. Cards are made when first asked for. Throws BAD_PRICE. */
export const createCards = (period: PeriodJson, where: string): ((at: number, variant: Variant) => RateCard) => {
  const usual = cardsOf(period, where)
  if (period.hours === undefined) return (_at, variant) => usual(variant)
  const hours = period.hours.map(({ from, to, ...card }) => ({
    from: minuteOf(from, where),
    to: minuteOf(to, where),
    cards: cardsOf({ ...period, ...card, rates: { ...period.rates, ...card.rates } }, where),
  }))
  return (at, variant) => {
    const minute = Math.floor(at / 60_000) % 1440
    for (const { from, to, cards } of hours)
      if (from < to ? minute >= from && minute < to : minute >= from || minute < to) return cards(variant)
    return usual(variant)
  }
}

const cardsOf = (period: PeriodJson, where: string) => {
  const standard = cardOf(period, where)
  const variants = new Map<string, RateCard>()
  return (variant: Variant): RateCard => {
    if (variant.tier === undefined && variant.speed === undefined && variant.region === undefined) return standard
    const key = `${variant.tier ?? ''}|${variant.speed ?? ''}|${variant.region ?? ''}`
    let card = variants.get(key)
    if (card === undefined) {
      card = variantCard(period, standard, variant, where)
      if (variants.size < variantsMax) variants.set(key, card)
    }
    return card
  }
}

const aspects = ['tier', 'speed', 'region'] as const

/**
 * The card of a call's variant. Each aspect (tier, speed, region) is matched by what the book declares: the declared variants
 * that agree with the call on everything they name apply, the ones naming more last; their multipliers compound.
 */
const variantCard = (period: PeriodJson, standard: RateCard, variant: Variant, where: string): RateCard => {
  const agreeing = (period.variants ?? [])
    .filter((declared) => aspects.every((aspect) => declared[aspect] === undefined || declared[aspect] === variant[aspect]))
    .sort((left, right) => aspects.filter((aspect) => left[aspect]).length - aspects.filter((aspect) => right[aspect]).length)
  const isExact = aspects.every(
    (aspect) => variant[aspect] === undefined || agreeing.some((declared) => declared[aspect] === variant[aspect]),
  )
  let card: RateCard = standard
  let multiplier: Multiplier | undefined
  for (const declared of agreeing) {
    if (declared.rates !== undefined)
      card = cardOf({ rates: { ...period.rates, ...declared.rates }, ...(declared.tiers && { tiers: declared.tiers }) }, where)
    if (declared.multiply === undefined) continue
    const factor = multiplierOf(declared.multiply, where)
    multiplier = multiplier === undefined ? factor : compound(multiplier, factor)
  }
  return { rates: card.rates, tiers: card.tiers, isExact, ...(multiplier && { multiplier }) }
}

const compound = (left: Multiplier, right: Multiplier): Multiplier => ({
  numerator: left.numerator * right.numerator,
  denominator: left.denominator * right.denominator,
})

const cardOf = (json: CardJson, where: string): RateCard => {
  const tiers = [...(json.tiers ?? [])].sort((left, right) => left.threshold - right.threshold)
  return {
    rates: ratesOf(json.rates, where),
    tiers: tiers.map((tier) => ({ op: tier.op, threshold: tier.threshold, rates: ratesOf({ ...json.rates, ...tier.rates }, where) })),
    isExact: true,
  }
}

const ratesOf = (json: RatesJson, where: string): Rates => {
  const rates: Partial<Record<Unit, Rate>> = {}
  for (const [unit, text] of Object.entries(json)) {
    if (!isUnit(unit)) throw badPrice(where, `"${unit}" is not a unit`)
    const amount = parseUsd(text)
    if (amount === undefined || amount < 0n)
      throw badPrice(where, `the rate of "${unit}" should be dollars as a decimal string such as "2.50", got "${text}"`)
    const per = BigInt(units[unit].per)
    rates[unit] = amount % per === 0n ? { amount, each: amount / per } : { amount }
  }
  return rates
}

export const multiplierOf = (text: string, where: string): Multiplier => {
  const factor = parseMultiplier(text)
  if (factor === undefined) throw badPrice(where, `"multiply" should be a decimal such as "1.1", got "${text}"`)
  return factor
}

const minuteOf = (text: string, where: string): number => {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  if (!match) throw badPrice(where, `an hour should be UTC such as "06:30", got "${text}"`)
  return Number(match[1]) * 60 + Number(match[2])
}

export const dayOf = (text: string, where: string): number => {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(day)) throw badPrice(where, `"from" should be a day such as "2026-01-31", got "${text}"`)
  return day
}

export const badPrice = (where: string, complaint: string) => new TaximeterError('BAD_PRICE', `Price of ${where}: ${complaint}.`)
