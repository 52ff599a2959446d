import { costOf, type Spending, withCallsAsRuns } from '../analysis/explain.ts'
import { type Reading, readingOf } from '../analysis/readings.ts'
import { type SegmentFigures, segmentOf } from '../analysis/segments.ts'
import { askSpendings, askTotals, countOf, type Period, type Spendings, usdOf } from '../analysis/spending.ts'
import type { Answer, AnswerRow } from '../core/answer.ts'
import { TaximeterError } from '../core/errors.ts'
import { divideHalfEven, formatUsd, magnitude } from '../core/money.ts'
import { type Filter, filterValuesMax, formatFilter, parseQuestion, type Question, type QuestionText } from '../core/question.ts'
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
    const [now, old] = await Promise.all([askTasks(store, period, where), askTasks(store, before, question.where)])
    const hours = (period.to - period.from) / 3_600_000
    const tasks = now.rows.map(taskOf)
    const subjects = worthReading([...new Set([...tasks, ...old.rows.map(taskOf)])], old, now)
    const [after, earlier] = await Promise.all([
      askSides(store, period, where, now, subjects),
      askSides(store, before, question.where, old, subjects),
    ])
    const all = readingFor(undefined, earlier.all, after.all, name)
    const told = subjects
      .map((task) => ({ task, reading: readingFor(task, earlier.tasks, after.tasks, name) }))
      .filter(({ reading }) => reading.kind !== 'steady')
      .sort((left, right) => Number(magnitude(right.reading.explanation.difference) - magnitude(left.reading.explanation.difference)))
    return {
      from: new Date(period.from).toISOString(),
      to: new Date(period.to).toISOString(),
      segments: tasks.map((task) => segmentJson(task, figuresOf(now, task), figuresOf(old, task), hours)),
      readings: [{ task: undefined, reading: all }, ...told.slice(0, taskReadingsMax)].map(({ task, reading }) =>
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

const taskOf = (row: AnswerRow): string | null => row.task as string | null

const segmentMeasures = ['cost', 'runs', 'costPerRun', 'costP95', 'calls', 'errors'] as const
/** With more tasks than this, the segment table has the largest, this many. */
const tasksMax = 1_000
const segmentsMax = 200

/** What the segment table shows, and what tells whether a task is worth a reading. */
const askTasks = async ({ ask }: Pick<Store, 'ask'>, period: Period, where: readonly Filter[]): Promise<Answer> => {
  const totals = { where, by: ['task'], besides: segmentMeasures } as const
  const whole = await askTotals(ask, period, totals).catch(unlessTooLarge)
  if (whole !== undefined && whole.rows.length <= tasksMax) return whole
  const largest = await askTotals(ask, period, { ...totals, top: segmentsMax })
  return { ...largest, rows: largest.rows.filter(({ folded }) => folded === undefined) }
}

/**
 * `readingOf` calls a change steady below a twentieth of the old cost, in traffic and in unit cost. These two leave room for what it
 * rounds, a few pico-dollars: in ten-thousandths, below the first it is surely steady, from the second on surely not.
 */
const surelySteady = 499n
const surelyNot = 501n
/** Of less than a millionth of a dollar, rounding can be more than that. */
const tooSmall = 1_000_000n

/**
 * The tasks whose change may get a sentence: to explain all of them would be half of what a dashboard's first view asks of the ledger.
 * What is spent in runs is told by cost and runs alone; the largest changes are enough of it. Anything else has to be looked at.
 */
const worthReading = (tasks: readonly (string | null)[], before: Answer, after: Answer): readonly (string | null)[] => {
  const changes = tasks.map((task) => {
    const [was, is] = [rowOf(before, task), rowOf(after, task)]
    const [old, now] = [usdOf(was, 'cost'), usdOf(is, 'cost')]
    const [oldRuns, runs] = [countOf(was, 'runs'), countOf(is, 'runs')]
    const traffic = oldRuns === 0 || runs === 0 ? now - old : divideHalfEven(old * BigInt(runs), BigInt(oldRuns)) - old
    const moved = [traffic, now - old - traffic].map(magnitude)
    const isOfRuns = isSpentInRuns(was, old) && isSpentInRuns(is, now)
    const isSteady = moved.every((amount) => amount === 0n || (old >= tooSmall && amount * 10_000n < old * surelySteady))
    const isTold = (old === 0n && now !== 0n) || (old >= tooSmall && moved.some((amount) => amount * 10_000n >= old * surelyNot))
    return { task, isOfRuns, isSteady, isTold, difference: magnitude(now - old) }
  })
  const ofRuns = changes
    .filter(({ isOfRuns, isSteady }) => isOfRuns && !isSteady)
    .sort((left, right) => Number(right.difference - left.difference))
  const enough = ofRuns.filter(({ isTold }) => isTold)[taskReadingsMax - 1]
  const largest = enough === undefined ? ofRuns : ofRuns.slice(0, ofRuns.indexOf(enough) + 1)
  return [...largest, ...changes.filter(({ isOfRuns }) => !isOfRuns)].map(({ task }) => task)
}

interface Sides {
  readonly all: Spendings
  readonly tasks: Spendings
}

/** What explains everything, and what explains these tasks. More of them than a filter may name are all asked for. */
const askSides = async (
  { ask }: Pick<Store, 'ask'>,
  period: Period,
  where: readonly Filter[],
  totals: Answer,
  tasks: readonly (string | null)[],
): Promise<Sides> => {
  const all = await askSpendings(ask, period, where, undefined, totals)
  if (tasks.length === 0) return { all, tasks: all }
  const only: readonly Filter[] = tasks.length > filterValuesMax ? [] : [{ by: 'task', values: tasks }]
  // Where their parts are more rows than an answer has, only the whole is explained.
  return { all, tasks: (await askSpendings(ask, period, [...where, ...only], 'task', totals).catch(unlessTooLarge)) ?? all }
}

/** Nothing, where an answer would have more rows than it may; anything else goes on failing. */
const unlessTooLarge = (error: unknown): undefined => {
  if (!(error instanceof TaximeterError) || error.code !== 'BAD_QUESTION') throw error
}

/** Of one task, or of everything. */
const spendingOf = (spendings: Spendings, task: string | null | undefined): Spending =>
  task === undefined ? spendings.all : spendings.of(task)

const whereOf = (task: string | null | undefined): readonly Filter[] => (task === undefined ? [] : [{ by: 'task', values: [task] }])

const readingFor = (task: string | null | undefined, before: Spendings, after: Spendings, beforeName: string): Reading => {
  const sides = { before: spendingOf(before, task), after: spendingOf(after, task) }
  const isOfRuns = [[before.totals, sides.before] as const, [after.totals, sides.after] as const].every(([totals, side]) =>
    isSpentInRuns(task === undefined ? totals.totals : rowOf(totals, task), costOf(side)),
  )
  return readingOf({
    ...(task !== undefined && { name: task ?? 'no task' }),
    where: whereOf(task),
    before: isOfRuns ? sides.before : withCallsAsRuns(sides.before),
    after: isOfRuns ? sides.after : withCallsAsRuns(sides.after),
    beforeName,
    unit: isOfRuns ? 'run' : 'call',
  })
}

const rowOf = ({ rows }: Answer, task: string | null | undefined): AnswerRow | undefined => rows.find((row) => row.task === task)

/**
 * What is spent outside of runs would be taken for the cost of a run. A tenth is let pass: a run belongs to the period in which it
 * began with all it cost, and so some of what runs cost is not of the period.
 */
const isSpentInRuns = (row: AnswerRow | Answer['totals'] | undefined, cost: bigint): boolean =>
  usdOf(row, 'costPerRun') * BigInt(countOf(row, 'runs')) * 10n >= cost * 9n

const figuresOf = (answer: Answer, task: string | null): SegmentFigures => {
  const row = rowOf(answer, task)
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
