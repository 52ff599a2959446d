import { TaximeterError } from './errors.ts'
import type { Variant } from './event.ts'
import { type Multiplier, type PicoUsd, parseMultiplier, parseUsd } from './money.ts'
import { isUnit, type Unit, units } from './units.ts'

/**
 * The price book as it is written in `prices/`: dated rates per provider and model.
 *
 * Rates are decimal strings of US dollars for `per` of their unit (see units.ts). A period is only ever added, never rewritten:
 * a price change is another period with a later `from`, and what was charged before stays right.
 */
export interface BookJson {
  readonly version: string
  readonly providers: Readonly<Record<string, ProviderJson>>
}

export interface ProviderJson {
  readonly name: string
  /** Providers whose models are asked for next, in order (Azure sells OpenAI's). */
  readonly inherits?: readonly string[]
  /** Declared patterns: `[regular expression, model]`, tried in order after aliases, exact and normalised names. */
  readonly patterns?: readonly (readonly [string, string])[]
  /** Used for every model of the provider that is not listed (a local server, whose models are free until told otherwise). */
  readonly anyModel?: ModelJson
  readonly models: Readonly<Record<string, ModelJson>>
}

export interface ModelJson {
  readonly aliases?: readonly string[]
  /** The most tokens that one answer can have; what a budget sets aside when the caller names no limit. */
  readonly outputMax?: number
  readonly periods: readonly PeriodJson[]
}

export type RatesJson = Readonly<Partial<Record<Unit, string>>>

export interface CardJson {
  readonly rates: RatesJson
  readonly tiers?: readonly TierJson[]
}

/** Rates for a whole request whose prompt (all prompt units together) is over a threshold; units not named keep the card's rate. */
export interface TierJson {
  readonly basis: 'prompt'
  readonly scope: 'request'
  readonly op: 'gt' | 'gte'
  readonly threshold: number
  readonly rates: RatesJson
}

export interface PeriodJson extends CardJson {
  /** First day on which the rates hold, UTC ("2025-04-14"). Absent: for as long as anyone knows. */
  readonly from?: string
  readonly source?: string
  readonly confidence?: 'confirmed' | 'single-source' | 'decided'
  readonly variants?: readonly VariantJson[]
}

/** Other rates for the same model: those named replace the period's, then `multiply` applies to every token rate. */
export interface VariantJson extends Partial<CardJson>, Variant {
  readonly multiply?: string
}

/** A rate: `amount` pico-dollars for `per` of its unit; `each` the same for one, where that is a whole number (nearly always). */
export interface Rate {
  readonly amount: PicoUsd
  readonly each?: bigint
}

export type Rates = Readonly<Partial<Record<Unit, Rate>>>

export interface RateCard {
  readonly rates: Rates
  /** Rising thresholds; each names all its rates. */
  readonly tiers: readonly { readonly op: 'gt' | 'gte'; readonly threshold: number; readonly rates: Rates }[]
  readonly multiplier?: Multiplier
  /** False when the call's tier, speed or region has no price of its own in the book and the standard one stands in. */
  readonly isExact: boolean
}

export interface PriceBook {
  readonly version: string
  /** The rates of a model at an instant (UTC ms), or why there are none. Lookup: alias → exact → normalised → declared pattern → any model → inherited. */
  find(provider: string, model: string, at: number, variant: Variant): RateCard | 'unknown-model' | 'not-yet-priced'
  /** The name under which the book knows a model, whichever way it was written. */
  nameOf(provider: string, model: string): { readonly provider: string; readonly model: string } | undefined
  outputMaxOf(provider: string, model: string): number | undefined
}

/** Names minted by callers are remembered only up to this many, so that a stream of new ones cannot fill the memory. */
const resolvedMax = 10_000

/** A book ready to be asked. Models are read when first asked for: the whole book is far larger than what one process uses. Throws BAD_PRICE. */
export const createPriceBook = (json: BookJson): PriceBook => {
  const providers = new Map(Object.entries(json.providers).map(([id, provider]) => [id, createShelf(id, provider)]))
  const resolved = new Map<string, Map<string, Model | undefined>>()

  const search = (provider: string, model: string, depth = 0): Model | undefined => {
    const shelf = providers.get(provider)
    if (shelf === undefined || depth > 3) return undefined
    const own = shelf.model(model)
    if (own !== undefined) return own
    for (const next of shelf.inherits) {
      const inherited = search(next, model, depth + 1)
      if (inherited !== undefined) return inherited
    }
    return undefined
  }

  let remembered = 0
  const resolve = (provider: string, model: string): Model | undefined => {
    let names = resolved.get(provider)
    if (names?.has(model)) return names.get(model)
    const found = search(provider, model)
    if (remembered >= resolvedMax) {
      resolved.clear()
      remembered = 0
      names = undefined
    }
    if (names === undefined) resolved.set(provider, (names = new Map()))
    names.set(model, found)
    remembered += 1
    return found
  }

  return {
    version: json.version,
    find(provider, model, at, variant) {
      const found = resolve(provider, model)
      if (found === undefined) return 'unknown-model'
      return found.cardAt(at, variant) ?? 'not-yet-priced'
    },
    nameOf(provider, model) {
      const found = resolve(provider, model)
      return found && { provider: found.provider, model: found.name }
    },
    outputMaxOf: (provider, model) => resolve(provider, model)?.outputMax,
  }
}

