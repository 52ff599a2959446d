import type { BookJson, DiscountJson, ModelJson, PeriodJson, ProviderJson } from './book-json.ts'
import { TaximeterError } from './errors.ts'
import { createPriceBook } from './price-book.ts'
import { instantOf } from './rate-card.ts'

/** What the configuration adds to the price book; every part is optional. docs/reference/prices.md shows each. */
export interface PriceAdditions {
  /** By "provider/model": an own model, other rates for a known one, the price of another model, or the hour of a machine. */
  readonly models?: Readonly<Record<string, ModelAddition>>
  readonly discounts?: readonly (DiscountJson & { readonly provider: string })[]
}

export type ModelAddition = Partial<Pick<PeriodJson, 'rates' | 'tiers' | 'hours' | 'variants' | 'from'>> & {
  /** First day on which the book's own rates hold again. */
  readonly until?: string
  /** "provider/model": whose price this one has, such as the model behind a deployment. */
  readonly as?: string
  /** Dollars for an hour of the machine; tokens then cost nothing. */
  readonly machineHour?: string
  readonly outputMax?: number
}

/**
 * The book with additions. A rate card that is given stands whole: what it does not name has no price of its own, and neither
 * tiers nor variants of the book remain in force beside it. Pure; the version names the additions too, so that charges made
 * with different ones can be told apart. Throws BAD_PRICE with the path of the key that is wrong, `path` being where they stand.
 */
export const withPrices = (book: BookJson, additions: unknown, path = 'prices'): BookJson => {
  const { models: asked, discounts } = parseAdditions(additions, path)
  if (asked.length === 0 && discounts.length === 0) return book
  const providers: Record<string, ProviderJson> = { ...book.providers }
  const known = createPriceBook(book)
  const models = asked.map((addition) => ({ ...addition, name: ownNameOf(addition, known) }))
  for (const addition of models.filter(({ json }) => json.as === undefined))
    addModel(providers, addition, cardModel(addition, providers, known))
  const grown = createPriceBook({ version: '', providers })
  for (const addition of models.filter(({ json }) => json.as !== undefined))
    addModel(providers, addition, sameModel(addition, providers, grown))
  for (const { provider, at, ...discount } of discounts) {
    const shelf = providers[provider]
    if (shelf === undefined) throw bad(`${at}.provider`, 'a provider of the price book', provider)
    providers[provider] = { ...shelf, discounts: [...(shelf.discounts ?? []), discount] }
  }
  const { checksum: _, ...rest } = book
  const made: BookJson = { ...rest, version: `${book.version}.${hashOf(canonical(additions))}`, providers }
  checkMade(made, models, discounts)
  return made
}

interface NamedModel {
  readonly provider: string
  readonly name: string
  readonly json: ModelAddition
  readonly at: string
}
type NamedDiscount = DiscountJson & { readonly provider: string; readonly at: string }
type Book = ReturnType<typeof createPriceBook>

/** The name that the provider's own list has for a model: another spelling of it is not another model. */
const ownNameOf = ({ provider, name }: NamedModel, book: Book): string => {
  const found = book.nameOf(provider, name)
  return found?.provider === provider ? found.model : name
}

const addModel = (providers: Record<string, ProviderJson>, { provider, name }: NamedModel, model: ModelJson): void => {
  const shelf = providers[provider] ?? { name: provider, models: {} }
  // A name that was another model's alias is this model's own from now on.
  const others = Object.entries(shelf.models).map(([other, { aliases, ...rest }]): [string, ModelJson] => {
    const kept = aliases?.filter((alias) => alias !== name)
    return [other, kept !== undefined && kept.length > 0 ? { ...rest, aliases: kept } : rest]
  })
  providers[provider] = { ...shelf, models: { ...Object.fromEntries(others), [name]: model } }
}

const cardModel = ({ provider, name, json, at }: NamedModel, providers: Record<string, ProviderJson>, book: Book): ModelJson => {
  const found = book.nameOf(provider, name)
  const written = found === undefined ? undefined : (providers[found.provider]?.models[found.model] ?? providers[found.provider]?.anyModel)
  const { rates, tiers, hours, variants, from, until, machineHour } = json
  const period: PeriodJson = {
    ...(from !== undefined && { from }),
    rates: machineHour === undefined ? (rates ?? {}) : { input: '0', output: '0', ...rates, machine_ms: machineHour },
    ...(tiers && { tiers }),
    ...(hours && { hours }),
    ...(variants && { variants }),
    note: `From the configuration (${at}).`,
    confidence: 'decided',
  }
  const outputMax = json.outputMax ?? written?.outputMax
  const aliases = found?.provider === provider ? written?.aliases : undefined
  return {
    ...(aliases && { aliases }),
    ...(outputMax !== undefined && { outputMax }),
    periods: spliced(written?.periods ?? [], period, until, at),
  }
}

/** The written periods with another in place of what they say from its `from` until `until`. */
const spliced = (written: readonly PeriodJson[], period: PeriodJson, until: string | undefined, at: string): readonly PeriodJson[] => {
  const start = period.from === undefined ? Number.NEGATIVE_INFINITY : instantOf(period.from, at)
  const end = until === undefined ? Number.POSITIVE_INFINITY : instantOf(until, at)
  if (end <= start) throw bad(`${at}.until`, 'a day after `from`', until)
  const startOf = ({ from }: PeriodJson) => (from === undefined ? Number.NEGATIVE_INFINITY : instantOf(from, at))
  const before = written.filter((other) => startOf(other) < start)
  const after = written.filter((other) => startOf(other) > end)
  const resumed = until === undefined ? undefined : written.findLast((other) => startOf(other) <= end)
  return [
    ...before,
    period,
    ...(until !== undefined && resumed ? [{ ...resumed, from: until }] : []),
    ...(until === undefined ? [] : after),
  ]
}

