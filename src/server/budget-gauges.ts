import { parseUsd } from '../core/money.ts'
import type { BudgetJson } from './api.ts'
import type { Family } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'

/** Scopes whose values are not people, runs or conversations: only these are ever a label. */
const shownScopes: ReadonlySet<string> = new Set(['all', 'agent', 'task', 'team', 'model', 'release', 'environment'])

/** The gauges of all budgets, read anew: an allowance that is gone leaves no series behind. */
export const gaugeBudgets = (family: (name: MetricName) => Family, budgets: readonly BudgetJson[]): void => {
  for (const unit of ['usd', 'tokens'] as const)
    for (const what of ['limit', 'spent', 'reserved'] as const) family(`taximeter_budget_${what}_${unit}`).clear()
  const used = family('taximeter_budget_used_ratio')
  used.clear()
  for (const budget of budgets) {
    const fullest = used.series(budget.name)
    const share = BigInt(Math.round(Math.min(budget.share, 1_000_000) * 1_000_000))
    if (share > fullest.truth) fullest.truth = share
    if (!shownScopes.has(budget.scope)) continue
    for (const what of ['limit', 'spent', 'reserved'] as const) {
      const amount = budget.unit === 'usd' ? (parseUsd(budget[what]) ?? 0n) : BigInt(budget[what])
      family(`taximeter_budget_${what}_${budget.unit}`).series(budget.name, budget.value ?? '').truth += amount
    }
  }
}
