import type { BookJson, DiscountJson, ModelJson, ProviderJson } from './book-json.ts'
import { compound, createCards, discountedCard, instantOf, multiplierOf, type RateCard } from './rate-card.ts'
import type { Variant } from './variant.ts'

export type { Rate, RateCard, Rates } from './rate-card.ts'

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
  const otherNames = new Map(Object.entries(json.providers).flatMap(([id, { alsoKnownAs = [] }]) => alsoKnownAs.map((name) => [name, id])))
  const idOf = (provider: string): string => (Object.hasOwn(json.providers, provider) ? provider : (otherNames.get(provider) ?? provider))
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
    const id = idOf(provider)
    const found = discounted(search(id, model), id)
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
