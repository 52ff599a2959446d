import { medianOf, rankTest } from '../../analysis/statistics.ts'
import type { Filter } from '../../core/question.ts'
import { readableUsd } from '../../core/readable.ts'
import type { Finding } from './alert-states.ts'
import type { Evidence } from './evidence.ts'
import { filtersOf, queryOf, segmentOf, segmentText, usd } from './finding-text.ts'
import { whyFor } from './finding-why.ts'
import type { Condition, Rule } from './rule.ts'

/** A difference that chance makes once in a thousand is believed; smaller ones would page once a week. */
const chanceMax = 0.001

/**
 * Runs of the newest release against those of the one before it, per segment, by rank test: no assumption about how costs are
 * spread, and a few wild runs do not decide. Fires once per release.
 */
export const releaseFindings = async (
  rule: Rule,
  { windowMs, rise, runsMin }: Extract<Condition, { kind: 'release' }>,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const { ask, now, zone } = evidence
  const period = { from: now + 1 - windowMs, to: now + 1, zone }
  const { rows } = await ask({
    measures: ['runs'],
    by: ['release', ...rule.by],
    interval: 'hour',
    where: rule.where,
    ...period,
  })
  const findings: Finding[] = []
  for (const [key, releases] of releasesBySegment(rows, rule)) {
    const [newest, before] = releases
    if (newest === undefined || before === undefined) continue
    const segment = JSON.parse(key) as Readonly<Record<string, string>>
    const where = (release: string): readonly Filter[] => [...rule.where, ...filtersOf(segment), { by: 'release', values: [release] }]
    const [after, old] = await Promise.all([
      evidence.runCosts(where(newest), period.from, period.to),
      evidence.runCosts(where(before), period.from, period.to),
    ])
    if (after.length < runsMin || old.length < runsMin) continue
    const [nowCosts, oldCosts] = [medianOf(after), medianOf(old)]
    const test = rankTest(old, after)
    const extra = (nowCosts - oldCosts) * after.length
    if (test === undefined || test.p > chanceMax || oldCosts <= 0 || nowCosts / oldCosts - 1 < rise || extra < rule.floorUsd) continue
    findings.push({
      segment: { ...segment, release: newest },
      value: nowCosts.toFixed(12),
      threshold: (oldCosts * (1 + rise)).toFixed(12),
      message: `${segmentText(segment)}: a run of release ${newest} costs ${readable(nowCosts)}, one of ${before} cost ${readable(oldCosts)} (medians of ${after.length} and ${old.length} runs; chance makes such a difference less than once in ${Math.round(1 / Math.max(test.p, 1e-6))} times).`,
      query: queryOf({
        measures: ['costPerRun', 'runs'],
        by: ['release', 'model'],
        where: [...rule.where, ...filtersOf(segment)],
        ...period,
      }),
      window: newest,
      why: () => whyFor(where(newest), period, evidence, { before: period, whereBefore: where(before), expected: 'same-runs' }),
    })
  }
  return findings
}

/** Releases of each segment, the one that began last first. */
const releasesBySegment = (
  rows: readonly Readonly<Record<string, string | number | null | undefined>>[],
  rule: Rule,
): ReadonlyMap<string, readonly string[]> => {
  const begins = new Map<string, Map<string, string>>()
  for (const row of rows) {
    if (row.release === null || row.release === undefined || Number(row.runs) === 0) continue
    const key = JSON.stringify(segmentOf(rule.by, row))
    const known = begins.get(key) ?? new Map<string, string>()
    begins.set(key, known)
    const bucket = String(row.bucket)
    const release = String(row.release)
    if ((known.get(release) ?? bucket) >= bucket) known.set(release, bucket)
  }
  return new Map(
    [...begins].map(([key, found]) => [
      key,
      [...found]
        .sort(([left, leftAt], [right, rightAt]) => (leftAt === rightAt ? (left < right ? 1 : -1) : leftAt < rightAt ? 1 : -1))
        .map(([release]) => release),
    ]),
  )
}

const readable = (dollars: number): string => readableUsd(usd(dollars))
