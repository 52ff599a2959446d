import type { Ask } from '../../analysis/spending.ts'
import type { Budget, BudgetStatus } from '../../core/budget.ts'
import { formatUsd, parseUsd } from '../../core/money.ts'
import type { Breakdown, Filter } from '../../core/question.ts'
import { nextStart, startOf } from '../../core/window.ts'
import { spanMs } from '../spending.ts'

const hourMs = 3_600_000
/** Allowances of one budget that are looked at: the ones that spent most. */
const valuesMax = 50
/** Attributes of few values; what single users or sessions had spent at some instant is not looked up. */
const scopes: ReadonlySet<string> = new Set(['all', 'agent', 'task', 'team', 'model', 'release', 'environment'])

/** Budgets in dollars as they stood at an instant of the past, from the ledger: for trying rules. */
export const pastBudgets =
  (budgets: readonly Budget[], ask: Ask, zone: string) =>
  async (at: number): Promise<readonly BudgetStatus[]> => {
    const found: BudgetStatus[] = []
    for (const budget of budgets.filter(({ scope, limit }) => scopes.has(scope) && limit.unit === 'usd'))
      found.push(...(await statusesOf(budget, ask, zone, at)))
    return found
  }

const statusesOf = async (budget: Budget, ask: Ask, zone: string, at: number): Promise<readonly BudgetStatus[]> => {
  const { scope, value } = budget
  const by = scope === 'all' ? [] : [scope as Breakdown]
  const where: readonly Filter[] = value === undefined ? [] : [{ by: scope as Breakdown, values: [value] }]
  const asked = { measures: ['cost'] as const, by, where, to: at + 1, zone, top: valuesMax }
  const [inWindow, inHour] = [await ask({ ...asked, from: beginOf(budget, at) }), await ask({ ...asked, from: at + 1 - hourMs })]
  const costOf = (rows: typeof inHour.rows, name: unknown): string =>
    String(rows.find((row) => (scope === 'all' ? true : row[scope] === name))?.cost ?? formatUsd(0n))
  return inWindow.rows
    .filter((row) => row.folded === undefined && (scope === 'all' || row[scope] !== null))
    .map((row) => statusOf(budget, scope === 'all' ? undefined : String(row[scope]), String(row.cost), costOf(inHour.rows, row[scope]), at))
}

const beginOf = ({ window }: Budget, at: number): number => {
  if (window.kind === 'calendar') return startOf(window.interval, at, window.zone)
  return window.kind === 'rolling' ? at + 1 - spanMs[window.span] : 0
}

const statusOf = (budget: Budget, value: string | undefined, spentText: string, perHourText: string, at: number): BudgetStatus => {
  const limit = budget.limit.unit === 'usd' ? budget.limit.amount : 0n
  const [spent, perHour] = [parseUsd(spentText) ?? 0n, parseUsd(perHourText) ?? 0n]
  const share = limit === 0n ? 0 : Number((spent * 1_000_000n) / limit) / 1e6
  const thresholds = [...new Set([...budget.thresholds, 1])].map((level) => ({ share: level, isCrossed: share >= level }))
  const { window } = budget
  return {
    name: budget.name,
    scope: budget.scope,
    ...(value !== undefined && { value }),
    unit: 'usd',
    window,
    onExceed: budget.onExceed,
    limit: formatUsd(limit),
    spent: formatUsd(spent),
    reserved: formatUsd(0n),
    remaining: formatUsd(spent > limit ? 0n : limit - spent),
    share,
    burnRatePerHour: formatUsd(perHour),
    ...(window.kind === 'calendar' && { resetsAt: new Date(nextStart(window.interval, at, window.zone)).toISOString() }),
    thresholds,
    status: share >= 1 ? 'exceeded' : thresholds.some(({ isCrossed }) => isCrossed) ? 'warning' : 'ok',
  }
}
