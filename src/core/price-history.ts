import { type BookJson, type CardJson, confidences, type ModelJson, type PeriodJson, type ProviderJson } from './book-json.ts'
import { createPriceBook } from './price-book.ts'

/** One period of one model, with what stands beside it in the book. */
export interface PricePeriod {
  readonly provider: string
  readonly model: string
  readonly aliases: readonly string[]
  readonly period: PeriodJson
  /** The `from` of the period after this one: until then the rates hold. */
  readonly until?: string
  /** The page that the rates are from. */
  readonly source?: string
}

/**
 * All periods of a model, oldest first. The model is "provider/model" or a bare name, which then stands for every provider that
 * lists it, in any spelling that the lookup takes. Empty when nobody does.
 */
export const historyOf = (book: BookJson, asked: string): readonly PricePeriod[] => {
  const prices = createPriceBook(book)
  const slash = asked.indexOf('/')
  const named = slash > 0 && Object.hasOwn(book.providers, asked.slice(0, slash)) ? asked.slice(0, slash) : undefined
  const providers = named === undefined ? Object.keys(book.providers) : [named]
  const name = named === undefined ? asked : asked.slice(slash + 1)
  const seen = new Set<string>()
  return providers.flatMap((provider) => {
    const found = prices.nameOf(provider, name)
    const shelf = found && book.providers[found.provider]
    const model = found && (shelf?.models[found.model] ?? (named === undefined ? undefined : shelf?.anyModel))
    if (found === undefined || shelf === undefined || model === undefined || seen.has(`${found.provider}/${found.model}`)) return []
    seen.add(`${found.provider}/${found.model}`)
    return periodsOf(found.provider, found.model, shelf, model)
  })
}

const periodsOf = (provider: string, name: string, shelf: ProviderJson, model: ModelJson): PricePeriod[] =>
  model.periods.map((period, index): PricePeriod => {
    const until = model.periods[index + 1]?.from
    const source = period.source ?? shelf.source
    return {
      provider,
      model: name,
      aliases: model.aliases ?? [],
      period,
      ...(until !== undefined && { until }),
      ...(source !== undefined && { source }),
    }
  })

/** The current periods at `at` (UTC milliseconds) of the models whose name, provider or alias has all the words of a text, at most `limit`. */
export const searchPrices = (book: BookJson, text: string, at: number, limit = 50): readonly PricePeriod[] => {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found: PricePeriod[] = []
  for (const [provider, shelf] of Object.entries(book.providers))
    for (const [name, model] of Object.entries(shelf.models)) {
      const haystack = [`${provider}/${name}`, shelf.name, ...(model.aliases ?? [])].join(' ').toLowerCase()
      if (!words.every((word) => haystack.includes(word))) continue
      const current = periodsOf(provider, name, shelf, model).findLast(
        ({ period }) => period.from === undefined || Date.parse(period.from) <= at,
      )
      if (current !== undefined) found.push(current)
      if (found.length >= limit) return found
    }
  return found
}

/** A difference between two books: a model that only one has, a period that begins in only one, or a rate. */
export interface PriceChange {
  readonly provider: string
  readonly model: string
  readonly kind: 'model-added' | 'model-removed' | 'period-added' | 'period-removed' | 'rate'
  /** The period's `from`; absent for one that has held for as long as anyone knows. */
  readonly from?: string
  /** For a rate: its place ("input", "batch output", ">200000 input") and what each book says; undefined where it says nothing. */
  readonly place?: string
  readonly before?: string
  readonly after?: string
}

export const diffBooks = (before: BookJson, after: BookJson): readonly PriceChange[] => {
  const changes: PriceChange[] = []
  for (const provider of union(before.providers, after.providers)) {
    const old = before.providers[provider]?.models ?? {}
    const fresh = after.providers[provider]?.models ?? {}
    for (const model of union(old, fresh)) {
      const [left, right] = [old[model], fresh[model]]
      if (left === undefined) changes.push({ provider, model, kind: 'model-added' })
      else if (right === undefined) changes.push({ provider, model, kind: 'model-removed' })
      else changes.push(...diffModels(left, right).map((change) => ({ provider, model, ...change })))
    }
  }
  return changes
}

const diffModels = (left: ModelJson, right: ModelJson): Omit<PriceChange, 'provider' | 'model'>[] => {
  const starts = [...new Set([...left.periods, ...right.periods].map(({ from }) => from ?? ''))].sort()
  return starts.flatMap((from): Omit<PriceChange, 'provider' | 'model'>[] => {
    const place = from === '' ? {} : { from }
    const old = left.periods.find((period) => (period.from ?? '') === from)
    const fresh = right.periods.find((period) => (period.from ?? '') === from)
    if (old === undefined) return [{ kind: 'period-added' as const, ...place }]
    if (fresh === undefined) return [{ kind: 'period-removed' as const, ...place }]
    return diffRates(flatRatesOf(old), flatRatesOf(fresh)).map((change) => ({ kind: 'rate' as const, ...place, ...change }))
  })
}

const diffRates = (old: ReadonlyMap<string, string>, fresh: ReadonlyMap<string, string>) =>
  [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((place) => old.get(place) !== fresh.get(place))
    .map((place) => {
      const [before, after] = [old.get(place), fresh.get(place)]
      return { place, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }
    })

const union = (left: object, right: object): string[] => [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()

/** Every rate of a period under a name for its place: "input", ">200000 input", "01:00-04:00 input", "batch input"; "batch ×" is a multiple. */
export const flatRatesOf = (period: PeriodJson): ReadonlyMap<string, string> => {
  const rates = new Map<string, string>()
  const add = (place: string, card: Partial<CardJson>) => {
    for (const [unit, rate] of Object.entries(card.rates ?? {})) rates.set(`${place}${unit}`, rate)
    for (const tier of card.tiers ?? [])
      for (const [unit, rate] of Object.entries(tier.rates))
        rates.set(`${place}${tier.op === 'gte' ? '≥' : '>'}${tier.threshold} ${unit}`, rate)
  }
  add('', period)
  for (const hours of period.hours ?? []) add(`${hours.from}-${hours.to}${hours.days ? ` on days ${hours.days.join('')}` : ''} `, hours)
  for (const variant of period.variants ?? []) {
    const place = `${[variant.tier, variant.speed, variant.region ?? variant.regions?.join('+')].filter(Boolean).join(' ')} `
    if (variant.multiply !== undefined) rates.set(`${place}×`, variant.multiply)
    add(place, variant)
  }
  return rates
}

/** What is wrong with a book, one sentence each; none for a book that can be relied on. */
export const checkBook = (book: BookJson): readonly string[] => {
  const complaints: string[] = []
  for (const [provider, shelf] of Object.entries(book.providers))
    for (const [name, model] of Object.entries(shelf.models)) {
      const where = `${provider}/${name}`
      const only = { version: '', providers: { [provider]: { name: shelf.name, models: { [name]: model } } } }
      try {
        createPriceBook(only).readAll()
      } catch (error) {
        complaints.push(`${where}: ${error instanceof Error ? error.message : String(error)}`)
      }
      if (model.periods.length === 0) complaints.push(`${where} has no period.`)
      model.periods.forEach((period, index) => {
        const before = model.periods[index - 1]
        if (before !== undefined && (period.from ?? '') <= (before.from ?? ''))
          complaints.push(`${where}: its periods are not in the order of their days.`)
        if (period.source === undefined && shelf.source === undefined) complaints.push(`${where}: a period names no source.`)
        if (period.confidence === undefined || !confidences.includes(period.confidence))
          complaints.push(`${where}: a period does not say how sure it is.`)
      })
    }
  return complaints
}
