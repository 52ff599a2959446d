import { costOf, type Spending, withCallsAsRuns } from '../analysis/explain.ts'
import { type Reading, readingOf } from '../analysis/readings.ts'
import { type SegmentFigures, segmentOf } from '../analysis/segments.ts'
import { askSpendings, countOf, type Period, type Spendings, usdOf } from '../analysis/spending.ts'
import { TaximeterError } from '../core/errors.ts'
import { formatUsd } from '../core/money.ts'
import { type Filter, formatFilter, parseQuestion, type Question, type QuestionText } from '../core/question.ts'
import type { Store } from '../ledger/store.ts'
import type { ReadingJson, ReadingsAnswer, SegmentJson } from './api.ts'
import { comparedOf, previousOf } from './previous-period.ts'

/** How many single tasks get a sentence of their own, besides the one on everything. */
const taskReadingsMax = 6

/** What is read: which entries, of which period, and what they are compared with. */
export interface ReadingsAsked extends Period {
  readonly where?: readonly Filter[]
  /** Absent: the period before. Otherwise another period, or another release in this one, and what it is called in a sentence. */
  readonly compared?: ReadingsCompared
}

export interface ReadingsCompared {
  readonly question: Pick<Question, 'from' | 'to' | 'where'>
  readonly name: string
}

/** What a period's numbers say: each task as a segment, and in sentences what changed. */
export const createReadings =
  (store: Pick<Store, 'ask'>) =>
  async ({ compared, where = [], ...period }: ReadingsAsked): Promise<ReadingsAnswer> => {
    const { question, name } = compared ?? { question: previousOf(questionOf(period, where)), name: 'the period before' }
    const before = { from: question.from, to: question.to, zone: period.zone }
    const [now, old] = await Promise.all([askPeriod(store, period, where), askPeriod(store, before, question.where)])
    const hours = (period.to - period.from) / 3_600_000
    const tasks = now.totals.rows.map((row) => row.task as string | null)
    const subjects = [undefined, ...new Set([...tasks, ...old.totals.rows.map((row) => row.task as string | null)])]
    const [all, ...single] = subjects.map((task) => ({ task, reading: readingFor(task, old, now, name) }))
    const told = single
      .filter(({ reading }) => reading.kind !== 'steady')
      .sort((left, right) => Number(magnitude(right.reading) - magnitude(left.reading)))
    return {
      from: new Date(period.from).toISOString(),
      to: new Date(period.to).toISOString(),
      segments: tasks.map((task) => segmentJson(task, figuresOf(now, task), figuresOf(old, task), hours)),
      readings: [...(all === undefined ? [] : [all]), ...told.slice(0, taskReadingsMax)].map(({ task, reading }) =>
        readingJson(task, reading, period, where),
      ),
    }
  }

/** The parameters of a request → what is read. Throws BAD_QUESTION. */
export const readingsAskedOf = (text: QuestionText & { readonly compare?: string | undefined }, now: number): ReadingsAsked => {
  const { from, to, zone, where } = parseQuestion(text, now)
  const question = questionOf({ from, to, zone }, where)
  const { compare } = text
  if (compare === undefined || compare === 'previous') return { from, to, zone, where }
  if (!compare.startsWith('release:')) {
    const compared = comparedOf(question, compare, now)
    return { from, to, zone, where, compared: { question: compared, name: `the period ${compare.replace('..', ' to ')}` } }
  }
  if (!where.some(({ by }) => by === 'release')) {
    const sentence = `"compare=${compare.slice(0, 100)}" needs the release that is compared with it: add where=release:<name>.`
    throw new TaximeterError('BAD_QUESTION', sentence)
  }
  return { from, to, zone, where, compared: { question: comparedOf(question, compare, now), name: `release ${compare.slice(8)}` } }
}

const questionOf = (period: Period, where: readonly Filter[]): Question => ({ measures: ['cost'], by: [], where, ...period })

const magnitude = ({ explanation: { difference } }: Reading): bigint => (difference < 0n ? -difference : difference)

const segmentMeasures = ['cost', 'runs', 'costPerRun', 'costP95', 'calls', 'errors'] as const
/** Rows of the segment table where there are more tasks than can be explained one by one. */
const segmentsMax = 200

/**
 * What every reading of one period is made from: what explains it, and what the segment table shows. With so many tasks that their
 * parts are more rows than an answer has, the whole is explained, and the largest tasks are shown.
 */
