import { baselineOf, surpriseOf } from '../../analysis/baseline.ts'
import { countOf } from '../../analysis/spending.ts'
import type { AnswerRow } from '../../core/answer.ts'
import type { Breakdown } from '../../core/question.ts'
import { readableUsd } from '../../core/readable.ts'
import { quarterMs } from '../../core/window.ts'
import type { Finding } from './alert-states.ts'
import type { Evidence } from './evidence.ts'
import { filtersOf, queryOf, segmentOf, segmentText, usd } from './finding-text.ts'
import { movedText } from './moved-text.ts'
import type { Condition, Rule } from './rule.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** The last hour of each segment against the same hours of the weeks before. */
export const baselineFindings = async (
  rule: Rule,
  { distance }: Extract<Condition, { kind: 'baseline' }>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  // Hours are counted back from the end of the present quarter of an hour, so that roll-ups answer; the last one is up to a quarter short.
  const end = Math.ceil((evidence.now + 1) / quarterMs) * quarterMs
  const from = end - (4 * 168 + 1) * hourMs
  const { rows, totals } = await evidence.ask({
    measures: ['cost', 'calls'],
    by: rule.by,
    where: rule.where,
    interval: '15m',
    from,
    to: end,
    zone: 'UTC',
  })
  const grain = countOf(totals, 'calls') === 0 ? 0 : Number(totals.cost) / countOf(totals, 'calls')
  const findings: Finding[] = []
  for (const [key, series] of hourlySeries(rows, rule.by, from, end)) {
    const came = series.pop() ?? 0
    const firstSpent = series.findIndex((value) => value > 0)
    const baseline = firstSpent < 0 ? undefined : baselineOf(series.slice(firstSpent), grain)
    const surprise = baseline && surpriseOf(came, baseline, Math.max(rule.floorUsd, 0.01), distance)
    if (baseline === undefined || surprise === undefined) continue
    const segment = JSON.parse(key) as Readonly<Record<string, string>>
    const question = {
      measures: ['cost', 'runs'] as const,
      by: ['model'] as const,
      where: [...rule.where, ...filtersOf(segment)],
      from: evidence.now - hourMs,
      to: end,
      zone: evidence.zone,
    }
    const weekBefore = { ...question, from: question.from - 7 * dayMs, to: question.to - 7 * dayMs }
    findings.push({
      segment,
      value: came.toFixed(12),
      threshold: (baseline.expected + distance * baseline.spread).toFixed(12),
      message: `${segmentText(segment)}: the last hour cost ${readableUsd(usd(came))}; ${readableUsd(usd(baseline.expected))} ± ${readableUsd(usd(baseline.spread))} is usual for this hour of the ${baseline.season} (${baseline.samples} before it).${await movedText(rule, segment, question, weekBefore, evidence)}`,
      query: queryOf(question),
    })
  }
  return findings
}

/** Quarter hours of each segment as whole hours that end with the period, oldest first, in dollars; an hour without calls is zero. */
const hourlySeries = (rows: readonly AnswerRow[], by: readonly Breakdown[], from: number, end: number): ReadonlyMap<string, number[]> => {
  const hours = Math.round((end - from) / hourMs)
  const found = new Map<string, number[]>()
  for (const row of rows) {
    const key = JSON.stringify(segmentOf(by, row))
    const series = found.get(key) ?? Array(hours).fill(0)
    found.set(key, series)
    const hour = Math.min(hours - 1, Math.max(0, Math.floor((Date.parse(String(row.bucket)) - from) / hourMs)))
    series[hour] = (series[hour] ?? 0) + Number(row.cost)
  }
  return found
}
