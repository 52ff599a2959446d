import type { BudgetStatus } from '../../core/budget.ts'
import type { Breakdown } from '../../core/question.ts'
import { readableUsd } from '../../core/readable.ts'
import { startOf } from '../../core/window.ts'
import type { Finding } from './alert-states.ts'
import type { Evidence } from './evidence.ts'
import { percent, queryOf, spanText } from './finding-text.ts'
import type { Condition } from './rule.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A share of a budget's limit within the long window and the same pace within the short one: fast now, and not just for a moment. */
export const burnFindings = async ({ pairs }: Extract<Condition, { kind: 'burn' }>, evidence: Evidence): Promise<readonly Finding[]> => {
  const findings: Finding[] = []
  for (const budget of evidence.budgets()) {
    if (budget.unit !== 'usd' || Number(budget.limit) <= 0) continue
    const where = budget.scope === 'all' ? [] : [{ by: budget.scope as Breakdown, values: [budget.value ?? null] }]
    const spent = async (spanMs: number) =>
      Number(
        (await evidence.ask({ measures: ['cost'], by: [], where, from: evidence.now - spanMs, to: evidence.now + 1, zone: evidence.zone }))
          .totals.cost,
      )
    for (const { share, longMs, shortMs } of pairs) {
      // Burning at exactly the pace at which the budget lasts is normal; a pair must ask for more than that.
      const pace = longMs / windowMsOf(budget)
      const alarming = Math.max(share, pace * 1.5) * Number(budget.limit)
      const long = await spent(longMs)
      if (long < alarming || (await spent(shortMs)) < (alarming * shortMs) / longMs) continue
      findings.push({
        segment: { budget: budget.name, ...(budget.value !== undefined && { [budget.scope]: budget.value }) },
        value: long.toFixed(12),
        threshold: alarming.toFixed(12),
        message: `Budget “${budget.name}”${budget.value === undefined ? '' : ` of ${budget.value}`}: ${percent(long / Number(budget.limit))} of its ${readableUsd(budget.limit)} went in the last ${spanText(longMs)}, and it goes on.${budget.exhaustsAt === undefined ? '' : ` At this rate it is spent at ${budget.exhaustsAt.slice(0, 16)}Z.`}`,
        query: queryOf({
          measures: ['cost'],
          by: ['agent'],
          where,
          from: evidence.now - longMs,
          to: evidence.now + 1,
          zone: evidence.zone,
        }),
        window: String(startOf('hour', evidence.now, evidence.zone)),
      })
      break
    }
  }
  return findings
}

const windowMsOf = ({ window }: BudgetStatus): number => {
  if (window.kind === 'total') return 365 * dayMs
  if (window.kind === 'rolling') return { '1h': hourMs, '24h': dayMs, '7d': 7 * dayMs, '30d': 30 * dayMs }[window.span]
  return { hour: hourMs, day: dayMs, week: 7 * dayMs, month: 30 * dayMs }[window.interval]
}
