import type { CardJson, PeriodJson, ProviderJson, RatesJson } from '../../src/core/book-json.ts'
import { type Unit, units } from '../../src/core/units.ts'
import { isJump, isLikelyCache, isSane, jumpMax } from './limits.ts'
import { type Override, overridesFor } from './overrides.ts'

export interface Finding {
  readonly where: string
  readonly what: string
}

export interface Checks {
  /** What fails: a rate that nobody asks, or a change that nobody makes, unless a decision allows it. */
  readonly faults: readonly Finding[]
  /** What a reader should look at: a price list that leaves out what the standard one has. */
  readonly holes: readonly Finding[]
}

export const checkProviders = (providers: Readonly<Record<string, ProviderJson>>, overrides: readonly Override[]): Checks => {
  const faults: Finding[] = []
  const holes: Finding[] = []
  for (const [provider, { models }] of Object.entries(providers))
    for (const [name, { periods }] of Object.entries(models)) {
      const allowed = new Set(overridesFor(overrides, provider, name).map(({ allow }) => allow))
      const where = `${provider}/${name}`
      if (!allowed.has('range')) for (const period of periods) faults.push(...rangesOf(period, where))
      if (!allowed.has('jump')) faults.push(...jumpsOf(periods, where))
      for (const period of periods) holes.push(...holesOf(period, where))
    }
  return { faults, holes }
}

const ratesOf = (rates: RatesJson): [Unit, string][] => Object.entries(rates) as [Unit, string][]

const rangesOf = (period: PeriodJson, where: string): Finding[] => {
  const cards: readonly Partial<CardJson>[] = [period, ...(period.tiers ?? []), ...(period.hours ?? []), ...(period.variants ?? [])]
  return [...cards, ...cards.flatMap(({ tiers = [] }) => tiers)].flatMap(({ rates = {} }) =>
    ratesOf(rates)
      .filter(([unit, rate]) => !isSane(unit, rate) || (unit === 'cache_read' && !isLikelyCache(rate, rates.input)))
      .map(([unit, rate]) => ({ where, what: `${unit} at $${rate} is out of range` })),
  )
}

const jumpsOf = (periods: readonly PeriodJson[], where: string): Finding[] =>
  periods.slice(1).flatMap((period, index) =>
    ratesOf(period.rates).flatMap(([unit, rate]) => {
      const before = periods[index]?.rates[unit]
      return before !== undefined && isJump(before, rate)
        ? [{ where, what: `${unit} from $${before} to $${rate} on ${period.from} is more than ${jumpMax} times` }]
        : []
    }),
  )

const holesOf = (period: PeriodJson, where: string): Finding[] => {
  const needed = ratesOf(period.rates)
    .map(([unit]) => unit)
    .filter((unit) => units[unit].side !== 'other')
  const missing = (rates: RatesJson) => needed.filter((unit) => rates[unit] === undefined)
  const found: Finding[] = []
  for (const tier of period.tiers ?? []) {
    const units = missing(tier.rates)
    if (units.length > 0) found.push({ where, what: `the tier at ${tier.threshold} leaves out ${units.join(', ')}` })
  }
  for (const variant of period.variants ?? []) {
    if (variant.multiply !== undefined || period.tiers === undefined || variant.tiers !== undefined) continue
    found.push({
      where,
      what: `the variant ${[variant.tier, variant.speed, variant.region ?? variant.regions?.[0]].filter(Boolean).join(' ')} has no tiers`,
    })
  }
  return found
}
