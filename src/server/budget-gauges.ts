import { parseUsd } from '../core/money.ts'
import type { BudgetJson } from './api.ts'
import type { Family } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'

/** Scopes whose values are not people, runs or conversations: only these are ever a label. */
export const shownScopes: ReadonlySet<string> = new Set(['all', 'agent', 'task', 'team', 'model', 'release', 'environment'])

/** The budgets, by what is printed of them. */
export interface MeteredBudgets {
  status(): readonly BudgetJson[]
  counters(): {
    readonly reserved: number
    readonly refused: number
    readonly refusedUnpriced: number
    readonly refusedUnavailable: number
    readonly warned: number
    readonly unpricedAllowed: number
    readonly unavailable: number
    readonly expired: number
    readonly crossings: number
    readonly breaches: number
  }
}

/** The gauges of all budgets, read anew: an allowance that is gone leaves no series behind. */
export const gaugeBudgets = (family: (name: MetricName) => Family, budgets: MeteredBudgets): void => {
  gaugeAllowances(family, budgets.status())
  const counters = budgets.counters()
  const decisions = {
    allowed: counters.reserved - counters.warned,
    warned: counters.warned,
    unpriced_allowed: counters.unpricedAllowed,
    refused_exceeded: counters.refused - counters.refusedUnpriced - counters.refusedUnavailable,
    refused_unpriced: counters.refusedUnpriced,
    refused_unavailable: counters.refusedUnavailable,
  }
  for (const [outcome, count] of Object.entries(decisions)) family('taximeter_budget_decisions_total').series(outcome).truth = BigInt(count)
  family('taximeter_budget_crossings_total').series().truth = BigInt(counters.crossings)
  family('taximeter_budget_breaches_total').series().truth = BigInt(counters.breaches)
  family('taximeter_budget_expired_total').series().truth = BigInt(counters.expired)
  family('taximeter_budget_unavailable_total').series().truth = BigInt(counters.unavailable)
}

const gaugeAllowances = (family: (name: MetricName) => Family, budgets: readonly BudgetJson[]): void => {
  for (const unit of ['usd', 'tokens'] as const)
    for (const what of ['limit', 'spent', 'reserved'] as const) family(`taximeter_budget_${what}_${unit}`).clear()
  const burn = family('taximeter_budget_burn_usd_per_hour')
  burn.clear()
  const used = family('taximeter_budget_used_ratio')
  used.clear()
  const windows = family('taximeter_budget_window_seconds')
  windows.clear()
  for (const budget of budgets) {
    const fullest = used.series(budget.name)
    const seconds = windowSecondsOf(budget.window)
    if (seconds !== undefined) windows.series(budget.name).truth = BigInt(seconds)
    const share = BigInt(Math.round(Math.min(budget.share, 1_000_000) * 1_000_000))
    if (share > fullest.truth) fullest.truth = share
    if (!shownScopes.has(budget.scope)) continue
    for (const what of ['limit', 'spent', 'reserved'] as const) {
      const amount = budget.unit === 'usd' ? (parseUsd(budget[what]) ?? 0n) : BigInt(budget[what])
      family(`taximeter_budget_${what}_${budget.unit}`).series(budget.name, budget.value ?? '').truth += amount
    }
    if (budget.unit === 'usd' && budget.burnRatePerHour !== undefined)
      burn.series(budget.name, budget.value ?? '').truth += parseUsd(budget.burnRatePerHour) ?? 0n
  }
}

const hour = 3_600
const spans = { '1h': hour, '24h': 24 * hour, '7d': 168 * hour, '30d': 720 * hour } as const
/** A month is taken for thirty days, and no day has 23 hours: this is for comparing paces. */
const intervals = { hour, day: 24 * hour, week: 168 * hour, month: 720 * hour } as const

const windowSecondsOf = (window: BudgetJson['window']): number | undefined =>
  window.kind === 'total' ? undefined : window.kind === 'rolling' ? spans[window.span] : intervals[window.interval]
