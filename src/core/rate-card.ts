import type { CardJson, PeriodJson, RatesJson, VariantJson } from './book-json.ts'
import { TaximeterError } from './errors.ts'
import { type Multiplier, type PicoUsd, parseMultiplier, parseUsd } from './money.ts'
import { isUnit, type Unit, unitNames, units } from './units.ts'
import type { Variant } from './variant.ts'

/** A rate: `amount` pico-dollars for `per` of its unit; `each` the same for one, where that is a whole number (nearly always). */
export interface Rate {
  readonly amount: PicoUsd
  readonly each?: bigint
}

export type Rates = Readonly<Partial<Record<Unit, Rate>>>

/**
 * A rate made ready for charging: the unit's own or the one of `pricedAs`, the multiplier included, so that one call takes one
 * multiplication per unit. A count of n costs n × numerator ÷ denominator pico-dollars, or n × `each` where that is whole.
 */
export interface UnitPrice {
  readonly unit: Unit
  readonly rate: PicoUsd
  readonly per: number
  readonly multiplier: Multiplier | undefined
  readonly pricedAs: Unit | undefined
  readonly each: number | undefined
  readonly numerator: bigint
  readonly denominator: bigint
}

/** In the order of `unitNames`; undefined where a unit has no price. */
export type UnitPrices = readonly (UnitPrice | undefined)[]

/** What one call is priced by: the rates of one model, at one time, for one variant. */
export interface RateCard {
  readonly rates: Rates
  /** The rates as charges take them. */
  readonly prices: UnitPrices
  /** Rising thresholds; each names all its rates. */
  readonly tiers: readonly RateTier[]
  /** The variants' multipliers, compounded. */
  readonly multiplier?: Multiplier
  /** False when the call's tier, speed or region has no price of its own in the book and the standard one stands in. */
  readonly isExact: boolean
}

export interface RateTier {
  readonly op: 'gt' | 'gte'
  readonly threshold: number
  readonly rates: Rates
  readonly prices: UnitPrices
}

/** Variants are named by callers: only so many are remembered, so that a stream of new ones cannot fill the memory. */
const variantsMax = 64

/** Gives the card of a moment (UTC milliseconds) and a variant within one period. Cards are made when first asked for. Throws BAD_PRICE. */
export const createCards = (period: PeriodJson, where: string): ((at: number, variant: Variant) => RateCard) => {
  const usual = cardsOf(period, where)
  if (period.hours === undefined) return (_at, variant) => usual(variant)
  const hours = period.hours.map(({ from, to, days, ...card }) => ({
    isWithin: spanOf(minuteOf(from, where), minuteOf(to, where), days),
    cards: cardsOf({ ...period, ...card, rates: { ...period.rates, ...card.rates } }, where),
  }))
  return (at, variant) => (hours.find(({ isWithin }) => isWithin(at))?.cards ?? usual)(variant)
}

const minutesPerDay = 1440

/** Whether an instant lies within the minutes of a day, over midnight if they end before they begin, on the days of the week (0 is Sunday). */
const spanOf = (from: number, to: number, days: readonly number[] | undefined) => (at: number) => {
  const minutes = Math.floor(at / 60_000)
  const minute = ((minutes % minutesPerDay) + minutesPerDay) % minutesPerDay
  // 1 January 1970 was a Thursday.
  if (days !== undefined && !days.includes((Math.floor(minutes / minutesPerDay) + 4) % 7)) return false
  return from < to ? minute >= from && minute < to : minute >= from || minute < to
}

const cardsOf = (period: PeriodJson, where: string) => {
  const standard = cardOf(period, where)
  const variants = new Map<string, RateCard>()
  return (variant: Variant): RateCard => {
    if (isUsual(variant.tier) && isUsual(variant.speed) && isUsual(variant.region)) return standard
    const key = `${variant.tier ?? ''}|${variant.speed ?? ''}|${variant.region ?? ''}`
    let card = variants.get(key)
    if (card === undefined) {
      card = variantCard(period, standard, variant, where)
      if (variants.size < variantsMax) variants.set(key, card)
    }
    return card
  }
}

/** The names that providers give to the absence of a variant. */
const isUsual = (name: string | undefined): boolean => name === undefined || name === 'standard' || name === 'default'

const aspects = ['tier', 'speed', 'region'] as const

/**
 * The card of a call's variant. Each aspect (tier, speed, region) is matched by what the book declares: the declared variants
 * that agree with the call on everything they name apply, but for those that another one contains (a batch in the EU stands in
 * place of the batch and of the EU); what remains applies together, the ones naming more last, and multipliers compound.
 */
