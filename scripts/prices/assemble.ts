import type { CardJson, Confidence, HoursJson, PeriodJson, RatesJson, TierJson, VariantJson } from '../../src/core/book-json.ts'
import { type Unit, unitNames, units } from '../../src/core/units.ts'
import { type Agreed, type AgreedPeriod, listOf, partsOf, slotOf, variantOf } from './candidate.ts'
import type { ProviderSource } from './providers.ts'

/** One price list: its rates by threshold (0 for all prompts). */
type List = ReadonlyMap<number, ReadonlyMap<Unit, Agreed>>

/** The period of a price file that says what was agreed. Undefined where there is nothing to price by. */
export const assemblePeriod = (agreed: AgreedPeriod, provider: ProviderSource): PeriodJson | undefined => {
  const lists = listsOf(agreed)
  const standard = lists.get('')
  const base = standard?.get(0)
  if (standard === undefined || base === undefined || base.size === 0) return undefined
  const confidence = usualOf([...base.values()])
  const card = cardOf(standard, confidence, provider)
  const hours: HoursJson[] = []
  const variants: VariantJson[] = []
  for (const [list, rates] of lists) {
    if (list === '' || !isWhole(rates, base) || isProduct(list, rates, lists)) continue
    const span = /^hours=(.+)-(.+)$/.exec(list)
    if (span?.[1] !== undefined && span[2] !== undefined) {
      hours.push({ from: span[1], to: span[2], ...cardOf(rates, confidence, provider) })
      continue
    }
    const factor = factorOf(rates, standard)
    if (factor !== undefined) variants.push({ ...variantOf(list), multiply: factor, ...sureness(usualOf(valuesOf(rates)), confidence) })
    else variants.push({ ...variantOf(list), ...cardOf(withUnlisted(rates, standard, provider), confidence, provider) })
  }
  const stated = new Set(lists.keys())
  for (const [list, { value, confidence: sure }] of agreed.multipliers)
    if (!stated.has(list)) variants.push({ ...variantOf(list), multiply: value, ...sureness(sure, confidence) })
  const grouped = byRegions(variants)
  return {
    ...(agreed.from !== undefined && { from: agreed.from }),
    ...card,
    ...(hours.length > 0 && { hours }),
    ...(grouped.length > 0 && { variants: grouped }),
    confidence,
  }
}

/** The lists of a period, without what every list says again: a search costs what it costs in the standard list. */
const listsOf = ({ rates }: AgreedPeriod): Map<string, Map<number, Map<Unit, Agreed>>> => {
  const lists = new Map<string, Map<number, Map<Unit, Agreed>>>()
  for (const [slot, agreed] of rates) {
    const { list, threshold, unit } = partsOf(slot)
    if (units[unit].side === 'other' && slot !== slotOf('', 0, unit) && rates.get(slotOf('', 0, unit))?.value === agreed.value) continue
    const tiers = lists.get(list) ?? new Map<number, Map<Unit, Agreed>>()
    lists.set(list, tiers.set(threshold, (tiers.get(threshold) ?? new Map<Unit, Agreed>()).set(unit, agreed)))
  }
  return lists
}

const valuesOf = (list: List): Agreed[] => [...list.values()].flatMap((rates) => [...rates.values()])

/** Half a price list is none: a variant that names the input and not the output (or the other way) was not copied whole. */
const isWhole = (list: List, base: ReadonlyMap<Unit, Agreed>): boolean => {
  const rates = list.get(0)
  return rates !== undefined && (['input', 'output'] as const).every((unit) => !base.has(unit) || rates.has(unit))
}

/** A batch in the EU that costs what the batch times the EU's uplift makes is said by those two. */
const isProduct = (list: string, rates: List, lists: ReadonlyMap<string, List>): boolean => {
  const { region, ...rest } = variantOf(list)
  const standard = lists.get('')
  const place = region === undefined ? undefined : lists.get(listOf({ region }))
  const part = lists.get(listOf(rest))
  const factor = standard && place && listOf(rest) !== '' ? factorOf(place, standard) : undefined
  if (factor === undefined || part === undefined) return false
  return [...rates].every(([threshold, units]) =>
    [...units].every(([unit, { value }]) => {
      const usual = part.get(threshold)?.get(unit)?.value
      return (
        sideOf(unit) === 'other' ||
        (usual !== undefined && Math.abs(Number(usual) * Number(factor) - Number(value)) <= Number(value) * 1e-9)
      )
    }),
  )
}

const sideOf = (unit: Unit) => units[unit].side