const sameModel = ({ json, at }: NamedModel, providers: Record<string, ProviderJson>, book: Book): ModelJson => {
  const { provider, name } = splitName(json.as ?? '', `${at}.as`)
  const found = book.nameOf(provider, name)
  const model = found && (providers[found.provider]?.models[found.model] ?? providers[found.provider]?.anyModel)
  if (model === undefined) throw bad(`${at}.as`, 'a model of the price book or of `models`, as "provider/model"', json.as)
  const { aliases: _, ...rest } = model
  return { ...rest, ...(json.outputMax !== undefined && { outputMax: json.outputMax }) }
}

const modelKeys = ['rates', 'tiers', 'hours', 'variants', 'from', 'until', 'as', 'machineHour', 'outputMax'] as const
const discountKeys = ['provider', 'model', 'multiply', 'from', 'until'] as const

const parseAdditions = (json: unknown, path: string): { models: NamedModel[]; discounts: NamedDiscount[] } => {
  const parts = tableOf(json ?? {}, path, ['models', 'discounts'])
  const models = Object.entries(tableOf(parts.models ?? {}, `${path}.models`)).map(([key, value]): NamedModel => {
    const at = `${path}.models.${key}`
    const addition = asText(tableOf(value, at, modelKeys)) as ModelAddition
    const kinds = (['rates', 'as', 'machineHour'] as const).filter((kind) => addition[kind] !== undefined)
    if (kinds.length === 0) throw bad(at, 'one of rates, as, machineHour', value)
    if (addition.as !== undefined && kinds.length > 1) throw bad(at, '`as` or rates, not both', value)
    return { ...splitName(key, at), json: addition, at }
  })
  const list = parts.discounts ?? []
  if (!Array.isArray(list)) throw bad(`${path}.discounts`, 'a list', list)
  const discounts = list.map((value: unknown, index): NamedDiscount => {
    const at = `${path}.discounts.${index}`
    const discount = asText(tableOf(value, at, discountKeys)) as Partial<NamedDiscount>
    const { provider, multiply } = discount
    if (provider === undefined) throw bad(`${at}.provider`, 'a provider of the price book', provider)
    if (multiply === undefined) throw bad(`${at}.multiply`, 'a decimal such as "0.85"', multiply)
    return { ...discount, provider, multiply, at }
  })
  return { models, discounts }
}

const splitName = (key: string, at: string): { provider: string; name: string } => {
  const slash = typeof key === 'string' ? key.indexOf('/') : -1
  if (slash <= 0 || slash === key.length - 1) throw bad(at, 'named "provider/model"', key)
  return { provider: key.slice(0, slash), name: key.slice(slash + 1) }
}

const tableOf = (json: unknown, at: string, keys?: readonly string[]): Readonly<Record<string, unknown>> => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw bad(at, 'a table', json)
  for (const key of Object.keys(json)) if (keys && !keys.includes(key)) throw bad(`${at}.${key}`, `one of ${keys.join(', ')}`, key)
  return json as Readonly<Record<string, unknown>>
}

const countKeys = new Set(['outputMax', 'threshold', 'days'])

/** YAML reads `input: 2.50` as a number: its shortest decimal is what was written, and money stays text from here on. */
const asText = (json: unknown, key = ''): unknown => {
  if (countKeys.has(key)) return json
  if (typeof json === 'number') return String(json)
  if (Array.isArray(json)) return json.map((item) => asText(item))
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, asText(value, name)]))
}

/** Reads everything that was added, so that a wrong rate is refused when the configuration is and not when a call needs it. */
const checkMade = (made: BookJson, models: readonly NamedModel[], discounts: readonly NamedDiscount[]): void => {
  for (const { provider, name, at } of models) {
    const model = made.providers[provider]?.models[name]
    const only: BookJson = {
      version: '',
      providers: { [provider]: { name: provider, models: model === undefined ? {} : { [name]: model } } },
    }
    checked(at, () => createPriceBook(only).readAll())
  }
  for (const { provider, model, at } of discounts) {
    const book = createPriceBook(made)
    if (model !== undefined && book.nameOf(provider, model) === undefined) throw bad(`${at}.model`, `a model of ${provider}`, model)
    const any = model ?? Object.keys(made.providers[provider]?.models ?? {})[0]
    checked(at, () => any !== undefined && book.find(provider, any, 0, {}))
  }
}

const checked = (at: string, read: () => unknown): void => {
  try {
    read()
  } catch (error) {
    const complaint = error instanceof TaximeterError ? error.message.replace(/^BAD_PRICE: (?:Price of )?/, '') : String(error)
    throw new TaximeterError('BAD_PRICE', `${at}: ${complaint}`, { cause: error })
  }
}

/** The same text for the same additions, in whatever order their keys were written. */
const canonical = (json: unknown): string => {
  if (Array.isArray(json)) return `[${json.map(canonical).join(',')}]`
  if (typeof json !== 'object' || json === null) return JSON.stringify(json) ?? 'null'
  const parts = Object.entries(json).sort(([left], [right]) => (left < right ? -1 : 1))
  return `{${parts.map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)}`).join(',')}}`
}

/** FNV-1a of 64 bits: the core has no hash of the platform's, and this one only has to tell configurations apart. */
const hashOf = (text: string): string => {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0').slice(0, 8)
}

const bad = (at: string, expected: string, got: unknown) =>
  new TaximeterError('BAD_PRICE', `${at} should be ${expected}, got ${JSON.stringify(got) ?? 'nothing'}.`)
