import type { BudgetJson, BudgetWindowJson } from '../../../src/server/api.ts'
import { compact, usd } from '../format/numbers.ts'

/** An amount of a budget in the budget's own unit. */
export const amountText = (budget: Pick<BudgetJson, 'unit'>, amount: string): string =>
  budget.unit === 'usd' ? usd(amount) : `${compact(amount)} tokens`

export const budgetTitle = (budget: BudgetJson): string => (budget.value === undefined ? budget.name : `${budget.name}: ${budget.value}`)

export const windowText = (window: BudgetWindowJson): string => {
  switch (window.kind) {
    case 'rolling':
      return `any ${window.span}`
    case 'calendar':
      return `each ${window.interval}, ${window.zone}`
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