const cardOf = (list: List, usual: Confidence, { tierOp = 'gt' }: ProviderSource): CardJson => {
  const base = list.get(0) ?? new Map<Unit, Agreed>()
  const own = usualOf([...base.values()])
  const tiers: TierJson[] = []
  let below: ReadonlyMap<Unit, Agreed> = base
  for (const [threshold, rates] of [...list].filter(([threshold]) => threshold > 0).sort(([left], [right]) => left - right)) {
    if (!rates.has('input') || isSame(rates, below)) continue
    below = rates
    const sure = usualOf([...rates.values()])
    tiers.push({
      basis: 'prompt',
      scope: 'request',
      op: tierOp,
      threshold,
      rates: ratesOf(rates),
      ...sureness(sure, usual),
      ...exceptOf(rates, sure),
    })
  }
  return { rates: ratesOf(base), ...sureness(own, usual), ...exceptOf(base, own), ...(tiers.length > 0 && { tiers }) }
}

const isSame = (rates: ReadonlyMap<Unit, Agreed>, below: ReadonlyMap<Unit, Agreed>): boolean =>
  [...rates].every(([unit, { value }]) => below.get(unit)?.value === value)

/** Rates in the order of the units. A reasoning rate that is the output's is not listed: it follows the output by itself, in every tier. */
const ratesOf = (rates: ReadonlyMap<Unit, Agreed>): RatesJson =>
  Object.fromEntries(
    unitNames.flatMap((unit) => {
      const value = rates.get(unit)?.value
      return value === undefined || (unit === 'reasoning' && value === rates.get('output')?.value) ? [] : [[unit, value]]
    }),
  )

/** A list whose every token rate is the same multiple of the standard one, in every tier of that one: the multiple itself. */
const factorOf = (list: List, standard: List): string | undefined => {
  if ([...standard.keys()].some((threshold) => !list.has(threshold))) return undefined
  let factor: string | undefined
  for (const [threshold, rates] of list)
    for (const [unit, { value }] of rates) {
      if (units[unit].side === 'other') continue
      const usual = (standard.get(threshold) ?? standard.get(0))?.get(unit)?.value
      if (usual === undefined || usual === '0') return undefined
      const ratio = String(Number((Number(value) / Number(usual)).toPrecision(9)))
      if (factor !== undefined && factor !== ratio) return undefined
      factor = ratio
    }
  const named = list.get(0)
  const covers = [...(standard.get(0)?.keys() ?? [])].every(
    (unit) => units[unit].side === 'other' || unit === 'reasoning' || named?.has(unit),
  )
  return factor !== undefined && covers && /^\d+(\.\d{1,3})?$/.test(factor) ? factor : undefined
}

/** With the cache rates that a provider's variant has by not naming them; see `unlistedCache`. */
const withUnlisted = (list: List, standard: List, { unlistedCache }: ProviderSource): List => {
  const rates = list.get(0)
  const input = rates?.get('input')
  if (unlistedCache !== 'input' || rates === undefined || input === undefined || rates.has('cache_read')) return list
  if (!standard.get(0)?.has('cache_read')) return list
  return new Map([...list, [0, new Map([...rates, ['cache_read' as const, input]])]])
}

/** Variants that differ in nothing but the region are one. */
const byRegions = (variants: readonly VariantJson[]): VariantJson[] => {
  const merged = new Map<string, { readonly variant: VariantJson; readonly regions: string[] }>()
  for (const variant of variants) {
    const { region, ...rest } = variant
    const key = region === undefined ? JSON.stringify(variant) : `in ${JSON.stringify(rest)}`
    const known = merged.get(key)
    if (known !== undefined && region !== undefined) known.regions.push(region)
    else merged.set(key, { variant: rest, regions: region === undefined ? [] : [region] })
  }
  return [...merged.values()].map(({ variant, regions }) => {
    const [region] = regions
    const { tier, speed, ...rest } = variant
    return {
      ...(tier !== undefined && { tier }),
      ...(speed !== undefined && { speed }),
      ...(regions.length > 1 ? { regions: regions.sort() } : region !== undefined && { region }),
      ...rest,
    }
  })
}

/** What is said of most of the rates; of as many, the less sure. */
const usualOf = (rates: readonly Agreed[]): Confidence => {
  const count = (wanted: Confidence) => rates.filter(({ confidence }) => confidence === wanted).length
  const single = count('single-source')
  const decided = count('decided')
  if (decided > 0 && decided >= count('confirmed') && decided >= single) return 'decided'
  return count('confirmed') > single ? 'confirmed' : 'single-source'
}

const sureness = (own: Confidence, usual: Confidence): { confidence?: Confidence } => (own === usual ? {} : { confidence: own })

const exceptOf = (rates: ReadonlyMap<Unit, Agreed>, usual: Confidence): { except?: Partial<Record<Unit, Confidence>> } => {
  const listed = ratesOf(rates)
  const except = [...rates].filter(([unit, { confidence }]) => confidence !== usual && listed[unit] !== undefined)
  return except.length > 0 ? { except: Object.fromEntries(except.map(([unit, { confidence }]) => [unit, confidence])) } : {}
}
