import type { ModelSpending, Spending } from '../analysis/explain.ts'
import { type Reading, readingOf } from '../analysis/readings.ts'
import { type SegmentFigures, segmentOf } from '../analysis/segments.ts'
import type { Answer, AnswerRow } from '../core/answer.ts'
import { formatUsd, parseUsd } from '../core/money.ts'
import type { Filter, Measure, Question } from '../core/question.ts'
import { isUnit, type Unit, unitNames, units } from '../core/units.ts'
import type { Store } from '../ledger/store.ts'
import type { ReadingJson, ReadingsAnswer, SegmentJson } from './api.ts'

interface Period {
  readonly from: number
  readonly to: number
  readonly zone: string
}

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

/** The three questions behind every reading of one period, and one on what has no price. */
const askPeriod = async (store: Pick<Store, 'ask'>, period: Period) => {
  const ask = (measures: readonly Measure[], by: Question['by'], where: readonly Filter[] = []) =>
    store.ask({ measures, by, where, ...period })
  const otherUnits = unitNames.filter((unit) => units[unit].side === 'other').map((unit): Measure => `tokens.${unit}`)
  const [tasks, models, unitCosts, unpriced] = await Promise.all([
    ask(['cost', 'runs', 'costPerRun', 'costP95', 'calls', 'errors', 'toolCost', 'retryCost'], ['task']),
    ask(['calls', 'retries'], ['task', 'model'], [{ by: 'kind', values: ['llm'] }]),
    ask(['cost', 'retryCost', 'tokens', ...otherUnits], ['task', 'model', 'unit'], [{ by: 'kind', values: ['llm'] }]),
    ask(['calls'], ['task'], [{ by: 'basis', values: ['unpriced'] }]),
  ])
  return { tasks, models, unitCosts, unpriced }
}

type PeriodAnswers = Awaited<ReturnType<typeof askPeriod>>

const rowsOf = (answer: Answer, task: string | null | undefined): readonly AnswerRow[] =>
  task === undefined ? answer.rows : answer.rows.filter((row) => row.task === task)
const usdOf = (row: AnswerRow | Answer['totals'] | undefined, measure: string): bigint => parseUsd(String(row?.[measure] ?? '0')) ?? 0n
const numberOf = (row: AnswerRow | Answer['totals'] | undefined, measure: string): number => Number(row?.[measure] ?? 0)

/** Of one task, or of everything. */
const spendingOf = ({ tasks, models, unitCosts }: PeriodAnswers, task: string | null | undefined): Spending => {
  const row = task === undefined ? tasks.totals : rowsOf(tasks, task)[0]
  const found = new Map<string, { calls: number; otherCost: bigint; units: Map<Unit, { count: bigint; cost: bigint }> }>()
  const modelOf = (name: string) => {
    const known = found.get(name) ?? { calls: 0, otherCost: 0n, units: new Map() }
    found.set(name, known)
    return known
  }
  for (const each of rowsOf(models, task)) modelOf(String(each.model)).calls += numberOf(each, 'calls') - numberOf(each, 'retries')
  for (const each of rowsOf(unitCosts, task)) {
    const model = modelOf(String(each.model))
    const cost = usdOf(each, 'cost') - usdOf(each, 'retryCost')
    const unit = each.unit
    if (typeof unit !== 'string' || !isUnit(unit)) {
      model.otherCost += cost
      continue
    }
    const known = model.units.get(unit)
    const count = BigInt(String(each[units[unit].side === 'other' ? `tokens.${unit}` : 'tokens'] ?? 0))
    model.units.set(unit, { count: count + (known?.count ?? 0n), cost: cost + (known?.cost ?? 0n) })
  }
  return {
    runs: numberOf(row, 'runs'),
    toolCost: usdOf(row, 'toolCost'),
    retryCost: usdOf(row, 'retryCost'),
    models: found as ReadonlyMap<string, ModelSpending>,
  }
}

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
  const [row] = rowsOf(answers.tasks, task)
  const [unpriced] = rowsOf(answers.unpriced, task)
  const money = (measure: string): bigint | null => (row?.[measure] === null || row === undefined ? null : usdOf(row, measure))
  return {
    cost: usdOf(row, 'cost'),
    runs: numberOf(row, 'runs'),
    costPerRun: money('costPerRun'),
    p95: money('costP95'),
    calls: numberOf(row, 'calls'),
    errors: numberOf(row, 'errors'),
    unpricedCalls: numberOf(unpriced, 'calls'),
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
