import type { BookJson, ModelJson, PeriodJson } from '../../core/book-json.ts'
import { TaximeterError } from '../../core/errors.ts'
import { units } from '../../core/units.ts'
import type { PeriodAnswer, PriceDetailJson, PriceJson, PricesAnswer, UnitsAnswer } from '../api.ts'
import { pricesPageMax } from '../limits.ts'
import { countParameter, textParameter } from '../parameters.ts'
import { error, json, jsonAnswer, type Route, route } from '../route.ts'
import type { Services } from '../services.ts'

/** The price book, to search and to read. */
export const priceRoutes = ({ prices, book, now }: Services): readonly Route[] => {
  if (prices === undefined) return []
  return [
    route({
      method: 'GET',
      path: '/v1/prices',
      uses: ['read'],
      title: 'The price book: models with the rates that hold now.',
      query: {
        search: textParameter(200, 'Words that the provider or the name should hold.'),
        provider: textParameter(200),
        limit: countParameter(1, pricesPageMax, 100),
        after: textParameter(500, '`next` of the page before.'),
      },
      answers: {
        200: json('PricesAnswer', 'One page of models, by provider and name.'),
        400: error('A parameter is not as it should be.'),
      },
      handle: ({ query }) => jsonAnswer(pricesAnswer(prices(), query, minuteOf(now()))),
    }),
    route({
      method: 'GET',
      path: '/v1/prices/{provider}/{model}',
      uses: ['read'],
      greedy: ['model'],
      title: 'One model by any of its names: every period with its source.',
      answers: { 200: json('PriceDetail', 'The model.'), 404: error('The book does not know it.') },
      handle({ param }) {
        const all = prices()
        const asked = { provider: param('provider'), model: param('model') }
        const found = book().nameOf(asked.provider, asked.model) ?? asked
        const provider = own(all.providers, found.provider)
        const model = provider && (own(provider.models, found.model) ?? provider.anyModel)
        if (provider === undefined || model === undefined) {
          throw new TaximeterError(
            'NOT_FOUND',
            `The price book does not know a model "${asked.model.slice(0, 100)}" of "${asked.provider.slice(0, 100)}". Its calls are unpriced; see /v1/prices for what it knows.`,
          )
        }
        const row = { provider: found.provider, providerName: provider.name, page: provider.source, name: found.model, model }
        return jsonAnswer({
          ...priceJson(row, minuteOf(now())),
          version: all.version,
          units: unitsAnswer,
          periods: [...model.periods]
            .sort(byFrom)
            .reverse()
            .map((period) => periodAnswer(period, provider.source)),
        } satisfies PriceDetailJson)
      },
    }),
  ]
}

interface Row {
  readonly provider: string
  readonly providerName: string
  /** The provider's price page: the source of every period that names none of its own. */
  readonly page: string | undefined
  readonly name: string
  readonly model: ModelJson
}

const pricesAnswer = (
  json: BookJson,
  query: {
    readonly search?: string | undefined
    readonly provider?: string | undefined
    readonly limit: number
    readonly after?: string | undefined
  },
  now: string,
): PricesAnswer => {
  const words = (query.search ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const rows: Row[] = []
  for (const [id, provider] of Object.entries(json.providers)) {
    if (query.provider !== undefined && query.provider !== id) continue
    for (const [name, model] of Object.entries(provider.models)) {
      const text = `${id} ${provider.name} ${name} ${model.aliases?.join(' ') ?? ''}`.toLowerCase()
      if (words.every((word) => text.includes(word)))
        rows.push({ provider: id, providerName: provider.name, page: provider.source, name, model })
    }
  }
  rows.sort((left, right) => compare(placeOf(left), placeOf(right)))
  const { after } = query
  const start = after === undefined ? 0 : rows.findIndex((row) => compare(placeOf(row), after) > 0)
  const page = start === -1 ? [] : rows.slice(start, start + query.limit)
  const last = page.at(-1)
  return {
    version: json.version,
    units: unitsAnswer,
    providers: Object.entries(json.providers).map(([id, { name, models }]) => ({ id, name, models: Object.keys(models).length })),
    prices: page.map((row) => priceJson(row, now)),
    matches: rows.length,
    ...(last !== undefined && start + page.length < rows.length && { next: placeOf(last) }),
  }
}

const placeOf = (row: Row): string => `${row.provider}/${row.name}`
const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

const priceJson = ({ provider, providerName, page, name, model }: Row, now: string): PriceJson => {
  const current = model.periods
    .filter((period) => (period.from ?? '') <= now)
    .sort(byFrom)
    .at(-1)
  return {
    provider,
    providerName,
    model: name,
    ...(model.aliases !== undefined && { aliases: model.aliases }),
    ...(model.outputMax !== undefined && { outputMax: model.outputMax }),
    ...(current !== undefined && { current: periodAnswer(current, page) }),
    periods: model.periods.length,
  }
}

const byFrom = (left: PeriodJson, right: PeriodJson): number => compare(left.from ?? '', right.from ?? '')

const periodAnswer = (period: PeriodJson, page: string | undefined): PeriodAnswer => {
  const { from, source = page, confidence, rates, tiers, hours, variants } = period
  return {
    rates,
    ...(from !== undefined && { from }),
    ...(source !== undefined && { source }),
    ...(confidence !== undefined && { confidence }),
    ...tiersAnswer(tiers),
    ...(hours && {
      hours: hours.map(({ from, to, days, rates, tiers }) => ({ from, to, ...(days && { days }), rates, ...tiersAnswer(tiers) })),
    }),
    ...(variants && { variants: variants.map(({ tiers, ...variant }) => ({ ...variant, ...tiersAnswer(tiers) })) }),
  }
}

const tiersAnswer = (tiers: PeriodJson['tiers']): Pick<PeriodAnswer, 'tiers'> =>
  tiers === undefined ? {} : { tiers: tiers.map(({ op, threshold, rates }) => ({ op, threshold, rates })) }

const unitsAnswer = Object.fromEntries(
  Object.entries(units).map(([unit, { title, per, side }]) => [unit, { title, per, side }]),
) as UnitsAnswer

const own = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

/** A minute, which sorts behind its own day: periods begin on a day or at a minute. */
const minuteOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16)}Z`
