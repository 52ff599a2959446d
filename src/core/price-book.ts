import type { Variant } from './event.ts'
import { compound, createCards, discountedCard, instantOf, multiplierOf, type RateCard } from './rate-card.ts'
import type { Unit } from './units.ts'

export type { Rate, RateCard, Rates } from './rate-card.ts'

/**
 * The price book as it is written in `prices/`: dated rates per provider and model.
 *
 * Rates are decimal strings of US dollars for `per` of their unit (see units.ts). A period is only ever added, never rewritten:
 * a price change is another period with a later `from`, and what was charged before stays right.
 */
export interface BookJson {
  /** Names the rates: two books that differ in one have different versions. It is kept with every charge. */
  readonly version: string
  /** SHA-256 of the providers, hexadecimal, as scripts/prices wrote it. */
  readonly checksum?: string
  readonly providers: Readonly<Record<string, ProviderJson>>
}

export interface ProviderJson {
  readonly name: string
  /** The page on which the provider publishes its prices: the source of every period that names none of its own. */
  readonly source?: string
  /** The day on which the rates were last compared with what others publish. */
  readonly checked?: string
  /** Providers whose models are asked for next, in order (Azure sells OpenAI's). */
  readonly inherits?: readonly string[]
  /** Declared patterns: `[regular expression, model]`, tried in order after aliases, exact and normalised names. */
  readonly patterns?: readonly (readonly [string, string])[]
  /** Used for every model of the provider that is not listed (a local server, whose models are free until told otherwise). */
  readonly anyModel?: ModelJson
  readonly models: Readonly<Record<string, ModelJson>>
  /** What a contract takes off (or adds to) the list prices: of all models, those inherited included, or of one. They compound. */
  readonly discounts?: readonly DiscountJson[]
}

/** A contract: `multiply` applies to every unit of calls that start from `from` on and before `until`, where those are given. */
export interface DiscountJson {
  readonly model?: string
  readonly multiply: string
  readonly from?: string
  readonly until?: string
}

export interface ModelJson {
  readonly aliases?: readonly string[]
  /** The most tokens that one answer can have; what a budget sets aside when the caller names no limit. */
  readonly outputMax?: number
  readonly periods: readonly PeriodJson[]
}

export type RatesJson = Readonly<Partial<Record<Unit, string>>>

export const confidences = ['confirmed', 'single-source', 'decided'] as const
/** How a rate is known: two sources agree · one source alone says so · sources differ or lack it, and the provider's page decided. */
export type Confidence = (typeof confidences)[number]

export interface CardJson {
  readonly rates: RatesJson
  readonly tiers?: readonly TierJson[]
  /** Of a tier or a variant: where it is not that of the period. */
  readonly confidence?: Confidence
  /** The units whose rate is known in another way than `confidence` says. */
  readonly except?: Readonly<Partial<Record<Unit, Confidence>>>
}

/** Rates for a whole request whose prompt (all prompt units together) is over a threshold; units not named keep the card's rate. */
export interface TierJson extends Omit<CardJson, 'tiers'> {
  readonly basis: 'prompt'
  readonly scope: 'request'
  readonly op: 'gt' | 'gte'
  readonly threshold: number
}

/**
 * Rates for calls that start within hours of the day, UTC: `from` ("01:00") inclusive, `to` exclusive, over midnight if `to` is
 * the smaller. `days` are those of the week, 0 being Sunday; without them every day.
 */
export interface HoursJson extends CardJson {
  readonly from: string
  readonly to: string
  readonly days?: readonly number[]
}

export interface PeriodJson extends CardJson {
  /** First day on which the rates hold, UTC ("2025-04-14"), or their first minute ("2026-08-16T16:00Z"). Absent: for as long as anyone knows. */
  readonly from?: string
  readonly hours?: readonly HoursJson[]
  readonly variants?: readonly VariantJson[]
  /** The page that the rates are from, where it is not the provider's `source`. */
  readonly source?: string
  /** Why the rates are what they are, where that is not plain from the source. */
  readonly note?: string
}

