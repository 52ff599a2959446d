import type { BudgetJson, BudgetWindowJson } from '../../../src/server/api.ts'
import { compact, usd } from '../format/numbers.ts'

/** An amount of a budget in the budget's own unit. */
export const amountText = (budget: Pick<BudgetJson, 'unit'>, amount: string): string =>
  budget.unit === 'usd' ? usd(amount) : `${compact(amount)} tokens`

export const budgetTitle = (budget: Pick<BudgetJson, 'name' | 'value'>): string =>
  budget.value === undefined ? budget.name : `${budget.name}: ${budget.value}`

/** The zone is named where it is not the one that is looked at. */
export const windowText = (window: BudgetWindowJson, zone: string): string => {
  switch (window.kind) {
    case 'rolling':
      return `any ${window.span}`
    case 'calendar':
      return window.zone === zone ? `each ${window.interval}` : `each ${window.interval}, ${window.zone}`
    case 'total':
      return 'once and for all'
    default:
      return window satisfies never
  }
}

export const scopeText = (budget: BudgetJson): string => {
  if (budget.scope === 'all') return 'everything'
  return budget.value === undefined ? `each ${budget.scope}` : budget.scope
}
