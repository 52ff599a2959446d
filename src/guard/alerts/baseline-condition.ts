import { type Baseline, baselineOf, surpriseOf } from '../../analysis/baseline.ts'
import { readableUsd } from '../../core/readable.ts'
import { offsetAt, startOf } from '../../core/window.ts'
import { type Finding, keyOf } from './alert-states.ts'
import type { Evidence } from './evidence.ts'
import { filtersOf, queryOf, segmentOf, segmentText, usd } from './finding-text.ts'
import { whyFor } from './finding-why.ts'
import type { Condition, Rule } from './rule.ts'

const hourMs = 3_600_000

/**
 * The present hour of each segment, and the one before it, against the same hours of the weeks before. The present one is
 * compared as far as it has come with all that is usual for it: it is told when it passes that, and a job that always runs on the
 * minute is no surprise. The one before keeps an alert firing until the next hour has shown what it is.
 */
export const baselineFindings = async (
  rule: Rule,
  { distance }: Extract<Condition, { kind: 'baseline' }>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const { now, zone } = evidence
  const hour = startOf('hour', now, zone)
  const previous = hour - hourMs
  const [usual, rows] = await Promise.all([
    usualHours(rule, hour, previous, evidence),
    evidence.rows({ measures: ['cost'], by: rule.by, where: rule.where, interval: 'hour', from: previous, to: now + 1, zone }),
  ])
  const findings = new Map<string, Finding>()
  // The present hour comes last, and takes the place of the one before.
  for (const row of [...rows].sort((left, right) => (String(left.bucket) < String(right.bucket) ? -1 : 1))) {
    const segment = segmentOf(rule.by, row)
    const key = keyOf(segment)
    const start = Date.parse(String(row.bucket))
    const baseline = usual.get(key)?.[start === hour ? 'present' : 'previous']
    const came = Number(row.cost)
    const surprise = baseline && surpriseOf(came, baseline, Math.max(rule.floorUsd, 0.01), distance)
    if (baseline === undefined || surprise === undefined) continue
    findings.set(key, findingOf(rule, segment, { start, came, baseline, distance }, evidence))
  }
  return [...findings.values()]
}

interface Usual {
  readonly present: Baseline | undefined
  readonly previous: Baseline | undefined
}

/** What is usual for two hours, by segment: learned once an hour. */
const usualHours = (rule: Rule, hour: number, previous: number, evidence: Evidence): Promise<ReadonlyMap<string, Usual>> =>
  evidence.once(JSON.stringify(['usual', rule.by, rule.where, hour]), async () => {
    const usual = new Map<string, Usual>()
    for (const [key, { hourly, grain }] of await evidence.hours(rule, hour)) {
      const begun = hourly.findIndex((value) => value > 0)
      if (begun < 0) continue
      const series = hourly.slice(begun)
      usual.set(key, {
        present: baselineOf(series, grain),
        previous: baselineOf(series.slice(0, -Math.round((hour - previous) / hourMs)), grain),
      })
    }
    return usual
  })

const findingOf = (
  rule: Rule,
  segment: Readonly<Record<string, string>>,
  {
    start,
    came,
    baseline,
    distance,
  }: { readonly start: number; readonly came: number; readonly baseline: Baseline; readonly distance: number },
  evidence: Evidence,
): Finding => {
  const period = { from: start, to: Math.min(start + hourMs, evidence.now + 1), zone: evidence.zone }
  const where = [...rule.where, ...filtersOf(segment)]
  const clock = new Date(start + offsetAt(start, evidence.zone)).toISOString().slice(11, 16)
  return {
    segment,
    value: came.toFixed(12),
    threshold: (baseline.expected + distance * baseline.spread).toFixed(12),
    message: `${segmentText(segment)}: the hour from ${clock} cost ${readableUsd(usd(came))}${start + hourMs > evidence.now ? ' so far' : ''}; ${readableUsd(usd(baseline.expected))} ± ${readableUsd(usd(baseline.spread))} is usual for this hour of the ${baseline.season} (${baseline.samples} before it).`,
    query: queryOf({ measures: ['cost', 'runs'], by: ['model'], where, ...period }),
    why: (firing) => whyFor({ where: rule.where, segment, firing }, period, evidence, { expected: usd(baseline.expected) }),
  }
}
