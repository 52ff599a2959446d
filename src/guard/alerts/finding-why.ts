import { costOf } from '../../analysis/explain.ts'
import { askSpendings, type Period } from '../../analysis/spending.ts'
import { type Why, whyOf } from '../../analysis/why.ts'
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

/** Why a segment's period cost what it did, from the exact split against what was usual before. */
export const whyFor = async (
  where: readonly Filter[],
  period: Period,
  { ask }: Pick<Evidence, 'ask'>,
  options: WhyOptions = {},
): Promise<Why | undefined> => {
  const before = options.before ?? { ...period, from: period.from - usualMs, to: period.from }
  const [now, usual] = await Promise.all([askSpendings(ask, period, where), askSpendings(ask, before, options.whereBefore ?? where)])
  const expected = options.expected ?? scaledCost(costOf(usual.all), period, before)
  return whyOf(usual.all, now.all, expected === 'same-runs' ? undefined : expected)
}

const scaledCost = (cost: bigint, period: Period, before: Period): bigint =>
  (cost * BigInt(Math.max(1, period.to - period.from))) / BigInt(Math.max(1, before.to - before.from))
