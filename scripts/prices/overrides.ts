import type { PeriodJson, RatesJson, VariantJson } from '../../src/core/book-json.ts'
import type { Unit } from '../../src/core/units.ts'
import type { Variant } from '../../src/core/variant.ts'
import { type AgreedPeriod, listOf, partsOf, type Slot, slotOf } from './candidate.ts'

/** What was decided by the provider's own page where the sources differ, are wrong or are silent. See docs/reference/prices.md. */
export interface Override {
  readonly provider: string
  /** A regular expression for the whole name. */
  readonly models: string
  /** The page that decides, and the day on which it did. */
  readonly source: string
  readonly date: string
  readonly why: string
  /** Sets rates: of the standard list or a variant's, from a prompt size on, in every period or in the one that begins `from`. */
  readonly rates?: RatesJson
  readonly variant?: Variant
  readonly threshold?: number
  readonly from?: string
  /** `first`: in the first period only. */
  readonly only?: 'first'
  /** Takes away what is not a price: the units named, the `tiers` of all lists, the variants named in `variant`, or the `model`. */
  readonly drop?: readonly Unit[] | 'tiers' | 'variant' | 'model'
  /** Variants by rule ("a batch halves tokens"), in place of what the sources list for the same. */
  readonly variants?: readonly VariantJson[]
  /** The whole history of one model, in place of what the sources say. */
  readonly periods?: readonly Pick<PeriodJson, 'from' | 'rates' | 'tiers' | 'hours' | 'variants' | 'note'>[]
  readonly aliases?: readonly string[]
  /** Whether a prompt of exactly the threshold pays the rates of a tier, where it is not as the provider's other models have it. */
  readonly op?: 'gt' | 'gte'
  /** Accepts a rate that the checks refuse. */
  readonly allow?: 'jump' | 'range'
}

export const overridesFor = (overrides: readonly Override[], provider: string, model: string): readonly Override[] =>
  overrides.filter((override) => override.provider === provider && new RegExp(`^(?:${override.models})$`).test(model))

/** The agreed rates with what was decided: rates set and taken away. */
export const withDecisions = (periods: readonly AgreedPeriod[], overrides: readonly Override[]): readonly AgreedPeriod[] =>
  periods.map((period, index) => {
    const rates = new Map(period.rates)
    const multipliers = new Map(period.multipliers)
    for (const override of overrides) {
      const { drop, from, threshold = 0, variant = {}, only } = override
      if ((from !== undefined && from !== period.from) || (only === 'first' && index > 0)) continue
      const list = listOf(variant)
      for (const [unit, value] of Object.entries(override.rates ?? {}) as [Unit, string][])
        rates.set(slotOf(list, threshold, unit), { value, confidence: 'decided' })
      if (drop !== undefined) for (const slot of rates.keys()) if (isDropped(slot, drop, list)) rates.delete(slot)
      for (const ruled of override.variants ?? []) dropVariant(rates, multipliers, ruled)
      if (drop === 'variant') multipliers.delete(list)
    }
    return { ...period, rates, multipliers }
  })

const isDropped = (slot: Slot, drop: NonNullable<Override['drop']>, list: string): boolean => {
  const parts = partsOf(slot)
  if (drop === 'model') return true
  if (drop === 'tiers') return parts.threshold > 0
  if (drop === 'variant') return parts.list === list
  return parts.list === list && drop.includes(parts.unit)
}

/** A rule for a variant takes the place of what is listed for it, in every region if it names none. */
const dropVariant = (rates: Map<Slot, unknown>, multipliers: Map<string, unknown>, { tier, speed, region, regions }: VariantJson): void => {
  const isRuled = (list: string): boolean => {
    const aspects = list.split(',')
    if (
      list === '' ||
      (tier !== undefined && !aspects.includes(`tier=${tier}`)) ||
      (speed !== undefined && !aspects.includes(`speed=${speed}`))
    )
      return false
    const places = regions ?? (region === undefined ? [] : [region])
    return places.length === 0 || places.some((place) => aspects.includes(`region=${place}`))
  }
  for (const slot of rates.keys()) if (isRuled(partsOf(slot).list)) rates.delete(slot)
  for (const list of multipliers.keys()) if (isRuled(list)) multipliers.delete(list)
}

/** The variants that were decided by rule, added to a period that has none of the same. */
export const withRuledVariants = (period: PeriodJson, index: number, overrides: readonly Override[]): PeriodJson => {
  const ruled = overrides
    .filter(({ from, only }) => (from === undefined || from === period.from) && (only === undefined || index === 0))
    .flatMap(({ variants = [] }) => variants)
    .map((variant): VariantJson => ({ ...variant, ...(period.confidence !== 'decided' && { confidence: 'decided' }) }))
  if (ruled.length === 0) return period
  const { source, confidence, note, ...card } = period
  return {
    ...card,
    variants: [...ruled, ...(period.variants ?? [])],
    ...(source && { source }),
    ...(confidence && { confidence }),
    ...(note && { note }),
  }
}