interface Model {
  readonly provider: string
  readonly name: string
  readonly outputMax: number | undefined
  cardAt(at: number, variant: Variant): RateCard | undefined
}

/** One provider's models, by every name they go by. */
const createShelf = (provider: string, json: ProviderJson) => {
  const aliases = new Map<string, string>()
  const normalised = new Map<string, string>()
  for (const [name, model] of Object.entries(json.models)) {
    for (const alias of model.aliases ?? []) aliases.set(alias, name)
    if (!normalised.has(normalisedName(name))) normalised.set(normalisedName(name), name)
  }
  for (const [alias, name] of aliases) if (!normalised.has(normalisedName(alias))) normalised.set(normalisedName(alias), name)
  const patterns = (json.patterns ?? []).map(([source, name]) => ({ pattern: new RegExp(source, 'i'), name }))
  const models = new Map<string, Model>()

  const nameOf = (asked: string): string | undefined => {
    const alias = aliases.get(asked)
    if (alias !== undefined) return alias
    if (Object.hasOwn(json.models, asked)) return asked
    return normalised.get(normalisedName(asked)) ?? patterns.find(({ pattern }) => pattern.test(asked))?.name
  }

  return {
    inherits: json.inherits ?? [],
    model(asked: string): Model | undefined {
      const name = nameOf(asked)
      const model = name === undefined ? json.anyModel : json.models[name]
      if (model === undefined) return undefined
      const key = name ?? asked
      const known = models.get(key)
      if (known !== undefined) return known
      const made = createModel(provider, key, model)
      if (name !== undefined) models.set(key, made)
      return made
    },
  }
}

/**
 * The same model under the spellings that are in use: lower case, without "models/" or a vendor's prefix path, without a
 * trailing snapshot date ("-2025-04-14", "-20250414", "@20250414") or "-latest".
 */
export const normalisedName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/^(?:models|publishers\/[^/]+\/models)\//, '')
    .replace(/(?:[-@](?:\d{4}-\d{2}-\d{2}|20\d{6})|-latest|@default)$/, '')

const createModel = (provider: string, name: string, json: ModelJson): Model => {
  const periods = json.periods
    .map((period) => ({
      from: period.from === undefined ? Number.NEGATIVE_INFINITY : dayOf(period.from, `${provider}/${name}`),
      card: createCards(period, `${provider}/${name}`),
    }))
    .sort((left, right) => left.from - right.from)
  return {
    provider,
    name,
    outputMax: json.outputMax,
    cardAt(at, variant) {
      for (let index = periods.length - 1; index >= 0; index--) {
        const period = periods[index]
        if (period !== undefined && at >= period.from) return period.card(variant)
      }
      return undefined
    },
  }
}

/** All rate cards of one period, made when first asked for and kept by variant. */
const createCards = (period: PeriodJson, where: string) => {
  const standard = cardOf(period, where)
  const variants = new Map<string, RateCard>()
  return (variant: Variant): RateCard => {
    if (variant.tier === undefined && variant.speed === undefined && variant.region === undefined) return standard
    const key = `${variant.tier ?? ''}|${variant.speed ?? ''}|${variant.region ?? ''}`
    let card = variants.get(key)
    if (card === undefined) {
      card = variantCard(period, standard, variant, where)
      if (variants.size < 64) variants.set(key, card)
    }
    return card
  }
}

/**
 * The card of a call's variant. Each aspect (tier, speed, region) is matched by what the book declares: the declared variants
 * that agree with the call on everything they name apply, the ones naming more last; their multipliers compound.
 */
const variantCard = (period: PeriodJson, standard: RateCard, variant: Variant, where: string): RateCard => {
  const aspects = ['tier', 'speed', 'region'] as const
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
    const factor = parseMultiplier(declared.multiply)
    if (factor === undefined) throw badPrice(where, `"multiply" should be a decimal such as "1.1", got "${declared.multiply}"`)
    multiplier =
      multiplier === undefined
        ? factor
        : { numerator: multiplier.numerator * factor.numerator, denominator: multiplier.denominator * factor.denominator }
  }
  return { rates: card.rates, tiers: card.tiers, isExact, ...(multiplier && { multiplier }) }
}

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

const dayOf = (text: string, where: string): number => {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(day)) throw badPrice(where, `"from" should be a day such as "2026-01-31", got "${text}"`)
  return day
}

const badPrice = (where: string, complaint: string) => new TaximeterError('BAD_PRICE', `Price of ${where}: ${complaint}.`)