/** Other rates for the same model: those named replace the period's, then `multiply` applies to every token rate. */
export interface VariantJson extends Partial<CardJson>, Variant {
  /** In place of `region`, where several have the same price. */
  readonly regions?: readonly string[]
  readonly multiply?: string
}

export interface PriceBook {
  readonly version: string
  /** The rates of a model at an instant (UTC ms), or why there are none. Lookup: alias → exact → normalised → declared pattern → any model → inherited. */
  find(provider: string, model: string, at: number, variant: Variant): RateCard | 'unknown-model' | 'not-yet-priced'
  /** The name under which the book knows a model, whichever way it was written. */
  nameOf(provider: string, model: string): { readonly provider: string; readonly model: string } | undefined
  outputMaxOf(provider: string, model: string): number | undefined
  /** Reads every model of the book, which is otherwise done when one is first asked for. Throws BAD_PRICE at the first that is wrong. */
  readAll(): void
}

/** Names minted by callers are remembered only up to this many, so that a stream of new ones cannot fill the memory. */
const resolvedMax = 10_000
/** Discounted cards of one model: a period has a few variants, and callers may name more. */
const cardsMax = 256

/** A book ready to be asked. Models are read when first asked for: the whole book is far larger than what one process uses. Throws BAD_PRICE. */
export const createPriceBook = (json: BookJson): PriceBook => {
  const shelves = new Map<string, ReturnType<typeof createShelf>>()
  const shelfOf = (id: string) => {
    const known = shelves.get(id)
    if (known !== undefined) return known
    const provider = Object.hasOwn(json.providers, id) ? json.providers[id] : undefined
    if (provider === undefined) return undefined
    const made = createShelf(id, provider)
    shelves.set(id, made)
    return made
  }
  const resolved = new Map<string, Map<string, Model | undefined>>()

  const search = (provider: string, model: string, depth = 0): Model | undefined => {
    const shelf = shelfOf(provider)
    if (shelf === undefined || depth > 3) return undefined
    const own = shelf.model(model)
    if (own !== undefined) return own
    for (const next of shelf.inherits) {
      const inherited = search(next, model, depth + 1)
      if (inherited !== undefined) return inherited
    }
    return undefined
  }

  const discounted = (model: Model | undefined, provider: string): Model | undefined => {
    const discounts = model && (json.providers[provider]?.discounts ?? []).filter(({ model: only }) => isFor(only, model))
    return model && discounts?.length ? { ...model, cardAt: withDiscounts(model.cardAt, discounts, provider) } : model
  }
  const isFor = (only: string | undefined, model: Model): boolean => {
    if (only === undefined) return true
    const named = search(model.provider, only)
    return named?.provider === model.provider && named.name === model.name
  }

  let remembered = 0
  const resolve = (provider: string, model: string): Model | undefined => {
    let names = resolved.get(provider)
    if (names?.has(model)) return names.get(model)
    const found = discounted(search(provider, model), provider)
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
    readAll() {
      for (const id of Object.keys(json.providers)) shelfOf(id)?.readAll()
    },
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
  // Of the models whose names differ only in spelling the one with the shortest name stands for all spellings that are not listed.
  const normalise = (spelling: string, name: string) => {
    const key = normalisedName(spelling)
    const other = normalised.get(key)
    if (other === undefined || name.length < other.length) normalised.set(key, name)
  }
  for (const name of Object.keys(json.models)) normalise(name, name)
  for (const [name, model] of Object.entries(json.models))
    for (const alias of model.aliases ?? []) {
      aliases.set(alias, name)
      if (!normalised.has(normalisedName(alias))) normalise(alias, name)
    }
  const patterns = (json.patterns ?? []).map(([source, name]) => ({ pattern: new RegExp(source, 'i'), name }))
  const models = new Map<string, Model>()

  const listed = (asked: string): string | undefined => aliases.get(asked) ?? (Object.hasOwn(json.models, asked) ? asked : undefined)
  const nameOf = (asked: string): string | undefined => {
    // A path before the name is a vendor ("openai/gpt-4.1"), a resource ("arn:…/us.anthropic.…") or nothing that we know.
    const last = asked.slice(asked.lastIndexOf('/') + 1)
    return (
      listed(asked) ??
      normalised.get(normalisedName(asked)) ??
      listed(last) ??
      normalised.get(normalisedName(last)) ??
      patterns.find(({ pattern }) => pattern.test(asked))?.name
    )
  }

  return {
    inherits: json.inherits ?? [],
    readAll() {
      for (const [name, model] of Object.entries(json.models)) readModel(provider, name, model)
      if (json.anyModel !== undefined) readModel(provider, 'any model', json.anyModel)
    },
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
 * The same model under the spellings that are in use: lower case; "4.5" and "4-5" alike; without "models/", "publishers/…/models/"
 * or "accounts/…/models/"; without the region before ("us.", "global.") and the revision after ("-v1:0") that AWS adds; without a
 * trailing snapshot date ("-2025-04-14", "-20250414", "@20250414"), "-latest" or a router's preference (":nitro"). What else
 * follows a name (":free", "-fast", "-preview") is another model with another price.
 */
export const normalisedName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/^(?:models|publishers\/[^/]+\/models|accounts\/[^/]+\/(?:models|routers))\//, '')
    .replace(/^(?:global|regional|us-gov|us|eu|apac|au|jp|ca)\.(?=[a-z0-9-]+\.)/, '')
    .replace(/-v\d+:\d+(?::\d+k)?$|:(?:nitro|floor|online|exacto)$/, '')
    .replace(/(?:[-@](?:\d{4}-\d{2}-\d{2}|20\d{6})|[-@](?:latest|default))$/, '')
    .replace(/(?<=\d)\.(?=\d)/g, '-')

const withDiscounts = (cardAt: Model['cardAt'], discounts: readonly DiscountJson[], provider: string): Model['cardAt'] => {
  const dated = discounts.map(({ multiply, from, until }) => ({
    factor: multiplierOf(multiply, `${provider} (discount)`),
    from: from === undefined ? Number.NEGATIVE_INFINITY : instantOf(from, provider),
    until: until === undefined ? Number.POSITIVE_INFINITY : instantOf(until, provider),
  }))
  const cards = new Map<RateCard, RateCard>()
  return (at, variant) => {
    const card = cardAt(at, variant)
    const factors = dated.filter(({ from, until }) => at >= from && at < until).map(({ factor }) => factor)
    if (card === undefined || factors.length === 0) return card
    const known = dated.length === 1 ? cards.get(card) : undefined
    if (known !== undefined) return known
    const made = discountedCard(card, factors.reduce(compound))
    if (cards.size < cardsMax) cards.set(card, made)
    return made
  }
}

const createModel = (provider: string, name: string, json: ModelJson): Model => {
  const periods = json.periods
    .map((period) => ({
      from: period.from === undefined ? Number.NEGATIVE_INFINITY : instantOf(period.from, `${provider}/${name}`),
      cardAt: createCards(period, `${provider}/${name}`),
    }))
    .sort((left, right) => left.from - right.from)
  return {
    provider,
    name,
    outputMax: json.outputMax,
    cardAt(at, variant) {
      for (let index = periods.length - 1; index >= 0; index--) {
        const period = periods[index]
        if (period !== undefined && at >= period.from) return period.cardAt(at, variant)
      }
      return undefined
    },
  }
}

/** Makes every card that a model has, for the complaints that this may raise. */
const readModel = (provider: string, name: string, json: ModelJson): void => {
  const model = createModel(provider, name, json)
  for (const period of json.periods) {
    const at = period.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(period.from)
    for (const { tier, speed, region, regions } of period.variants ?? [])
      for (const place of [region, ...(regions ?? [])])
        model.cardAt(at, { ...(tier && { tier }), ...(speed && { speed }), ...(place && { region: place }) })
  }
}
