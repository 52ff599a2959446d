import { costOf, type Spending } from '../../analysis/explain.ts'
import { askSpendings, type Period } from '../../analysis/spending.ts'
import { type Why, whyOf } from '../../analysis/why.ts'
import type { AnswerRow, Value } from '../../core/answer.ts'
import { type Breakdown, type Filter, filterValuesMax } from '../../core/question.ts'
import type { Segment } from './alert-states.ts'
import type { Evidence } from './evidence.ts'
import { filtersOf } from './finding-text.ts'

/** Long enough that a few days of an incident do not become what is usual. */
const usualMs = 28 * 86_400_000

/** Whose period it is. */
export interface Explained {
  /** The filters of the rule. */
  readonly where: readonly Filter[]
  readonly segment: Segment
  /** What is explained with it: segments of one attribute are asked for together, so that many that fire at once take no longer than one. */
  readonly firing: readonly Segment[]
}

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
  explained: Explained,
  period: Period,
  { ask }: Pick<Evidence, 'ask'>,
  options: WhyOptions = {},
): Promise<Why | undefined> => {
  const before = options.before ?? { ...period, from: period.from - usualMs, to: period.from }
  const { by, where, value } = sharedOf(explained)
  const spendingIn = async (side: Period, filters: readonly Filter[]): Promise<Spending> => {
    const spendings = await askSpendings(ask, side, filters, by)
    return by === undefined ? spendings.all : spendings.of(value)
  }
  const [now, usual] = await Promise.all([spendingIn(period, where), spendingIn(before, options.whereBefore ?? where)])
  const expected = options.expected ?? scaledCost(costOf(usual), period, before)
  const why = whyOf(usual, now, expected === 'same-runs' ? undefined : expected)
  if (why === undefined || why.cause === 'traffic' || why.cause === 'price' || options.whereBefore !== undefined) return why
  const releasesIn = async (side: Period): Promise<readonly AnswerRow[]> => {
    const breakdown = new Set<Breakdown>(['release', ...(by === undefined ? [] : [by])])
    const { rows } = await ask({ measures: ['cost', 'runs', 'calls'], by: [...breakdown], where, ...side })
    return rows.filter((row) => by === undefined || row[by] === value)
  }
  const release = newRelease(...(await Promise.all([releasesIn(period), releasesIn(before)])))
  return release === undefined ? why : { ...why, sentence: `${why.sentence} It is so since release ${release}.` }
}

/** Attributes of few values. */
const sharable: ReadonlySet<string> = new Set(['agent', 'task', 'team', 'model', 'release', 'environment', 'provider', 'tool'])

/** The question of one segment, or of all that fire with it where one attribute tells them apart. */
const sharedOf = ({ where, segment, firing }: Explained) => {
  const own = filtersOf(segment)
  const [filter] = own
  if (own.length !== 1 || filter === undefined || !sharable.has(filter.by) || firing.length < 2)
    return { by: undefined, where: [...where, ...own], value: null }
  const [value = null] = filter.values
  const values = [...new Set(firing.flatMap((each) => filtersOf(each)[0]?.values ?? []))]
  const part = Math.floor(Math.max(0, values.indexOf(value)) / filterValuesMax) * filterValuesMax
  return { by: filter.by, where: [...where, { by: filter.by, values: values.slice(part, part + filterValuesMax) }], value }
}

const scaledCost = (cost: bigint, period: Period, before: Period): bigint =>
  (cost * BigInt(Math.max(1, period.to - period.from))) / BigInt(Math.max(1, before.to - before.from))

/** A release is named when it is new, has a part in the period, and its runs are dearer than usual by this much. */
const newShareMin = 0.05
const dearerMin = 1.25

/** The release since which it is so: one that the time before hardly knows, and whose runs (or calls) are dearer than they were then. */
const newRelease = (now: readonly AnswerRow[], then: readonly AnswerRow[]): string | undefined => {
  const usual = eachOf(then)
  const shareIn = (rows: readonly AnswerRow[], release: Value | undefined): number =>
    sumOf(
      rows.filter((row) => row.release === release),
      'cost',
    ) / (sumOf(rows, 'cost') || 1)
  const [found] = now
    .filter(
      ({ release }) =>
        typeof release === 'string' && shareIn(now, release) >= newShareMin && shareIn(then, release) <= shareIn(now, release) / 5,
    )
    .filter((row) => usual > 0 && eachOf([row]) >= usual * dearerMin)
  return found === undefined ? undefined : String(found.release)
}

/** What a run costs, or a call where nobody records runs. */
const eachOf = (rows: readonly AnswerRow[]): number => sumOf(rows, 'cost') / (sumOf(rows, 'runs') || sumOf(rows, 'calls') || 1)
const sumOf = (rows: readonly AnswerRow[], measure: string): number => rows.reduce((sum, row) => sum + Number(row[measure] ?? 0), 0)