const variantCard = (period: PeriodJson, standard: RateCard, variant: Variant, where: string): RateCard => {
  const matching = (period.variants ?? []).filter((declared) =>
    aspects.every((aspect) => !isNamed(declared, aspect) || agrees(declared, aspect, variant)),
  )
  const agreeing = matching
    .filter((declared) => !matching.some((other) => contains(other, declared)))
    .sort((left, right) => namedCount(left) - namedCount(right))
  const isExact = aspects.every((aspect) => isUsual(variant[aspect]) || agreeing.some((declared) => isNamed(declared, aspect)))
  let card: RateCard = standard
  let multiplier: Multiplier | undefined
  for (const declared of agreeing) {
    if (declared.rates !== undefined)
      card = cardOf({ rates: { ...period.rates, ...declared.rates }, ...(declared.tiers && { tiers: declared.tiers }) }, where)
    if (declared.multiply === undefined) continue
    const factor = multiplierOf(declared.multiply, where)
    multiplier = multiplier === undefined ? factor : compound(multiplier, factor)
  }
  if (multiplier === undefined) return { ...card, isExact }
  return {
    rates: card.rates,
    prices: pricesOf(card.rates, multiplier),
    tiers: card.tiers.map((tier) => ({ ...tier, prices: pricesOf(tier.rates, multiplier) })),
    multiplier,
    isExact,
  }
}

type Aspect = (typeof aspects)[number]

const isNamed = (declared: VariantJson, aspect: Aspect): boolean =>
  declared[aspect] !== undefined || (aspect === 'region' && declared.regions !== undefined)

const namedCount = (declared: VariantJson): number => aspects.filter((aspect) => isNamed(declared, aspect)).length

const contains = (more: VariantJson, less: VariantJson): boolean =>
  namedCount(more) > namedCount(less) && aspects.every((aspect) => !isNamed(less, aspect) || isNamed(more, aspect))

const agrees = (declared: VariantJson, aspect: Aspect, variant: Variant): boolean => {
  const value = variant[aspect]
  if (value === undefined) return false
  return declared[aspect] === value || (aspect === 'region' && declared.regions?.includes(value) === true)
}

export const compound = (left: Multiplier, right: Multiplier): Multiplier => ({
  numerator: left.numerator * right.numerator,
  denominator: left.denominator * right.denominator,
})

/** The card with every price multiplied, whatever its unit: a discount on a bill leaves no line out. */
export const discountedCard = (card: RateCard, factor: Multiplier): RateCard => ({
  ...card,
  prices: card.prices.map((price) => discountedPrice(price, factor)),
  tiers: card.tiers.map((tier) => ({ ...tier, prices: tier.prices.map((price) => discountedPrice(price, factor)) })),
})

const discountedPrice = (price: UnitPrice | undefined, factor: Multiplier): UnitPrice | undefined => {
  if (price === undefined) return undefined
  const multiplier = price.multiplier === undefined ? factor : compound(price.multiplier, factor)
  return { ...price, ...quotientOf(price.rate, price.per, multiplier), multiplier }
}

const cardOf = (json: CardJson, where: string): RateCard => {
  const rates = ratesOf(json.rates, where)
  const tiers = [...(json.tiers ?? [])].sort((left, right) => left.threshold - right.threshold)
  return {
    rates,
    prices: pricesOf(rates, undefined),
    tiers: tiers.map(({ op, threshold, rates }) => {
      const all = ratesOf({ ...json.rates, ...rates }, where)
      return { op, threshold, rates: all, prices: pricesOf(all, undefined) }
    }),
    isExact: true,
  }
}

const pricesOf = (rates: Rates, multiplier: Multiplier | undefined): UnitPrices => unitNames.map((unit) => priceOf(unit, rates, multiplier))

const priceOf = (unit: Unit, rates: Rates, multiplier: Multiplier | undefined): UnitPrice | undefined => {
  const named = [unit, ...(units[unit].pricedAs ?? [])].find((each) => rates[each] !== undefined)
  const rate = named && rates[named]
  if (rate === undefined) return undefined
  const pricedAs = named === unit ? undefined : named
  const { per, side } = units[unit]
  // Uplifts and discounts of a provider hold for its tokens, not for searches, pages or machines (Anthropic: pricing, "Data residency").
  const applied = side === 'other' ? undefined : multiplier
  return { unit, rate: rate.amount, per, multiplier: applied, pricedAs, ...quotientOf(rate.amount, per, applied) }
}

const quotientOf = (rate: PicoUsd, per: number, multiplier: Multiplier | undefined) => {
  const numerator = rate * (multiplier?.numerator ?? 1n)
  const denominator = BigInt(per) * (multiplier?.denominator ?? 1n)
  const each = numerator / denominator
  const isWhole = each * denominator === numerator && each <= Number.MAX_SAFE_INTEGER
  return { each: isWhole ? Number(each) : undefined, numerator, denominator }
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

/** A day ("2026-01-31") or a minute ("2026-08-16T16:00Z") in UTC milliseconds. */
export const instantOf = (text: string, where: string): number => {
  const instant = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(instant)) throw badPrice(where, `"from" should be a day such as "2026-01-31" or "2026-01-31T16:00Z", got "${text}"`)
  return instant
}

export const badPrice = (where: string, complaint: string) => new TaximeterError('BAD_PRICE', `Price of ${where}: ${complaint}.`)
