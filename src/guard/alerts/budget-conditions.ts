import type { Value } from '../../core/answer.ts'
import { type BudgetStatus, sayAmount } from '../../core/budget.ts'
import type { Breakdown, Filter } from '../../core/question.ts'
import { readableUsd } from '../../core/readable.ts'
import type { Finding } from './alert-states.ts'
import type { Evidence } from './evidence.ts'
import { percent, queryOf, spanText } from './finding-text.ts'
import type { BurnPair, Condition, Rule } from './rule.ts'

const hourMs = 3_600_000
/** How many times faster than it lasts. */
const paceMin = 3
const dayMs = 24 * hourMs

/** Every threshold of a budget that is passed: each is told once in the budget's window, and holds until the window ends. */
export const budgetFindings = async (evidence: Evidence): Promise<readonly Finding[]> =>
  (await evidence.budgets()).flatMap((budget) =>
    budget.thresholds.flatMap(({ share, isCrossed }): readonly Finding[] => (isCrossed ? [thresholdFinding(budget, share, evidence)] : [])),
  )

const thresholdFinding = (budget: BudgetStatus, share: number, evidence: Evidence): Finding => {
  const { unit } = budget
  const amount = (text: string): string => (unit === 'usd' ? readableUsd(text) : sayAmount(unit, BigInt(text)))
  const period = { from: evidence.now - dayMs, to: evidence.now + 1, zone: evidence.zone }
  return {
    segment: { ...segmentOf(budget), share: percent(share) },
    value: budget.spent,
    threshold: String(share * Number(budget.limit)),
    message: `${nameOf(budget)} ${share >= 1 ? 'is spent' : `has passed ${percent(share)}`}: ${amount(budget.spent)} of ${amount(budget.limit)}${budget.resetsAt === undefined ? '' : ` until ${budget.resetsAt.slice(0, 16)}Z`}.`,
    query: queryOf({ measures: ['cost'], by: ['task'], where: whereOf(budget), ...period }),
    // A rolling window has no end of its own: what has come down may be told again.
    ...(budget.window.kind === 'calendar' && budget.resetsAt !== undefined && { window: budget.resetsAt }),
  }
}

/** A share of a budget's limit within the long window and the same pace within the short one: fast now, and not just for a moment. */
export const burnFindings = async (
  rule: Rule,
  { pairs }: Extract<Condition, { kind: 'burn' }>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const findings: Finding[] = []
  for (const budget of await evidence.budgets()) {
    // That a budget which only warns is spent has been told, and that it goes on is what a warning allows.
    const isOver = budget.onExceed === 'warn' && budget.status === 'exceeded'
    if (budget.unit !== 'usd' || Number(budget.limit) <= 0 || isOver) continue
    for (const pair of pairs) {
      const finding = await burnFinding(rule, budget, pair, evidence)
      if (finding === undefined) continue
      findings.push(finding)
      break
    }
  }
  return findings
}

const burnFinding = async (
  rule: Rule,
  budget: BudgetStatus,
  { share, longMs, shortMs }: BurnPair,
  evidence: Evidence,
): Promise<Finding | undefined> => {
  // Burning at exactly the pace at which the budget lasts is normal, and a busy hour has three times its share of a day.
  const pace = longMs / windowMsOf(budget)
  const alarming = Math.max(Math.max(share, pace * paceMin) * Number(budget.limit), rule.floorUsd)
  // Nothing burns faster than what is spent in all: most budgets are let go of here, without a question.
  if (Number(budget.spent) < alarming) return undefined
  const spent = (spanMs: number): Promise<number> => spentIn(budget, spanMs, evidence)
  const long = longMs === hourMs ? Number(budget.burnRatePerHour) : await spent(longMs)
  if (long < alarming || (await spent(shortMs)) < (alarming * shortMs) / longMs) return undefined
  return {
    segment: segmentOf(budget),
    value: long.toFixed(12),
    threshold: alarming.toFixed(12),
    message: `${nameOf(budget)}: ${percent(long / Number(budget.limit))} of its ${readableUsd(budget.limit)} went in the last ${spanText(longMs)}, and it goes on.${budget.exhaustsAt === undefined ? '' : ` At this rate it is spent at ${budget.exhaustsAt.slice(0, 16)}Z.`}`,
    query: queryOf({
      measures: ['cost'],
      by: ['agent'],
      where: whereOf(budget),
      from: evidence.now - longMs,
      to: evidence.now + 1,
      zone: evidence.zone,
    }),
  }
}

/** Allowances of one scope share one question: what each value spent. Attributes of many values are asked for one by one. */
const spentIn = async (budget: BudgetStatus, spanMs: number, evidence: Evidence): Promise<number> => {
  const { now, zone } = evidence
  const period = { from: now - spanMs, to: now + 1, zone, measures: ['cost'] as const }
  if (!sharedScopes.has(budget.scope)) return Number((await evidence.ask({ ...period, by: [], where: whereOf(budget) })).totals.cost)
  const { rows } = await evidence.ask({ ...period, by: [budget.scope as Breakdown], where: [] })
  return rows.filter((row) => isOfBudget(budget, row[budget.scope])).reduce((sum, row) => sum + Number(row.cost), 0)
}

/** A budget of a model binds its dated snapshots too: "gpt-4.1-2025-04-14" is "gpt-4.1". */
export const isOfBudget = ({ scope, value = '' }: Pick<BudgetStatus, 'scope' | 'value'>, name: Value | undefined): boolean =>
  name === value || (scope === 'model' && typeof name === 'string' && name.startsWith(value) && /^[-@]\d/.test(name.slice(value.length)))

const sharedScopes: ReadonlySet<string> = new Set(['agent', 'task', 'team', 'model', 'release', 'environment'])

const segmentOf = (budget: BudgetStatus): Readonly<Record<string, string>> => ({
  budget: budget.name,
  ...(budget.value !== undefined && { [budget.scope]: budget.value }),
})

const nameOf = (budget: BudgetStatus): string => `Budget “${budget.name}”${budget.value === undefined ? '' : ` of ${budget.value}`}`

const whereOf = (budget: BudgetStatus): readonly Filter[] =>
  budget.scope === 'all' ? [] : [{ by: budget.scope as Breakdown, values: [budget.value ?? null] }]

const windowMsOf = ({ window }: BudgetStatus): number => {
  if (window.kind === 'total') return 365 * dayMs
  if (window.kind === 'rolling') return { '1h': hourMs, '24h': dayMs, '7d': 7 * dayMs, '30d': 30 * dayMs }[window.span]
  return { hour: hourMs, day: dayMs, week: 7 * dayMs, month: 30 * dayMs }[window.interval]
}
