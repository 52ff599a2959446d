import type { ModelJson, PeriodJson, ProviderJson, VariantJson } from '../../src/core/book-json.ts'
import { flatRatesOf } from '../../src/core/price-history.ts'

export type Change =
  | { readonly kind: 'model'; readonly where: string }
  | { readonly kind: 'period'; readonly where: string; readonly from: string; readonly rates: readonly string[] }
  | { readonly kind: 'filled'; readonly where: string; readonly rates: readonly string[] }
  | { readonly kind: 'confidence'; readonly where: string }
  | { readonly kind: 'past'; readonly where: string; readonly from: string }

export interface Merged {
  readonly provider: ProviderJson
  readonly changes: readonly Change[]
}

/**
 * What is written with what is new, by adding only: an unknown model, a period that begins later, a rate where there was none.
 * A changed rate is another period from `day` on. A period that the sources place between or before those written is reported
 * (`past`) and left out, for it would change what has been charged. A model that no source has any more keeps its prices.
 */
export const mergeProvider = (id: string, written: ProviderJson | undefined, fresh: ProviderJson, day: string): Merged => {
  const changes: Change[] = []
  const models: Record<string, ModelJson> = { ...written?.models }
  for (const [name, model] of Object.entries(fresh.models)) {
    const known = models[name]
    if (known === undefined) {
      models[name] = model
      changes.push({ kind: 'model', where: `${id}/${name}` })
    } else {
      models[name] = mergeModel(`${id}/${name}`, known, model, day, changes)
    }
  }
  const sorted = Object.entries(models).sort(([left], [right]) => (left < right ? -1 : 1))
  return { provider: { ...written, ...fresh, models: Object.fromEntries(sorted) }, changes }
}

const mergeModel = (where: string, known: ModelJson, fresh: ModelJson, day: string, changes: Change[]): ModelJson => {
  const periods = [...known.periods]
  const inForce = (among: readonly PeriodJson[]) => among.findLast(({ from }) => (from ?? '') <= day)
  const current = inForce(fresh.periods)
  const add = (period: PeriodJson, before: PeriodJson | undefined): void => {
    periods.push(period)
    changes.push({ kind: 'period', where, from: period.from ?? '', rates: before ? differencesOf(before, period) : [] })
  }
  for (const period of fresh.periods) {
    const last = periods.at(-1)
    // What the sources have in force is held against what is written as in force, whenever that began; the rest by its date.
    const index = periods.findIndex((own) => (period === current ? own === inForce(periods) : own.from === period.from))
    const own = periods[index]
    const isLater = (period.from ?? '') > (last?.from ?? '')
    if (isLater) {
      if (last === undefined || differs(last, period) || isOther(last, period)) add(period, last)
    } else if (own !== undefined && !differs(own, period) && (period.from === own.from || period.from === undefined)) {
      periods[index] = fill(where, own, period, changes)
    } else if (period === current && own === last && own !== undefined && day > (own.from ?? '')) {
      add({ ...period, from: day }, own)
    } else {
      changes.push({ kind: 'past', where, from: period.from ?? 'the beginning' })
    }
  }
  const aliases = [...new Set([...(known.aliases ?? []), ...(fresh.aliases ?? [])])]
  const outputMax = fresh.outputMax ?? known.outputMax
  return { ...(aliases.length > 0 && { aliases }), ...(outputMax !== undefined && { outputMax }), periods }
}

/** The written period with what it did not have: rates, tiers, hours, variants, and a better confidence. Nothing it had is changed. */
const fill = (where: string, written: PeriodJson, fresh: PeriodJson, changes: Change[]): PeriodJson => {
  if (JSON.stringify(written) === JSON.stringify(fresh)) return written
  const variants = [...(written.variants ?? []), ...(fresh.variants ?? []).filter((variant) => !hasVariant(written, variant))]
  const filled: PeriodJson = {
    ...fresh,
    ...written,
    rates: { ...fresh.rates, ...written.rates },
    ...(fresh.except && { except: fresh.except }),
    ...(variants.length > 0 && { variants }),
    ...(fresh.confidence && { confidence: fresh.confidence }),
  }
  const added = differencesOf(written, filled)
  if (added.length > 0) changes.push({ kind: 'filled', where, rates: added })
  else if (written.confidence !== filled.confidence) changes.push({ kind: 'confidence', where })
  return filled
}

const regionsOf = ({ region, regions = [] }: VariantJson): readonly (string | undefined)[] =>
  region === undefined && regions.length > 0 ? regions : [region]

/** A variant that is there for one of the regions is there: two that both agree with a call would multiply. */
const hasVariant = (period: PeriodJson, variant: VariantJson): boolean =>
  (period.variants ?? []).some(
    (own) =>
      own.tier === variant.tier &&
      own.speed === variant.speed &&
      regionsOf(own).some((region) => regionsOf(variant).some((other) => other === region)),
  )

/** Whether a rate that both say differs. */
const differs = (written: PeriodJson, fresh: PeriodJson): boolean => {
  const rates = flatRatesOf(written)
  return [...flatRatesOf(fresh)].some(([place, rate]) => rates.has(place) && rates.get(place) !== rate)
}

/** Whether the later period says something that the one before it does not, or leaves out what it says. */
const isOther = (before: PeriodJson, later: PeriodJson): boolean => {
  const rates = flatRatesOf(before)
  const own = flatRatesOf(later)
  return own.size !== rates.size || [...own.keys()].some((place) => !rates.has(place))
}

const differencesOf = (written: PeriodJson, fresh: PeriodJson): string[] => {
  const rates = flatRatesOf(written)
  return [...flatRatesOf(fresh)]
    .filter(([place, rate]) => rates.get(place) !== rate)
    .map(([place, rate]) => {
      const sign = place.endsWith('×') ? '' : '$'
      return rates.has(place) ? `${place} ${sign}${rates.get(place)} → ${sign}${rate}` : `${place} ${sign}${rate}`
    })
}
