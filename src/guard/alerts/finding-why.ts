import { costOf } from '../../analysis/explain.ts'
import { askSpendings, countOf, type Period } from '../../analysis/spending.ts'
import { type Why, whyOf } from '../../analysis/why.ts'
import type { Answer, AnswerRow, Value } from '../../core/answer.ts'
import type { Filter } from '../../core/question.ts'
import type { Evidence } from './evidence.ts'

/** Long enough that a few days of an incident do not become what is usual. */
const usualMs = 28 * 86_400_000

export interface WhyOptions {
  /** What it is compared with. Absent: the four weeks before the period. */
  readonly before?: Period
  /** Filters of the period before, where they are others. */
  readonly whereBefore?: readonly Filter[]
  /** What was to be expected, pico-dollars; "same-runs": only what a run costs is looked at; absent: what the time before spent in as long. */
  readonly expected?: bigint | 'same-runs'
}

/** Why a segment's period cost what it did, from the exact split against what was usual before, and since which release. */
export const whyFor = async (
  where: readonly Filter[],
  period: Period,
  { ask }: Pick<Evidence, 'ask'>,
  options: WhyOptions = {},
): Promise<Why | undefined> => {
  const before = options.before ?? { ...period, from: period.from - usualMs, to: period.from }
  const [now, usual] = await Promise.all([askSpendings(ask, period, where), askSpendings(ask, before, options.whereBefore ?? where)])
  const expected = options.expected ?? scaledCost(costOf(usual.all), period, before)
  const why = whyOf(usual.all, now.all, expected === 'same-runs' ? undefined : expected)
  if (why === undefined || why.cause === 'traffic' || why.cause === 'price' || options.whereBefore !== undefined) return why
  const release = await newRelease(where, period, before, ask)
  return release === undefined ? why : { ...why, sentence: `${why.sentence} It is so since release ${release}.` }
}

const scaledCost = (cost: bigint, period: Period, before: Period): bigint =>
  (cost * BigInt(Math.max(1, period.to - period.from))) / BigInt(Math.max(1, before.to - before.from))

/** A release is named when it is new, has a part in the period, and its runs are dearer than usual by this much. */
const newShareMin = 0.05
const dearerMin = 1.25

/** The release since which it is so: one that the time before hardly knows, and whose runs (or calls) are dearer than they were then. */
const newRelease = async (where: readonly Filter[], period: Period, before: Period, ask: Evidence['ask']): Promise<string | undefined> => {
  const question = { measures: ['cost', 'runs', 'calls'], by: ['release'], where } as const
  const [now, then] = await Promise.all([ask({ ...question, ...period }), ask({ ...question, ...before })])
  const usual = eachOf(then.totals)
  const shareIn = ({ rows, totals }: Answer, release: Value | undefined): number =>
    Number(rows.find((row) => row.release === release)?.cost ?? 0) / (Number(totals.cost) || 1)
  const [found] = now.rows
    .filter((row) => {
      const share = shareIn(now, row.release)
      return typeof row.release === 'string' && share >= newShareMin && shareIn(then, row.release) <= share / 5
    })
    .filter((row) => usual > 0 && eachOf(row) >= usual * dearerMin)
  return found === undefined ? undefined : String(found.release)
}

/** What a run costs, or a call where nobody records runs. */
const eachOf = (row: AnswerRow | Answer['totals']): number => Number(row.cost) / (countOf(row, 'runs') || countOf(row, 'calls') || 1)