const askPeriod = async (store: Pick<Store, 'ask'>, period: Period, where: readonly Filter[]): Promise<Spendings> => {
  try {
    return await askSpendings(store.ask, period, where, 'task', segmentMeasures)
  } catch (error) {
    if (!(error instanceof TaximeterError) || error.code !== 'BAD_QUESTION') throw error
    const [spendings, tasks] = await Promise.all([
      askSpendings(store.ask, period, where),
      store.ask({ measures: segmentMeasures, by: ['task'], where, ...period, top: segmentsMax }),
    ])
    return { ...spendings, totals: { ...tasks, rows: tasks.rows.filter(({ folded }) => folded === undefined) } }
  }
}

/** Of one task, or of everything. */
const spendingOf = (spendings: Spendings, task: string | null | undefined): Spending =>
  task === undefined ? spendings.all : spendings.of(task)

const whereOf = (task: string | null | undefined): readonly Filter[] => (task === undefined ? [] : [{ by: 'task', values: [task] }])

const readingFor = (task: string | null | undefined, before: Spendings, after: Spendings, beforeName: string): Reading => {
  const sides = { before: spendingOf(before, task), after: spendingOf(after, task) }
  const isOfRuns = isSpentInRuns(before, task, sides.before) && isSpentInRuns(after, task, sides.after)
  return readingOf({
    ...(task !== undefined && { name: task ?? 'no task' }),
    where: whereOf(task),
    before: isOfRuns ? sides.before : withCallsAsRuns(sides.before),
    after: isOfRuns ? sides.after : withCallsAsRuns(sides.after),
    beforeName,
    unit: isOfRuns ? 'run' : 'call',
  })
}

/**
 * What is spent outside of runs would be taken for the cost of a run. A tenth is let pass: a run belongs to the period in which it
 * began with all it cost, and so some of what runs cost is not of the period.
 */
const isSpentInRuns = ({ totals }: Spendings, task: string | null | undefined, spending: Spending): boolean => {
  const row = task === undefined ? totals.totals : totals.rows.find((each) => each.task === task)
  return usdOf(row, 'costPerRun') * BigInt(spending.runs) * 10n >= costOf(spending) * 9n
}

const figuresOf = (answers: Spendings, task: string | null): SegmentFigures => {
  const row = answers.totals.rows.find((each) => each.task === task)
  const money = (measure: string): bigint | null => (row?.[measure] === null || row === undefined ? null : usdOf(row, measure))
  return {
    cost: usdOf(row, 'cost'),
    runs: countOf(row, 'runs'),
    costPerRun: money('costPerRun'),
    p95: money('costP95'),
    calls: countOf(row, 'calls'),
    errors: countOf(row, 'errors'),
    unpricedCalls: countOf(row, 'unpricedCalls'),
  }
}

const usdOrNull = (amount: bigint | null): string | null => (amount === null ? null : formatUsd(amount))

const segmentJson = (task: string | null, now: SegmentFigures, before: SegmentFigures, hours: number): SegmentJson => {
  const { costPerRun, p95, burnPerHour, status, reasons } = segmentOf(task, now, before, hours)
  return {
    segment: { task },
    runs: now.runs,
    costUsd: formatUsd(now.cost),
    costPerRunUsd: usdOrNull(costPerRun),
    costP95Usd: usdOrNull(p95),
    burnRatePerHourUsd: formatUsd(burnPerHour),
    status,
    reason: reasons.join(' '),
  }
}

const readingJson = (task: string | null | undefined, reading: Reading, period: Period, where: readonly Filter[]): ReadingJson => ({
  kind: reading.kind,
  severity: reading.level === 'warning' ? 'warning' : 'info',
  sentence: reading.sentence,
  segment: task === undefined ? {} : { task },
  parts: reading.explanation.parts.map(({ cause, model, amount }) => ({
    name: model === undefined ? cause : `${cause} · ${model}`,
    amountUsd: formatUsd(amount),
  })),
  query: new URLSearchParams([
    ['measure', 'cost,runs,costPerRun'],
    ['by', 'model'],
    ['from', new Date(period.from).toISOString()],
    ['to', new Date(period.to).toISOString()],
    ['tz', period.zone],
    ...[...where, ...whereOf(task)].map((filter): [string, string] => ['where', formatFilter(filter)]),
  ]).toString(),
})
