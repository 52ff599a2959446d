import type { ModelJson, PeriodJson, ProviderJson } from '../../src/core/book-json.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { partsOf, type Slot } from './candidate.ts'

/**
 * The prices of the providers that another one sells on (Azure OpenAI's, Vertex Google's and Anthropic's): where sources differ
 * about the seller, the maker's own rate is the likelier; what the seller charges as the maker does needs no entry of its own.
 */
export const createInheritance = (providers: Readonly<Record<string, ProviderJson>>, inherits: readonly string[], day: string) => {
  const book = createPriceBook({ version: '', providers })
  const modelOf = (name: string): ModelJson | undefined => {
    for (const maker of inherits) {
      const found = book.nameOf(maker, name)
      if (found !== undefined) return providers[found.provider]?.models[found.model]
    }
    return undefined
  }
  const periodOf = (name: string): PeriodJson | undefined =>
    modelOf(name)?.periods.findLast(({ from }) => from === undefined || from <= day)

  return {
    rateOf(name: string, slot: Slot): string | undefined {
      const { list, threshold, unit } = partsOf(slot)
      const period = list === '' ? periodOf(name) : undefined
      return threshold === 0 ? period?.rates[unit] : period?.tiers?.find((tier) => tier.threshold === threshold)?.rates[unit]
    },

    /** Whether the seller's model says nothing that the maker's does not: the same rates, and no region of its own. */
    isSame(name: string, model: ModelJson): boolean {
      const [period, ...others] = model.periods
      const made = periodOf(name)
      if (period === undefined || others.length > 0 || made === undefined) return false
      if (period.variants?.some(({ region, regions }) => region !== undefined || regions !== undefined)) return false
      const tiers = made.tiers ?? []
      return (
        isWithin(period.rates, made.rates) &&
        (period.tiers ?? []).every((tier) => tiers.some((own) => own.threshold === tier.threshold && isWithin(tier.rates, own.rates)))
      )
    },
  }
}

const isWithin = (rates: PeriodJson['rates'], all: PeriodJson['rates']): boolean =>
  Object.entries(rates).every(([unit, rate]) => all[unit as keyof typeof all] === rate)
