import type { Spending } from '../analysis/explain.ts'
import { type Reading, readingOf } from '../analysis/readings.ts'
import { type SegmentFigures, segmentOf } from '../analysis/segments.ts'
import { askSpendings, countOf, type Period, usdOf } from '../analysis/spending.ts'
import { formatUsd } from '../core/money.ts'
import type { Filter } from '../core/question.ts'
import type { Store } from '../ledger/store.ts'
import type { ReadingJson, ReadingsAnswer, SegmentJson } from './api.ts'

/** How many single tasks get a sentence of their own, besides the one on everything. */
const taskReadingsMax = 6

/** What a period's numbers say: each task as a segment, and in sentences what changed against the period of equal length before. */
export const createReadings =
  (store: Pick<Store, 'ask'>) =>
  async (period: Period): Promise<ReadingsAnswer> => {
    const before = { ...period, from: period.from - (period.to - period.from), to: period.from }
    const [now, old] = await Promise.all([askPeriod(store, period), askPeriod(store, before)])
    const hours = (period.to - period.from) / 3_600_000
    const tasks = now.tasks.rows.map((row) => row.task as string | null)
    const subjects = [undefined, ...new Set([...tasks, ...old.tasks.rows.map((row) => row.task as string | null)])]
    const [all, ...single] = subjects.map((task) => ({ task, reading: readingFor(task, old, now) }))
    const told = single
      .filter(({ reading }) => reading.kind !== 'steady')
      .sort((left, right) => Number(magnitude(right.reading) - magnitude(left.reading)))
    return {
      from: new Date(period.from).toISOString(),
      to: new Date(period.to).toISOString(),
      segments: tasks.map((task) => segmentJson(task, figuresOf(now, task), figuresOf(old, task), hours)),
      readings: [...(all === undefined ? [] : [all]), ...told.slice(0, taskReadingsMax)].map(({ task, reading }) =>
        readingJson(task, reading, period),
      ),
    }
  }

const magnitude = ({ explanation: { difference } }: Reading): bigint => (difference < 0n ? -difference : difference)

/** What every reading of one period is made from. */
const askPeriod = async (store: Pick<Store, 'ask'>, period: Period) => {
  const [spendings, tasks, unpriced] = await Promise.all([
    askSpendings(store.ask, period, [], 'task'),
    store.ask({ measures: ['cost', 'runs', 'costPerRun', 'costP95', 'calls', 'errors'], by: ['task'], where: [], ...period }),
    store.ask({ measures: ['calls'], by: ['task'], where: [{ by: 'basis', values: ['unpriced'] }], ...period }),
  ])
  return { spendings, tasks, unpriced }
}

type PeriodAnswers = Awaited<ReturnType<typeof askPeriod>>

/** Of one task, or of everything. */
const spendingOf = ({ spendings }: PeriodAnswers, task: string | null | undefined): Spending =>
  task === undefined ? spendings.all : spendings.of(task)

const whereOf = (task: string | null | undefined): readonly Filter[] => (task === undefined ? [] : [{ by: 'task', values: [task] }])

const readingFor = (task: string | null | undefined, before: PeriodAnswers, after: PeriodAnswers): Reading =>
  readingOf({
    ...(task !== undefined && { name: task ?? 'no task' }),
    where: whereOf(task),
    before: spendingOf(before, task),
    after: spendingOf(after, task),
    beforeName: 'the period before',
  })

const figuresOf = (answers: PeriodAnswers, task: string | null): SegmentFigures => {
  const row = answers.tasks.rows.find((each) => each.task === task)
  const unpriced = answers.unpriced.rows.find((each) => each.task === task)
  const money = (measure: string): bigint | null => (row?.[measure] === null || row === undefined ? null : usdOf(row, measure))
  return {
    cost: usdOf(row, 'cost'),
    runs: countOf(row, 'runs'),
    costPerRun: money('costPerRun'),
    p95: money('costP95'),
    calls: countOf(row, 'calls'),
    errors: countOf(row, 'errors'),
    unpricedCalls: countOf(unpriced, 'calls'),
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

const readingJson = (task: string | null | undefined, reading: Reading, period: Period): ReadingJson => ({
  kind: reading.kind,
  severity: reading.level === 'warning' ? 'warning' : 'info',
  sentence: reading.sentence,
  segment: task === undefined ? {} : { task },
  parts: reading.explanation.parts.map(({ cause, model, amount }) => ({
    name: model === undefined ? cause : `${cause} · ${model}`,
    amountUsd: formatUsd(amount),
  })),
  query: new URLSearchParams({
    measure: 'cost,runs,costPerRun',
    by: 'model',
    from: new Date(period.from).toISOString(),
    to: new Date(period.to).toISOString(),
    tz: period.zone,
    ...(task !== undefined && { where: `task:${encodeURIComponent(task ?? '')}` }),
  }).toString(),
})
