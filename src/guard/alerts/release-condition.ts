import { countOf, type Period } from '../../analysis/spending.ts'
import { medianOf, rankTest } from '../../analysis/statistics.ts'
import type { AnswerRow } from '../../core/answer.ts'
import type { Filter } from '../../core/question.ts'
import { readableUsd } from '../../core/readable.ts'
import type { Finding } from './alert-states.ts'
import { type Evidence, settledEnd } from './evidence.ts'
import { filtersOf, queryOf, segmentOf, segmentText, usd } from './finding-text.ts'
import { whyFor } from './finding-why.ts'
import type { Condition, Rule } from './rule.ts'

/** A difference that chance makes once in a thousand is believed; smaller ones would page once a week. */
const chanceMax = 0.001

/**
 * Runs of the newest release against those of the one before it, per segment, by rank test: no assumption about how costs are
 * spread, and a few wild runs do not decide. Fires once per release.
 */
export const releaseFindings = async (rule: Rule, condition: ReleaseCondition, evidence: Evidence): Promise<readonly Finding[]> => {
  const to = settledEnd(evidence.now, condition.windowMs)
  const period = { from: to - condition.windowMs, to, zone: evidence.zone }
  const find = () => compareReleases(rule, condition, period, evidence)
  return to > evidence.now ? find() : evidence.once(JSON.stringify(['release', rule.name, rule.by, rule.where, condition, to]), find)
}

type ReleaseCondition = Extract<Condition, { kind: 'release' }>

const compareReleases = async (
  rule: Rule,
  { rise, runsMin }: ReleaseCondition,
  period: Period,
  evidence: Evidence,
): Promise<readonly Finding[]> => {
  const question = { measures: ['runs'], by: ['release', ...rule.by], interval: 'hour', where: rule.where, ...period } as const
  const { rows } = await evidence.ask(question)
  const findings: Finding[] = []
  for (const [key, releases] of releasesBySegment(rows, rule)) {
    const [newest, before] = releases
    if (newest === undefined || before === undefined || newest.runs < runsMin || before.runs < runsMin) continue
    const segment = JSON.parse(key) as Readonly<Record<string, string>>
    const where = ({ release }: Released): readonly Filter[] => [...rule.where, ...filtersOf(segment), { by: 'release', values: [release] }]
    const [after, old] = await Promise.all([
      evidence.runCosts(where(newest), period.from, period.to),
      evidence.runCosts(where(before), period.from, period.to),
    ])
    const [nowCosts, oldCosts] = [medianOf(after), medianOf(old)]
    const test = rankTest(old, after)
    const extra = (nowCosts - oldCosts) * after.length
    if (test === undefined || test.p > chanceMax || oldCosts <= 0 || nowCosts / oldCosts - 1 < rise || extra < rule.floorUsd) continue
    const dollars = (amount: number): string => readableUsd(usd(amount))
    findings.push({
      segment: { ...segment, release: newest.release },
      value: nowCosts.toFixed(12),
      threshold: (oldCosts * (1 + rise)).toFixed(12),
      message: `${segmentText(segment)}: a run of release ${newest.release} costs ${dollars(nowCosts)}, one of ${before.release} cost ${dollars(oldCosts)} (medians of ${after.length} and ${old.length} runs; chance makes such a difference less than once in ${Math.round(1 / Math.max(test.p, 1e-6))} times).`,
      query: queryOf({
        measures: ['costPerRun', 'runs'],
        by: ['release', 'model'],
        where: [...rule.where, ...filtersOf(segment)],
        ...period,
      }),
      window: newest.release,
      why: () =>
        whyFor({ where: where(newest), segment: {}, firing: [] }, period, evidence, {
          before: period,
          whereBefore: where(before),
          expected: 'same-runs',
        }),
    })
  }
  return findings
}

interface Released {
  readonly release: string
  readonly since: string
  readonly runs: number
}

/** Releases of each segment with their runs, the one that began last first. */
const releasesBySegment = (rows: readonly AnswerRow[], rule: Rule): ReadonlyMap<string, readonly Released[]> => {
  const found = new Map<string, Map<string, Released>>()
  for (const row of rows) {
    const runs = countOf(row, 'runs')
    if (row.release === null || row.release === undefined || runs === 0) continue
    const key = JSON.stringify(segmentOf(rule.by, row))
    const known = found.get(key) ?? new Map<string, Released>()
    found.set(key, known)
    const release = String(row.release)
    const before = known.get(release)
    const bucket = String(row.bucket)
    known.set(release, {
      release,
      since: before !== undefined && before.since < bucket ? before.since : bucket,
      runs: runs + (before?.runs ?? 0),
    })
  }
  return new Map([...found].map(([key, releases]) => [key, [...releases.values()].sort(byBeginning)]))
}

const byBeginning = (left: Released, right: Released): number =>
  left.since === right.since ? (left.release < right.release ? 1 : -1) : left.since < right.since ? 1 : -1
