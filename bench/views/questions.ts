import type { Breakdown, Filter, Measure, Question } from '../../src/core/question.ts'
import type { Store } from '../../src/ledger/store.ts'

/** How long a question of each kind may take, in ms, over ten million calls; a breakdown at the 95th percentile of many. */
export const limits = { overview: 100, breakdown: 300, 'costliest runs': 100, 'one run': 20, percentiles: 300, sessions: 300 } as const
export type Kind = keyof typeof limits

export interface Asked {
  readonly name: string
  readonly kind: Kind
  readonly ask: (store: Store) => Promise<unknown>
  /** The same over raw rows, for SQLite and for DuckDB; `divide` is the sign by which integers are divided. */
  readonly sql?: (divide: '/' | '//') => string
}

const hour = 3_600_000
const day = 24 * hour

/** The questions that a person puts to a ledger that ends at `end`: those of the dashboard's overview first. */
export const namedQuestions = (end: number): readonly Asked[] => {
  const month = { from: end - 30 * day, to: end }
  const week = { from: end - 7 * day, to: end }
  // Away from whole quarters of an hour on both sides, as "the last 30 days" always is.
  const rolling = { from: end - 30 * day + 7 * 60_000 + 1, to: end - 60_000 }
  const ask = (given: Partial<Question>) => (store: Store) =>
    store.ask({ measures: ['cost'], by: [], where: [], zone: 'UTC', ...month, ...given })
  const calls = (period: { from: number; to: number }) => `counted = 1 AND kind < 2 AND "at" >= ${period.from} AND "at" < ${period.to}`
  const runCosts = (by: string, period: { from: number; to: number }) =>
    `WITH runs AS (SELECT run, ${by}, sum(cost) AS cost FROM entries WHERE ${calls(period)} AND run IS NOT NULL GROUP BY run, ${by}),
     ranked AS (SELECT ${by}, cost, row_number() OVER (PARTITION BY ${by} ORDER BY cost) AS place, count(*) OVER (PARTITION BY ${by}) AS runs FROM runs)
     SELECT ${by}, min(cost) FROM ranked WHERE place * 100 >= runs * 95 GROUP BY ${by}`
  const overview = (name: string, given: Partial<Question>, sql?: Asked['sql']): Asked => ({
    name,
    kind: 'overview',
    ask: ask(given),
    ...(sql !== undefined && { sql }),
  })
  const keyFigures: readonly Measure[] = [
    'runs',
    'costPerRun',
    'costP95',
    'burnRatePerHour',
    'calls',
    'tokens',
    'retries',
    'errors',
    'cacheHitRate',
  ]
  const segments: readonly Measure[] = ['cost', 'runs', 'costPerRun', 'costP95', 'burnRatePerHour']
  return [
    overview(
      'cost, calls and tokens of a month',
      { measures: ['cost', 'calls', 'tokens'] },
      () => `SELECT sum(cost), count(*), sum(prompt_tokens + completion_tokens) FROM entries WHERE ${calls(month)}`,
    ),
    overview('the same of the last 30 days, to the minute', { measures: ['cost', 'calls', 'tokens'], ...rolling }),
    overview('cost by day of the last 30 days, to the minute', { interval: 'day', ...rolling }),
    overview(
      'cost by day and model in UTC',
      { by: ['model'], interval: 'day' },
      (divide) => `SELECT "at" ${divide} 86400000, model, sum(cost) FROM entries WHERE ${calls(month)} GROUP BY 1, 2`,
    ),
    overview('cost by day and model in Berlin', { by: ['model'], interval: 'day', zone: 'Europe/Berlin' }),
    overview('cost by day and agent, eight of them', {
      by: ['agent'],
      interval: 'day',
      where: [{ by: 'agent', values: Array.from({ length: 8 }, (_, index) => `agent-${index}`) }],
    }),
    overview(
      'cost by hour and task of a week',
      { by: ['task'], interval: 'hour', ...week },
      (divide) => `SELECT "at" ${divide} 3600000, task, sum(cost) FROM entries WHERE ${calls(week)} GROUP BY 1, 2`,
    ),
    overview('cost, calls and errors by agent of 24 hours', { measures: ['cost', 'calls', 'errors'], by: ['agent'], from: end - day + 1 }),
    overview('the key figures of a week', { measures: keyFigures, ...week }),
    overview('the key figures of 30 days', { measures: keyFigures, ...rolling }),
    overview('the segment table, by agent and task, of a week', { measures: segments, by: ['agent', 'task'], top: 12, ...week }),
    overview('the segment table of 30 days', { measures: segments, by: ['agent', 'task'], top: 12, ...rolling }),
    {
      name: 'cost and tokens by agent, of one model',
      kind: 'breakdown',
      ask: ask({ measures: ['cost', 'tokens'], by: ['agent'], where: [{ by: 'model', values: ['model-3'] }] }),
      sql: () =>
        `SELECT agent, sum(cost), sum(prompt_tokens + completion_tokens) FROM entries WHERE ${calls(month)} AND model = (SELECT id FROM names WHERE text = 'model-3') GROUP BY 1`,
    },
    {
      name: 'cost by agent, task and model',
      kind: 'breakdown',
      ask: ask({ by: ['agent', 'task', 'model'], top: 50 }),
      sql: () => `SELECT agent, task, model, sum(cost) FROM entries WHERE ${calls(month)} GROUP BY 1, 2, 3 ORDER BY 4 DESC LIMIT 50`,
    },
    {
      name: 'cost and tokens by unit and release',
      kind: 'breakdown',
      ask: ask({ measures: ['cost', 'tokens'], by: ['unit', 'release'] }),
    },
    { name: 'latencies by model', kind: 'breakdown', ask: ask({ measures: ['latencyP50', 'latencyP95'], by: ['model'] }) },
    { name: 'cost by stop reason', kind: 'breakdown', ask: ask({ by: ['stopReason'] }) },
    {
      name: 'totals of all time by model and release',
      kind: 'breakdown',
      ask: ask({ measures: ['cost', 'calls', 'promptTokens', 'completionTokens'], by: ['model', 'release'], from: 0, to: end * 2 }),
    },
    {
      name: 'p95 of run cost by release of 7 days',
      kind: 'percentiles',
      ask: ask({ measures: ['runs', 'costPerRun', 'costP95'], by: ['release'], ...week }),
      sql: () => runCosts('release', week),
    },
    { name: 'p95 of run cost by agent of 30 days', kind: 'percentiles', ask: ask({ measures: ['costP95'], by: ['agent'] }) },
    {
      name: 'p95 of run cost by model of 7 days',
      kind: 'percentiles',
      ask: ask({ measures: ['costPerRun', 'costP95'], by: ['model'], ...week }),
      sql: () => runCosts('model', week),
    },
    {
      name: 'the costliest runs of a day',
      kind: 'costliest runs',
      ask: (store) => store.runs({ where: [], from: end - 2 * day, to: end - day, sort: 'costliest' }, { limit: 50 }),
      sql: (divide) =>
        `SELECT run, sum(cost) FROM entries WHERE ${calls({ from: end - 2 * day, to: end - day })} GROUP BY ${divide === '/' ? '+run' : 'run'} ORDER BY 2 DESC LIMIT 50`,
    },
    {
      name: 'the costliest runs of 30 days',
      kind: 'costliest runs',
      ask: (store) => store.runs({ where: [], ...rolling, sort: 'costliest' }, { limit: 50 }),
    },
    {
      name: 'one run',
      kind: 'one run',
      ask: async (store) => {
        const page = await store.runs({ where: [], from: end - 2 * day, to: end, sort: 'newest' }, { limit: 1 })
        return store.run(page.runs[0]?.run ?? '')
      },
    },
    { name: 'cost by session of 7 days, the 50 largest', kind: 'sessions', ask: ask({ by: ['session'], top: 50, ...week }) },
  ]
}

const attributes: readonly Breakdown[] = [
  'agent',
  'task',
  'model',
  'release',
  'provider',
  'tool',
  'team',
  'environment',
  'kind',
  'status',
  'basis',
  'source',
  'stopReason',
  'unit',
]
const measureSets: readonly (readonly Measure[])[] = [
  ['cost'],
  ['cost', 'calls', 'tokens'],
  ['calls', 'errors', 'retries'],
  ['cost', 'promptTokens', 'completionTokens', 'cacheHitRate'],
]
const filters: readonly Filter[] = [
  { by: 'agent', values: ['agent-7'] },
  { by: 'model', values: ['model-3', 'model-4'] },
  { by: 'task', values: ['task-1'], isNot: true },
  { by: 'release', values: ['2026-11-12'] },
]

/** Breakdowns by one, two and three attributes of few values over 30 days, with and without a filter and an interval: the same ones every time. */
export const sampledBreakdowns = (end: number, count: number): readonly Asked[] => {
  let state = 7
  const pick = <Value>(values: readonly Value[]): Value => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return values[(state >>> 8) % values.length] as Value
  }
  return Array.from({ length: count }, () => {
    const by = [...new Set(Array.from({ length: pick([1, 2, 2, 3]) }, () => pick(attributes)))]
    const where = pick([0, 0, 1]) === 1 ? [pick(filters)] : []
    const interval = pick([undefined, undefined, 'day'] as const)
    const measures = pick(measureSets)
    const question: Question = {
      measures,
      by,
      where,
      from: end - 30 * day + 7 * 60_000 + 1,
      to: end - 60_000,
      zone: pick(['UTC', 'Europe/Berlin']),
      top: 20,
      ...(interval !== undefined && { interval }),
    }
    const name = `${measures.join()} by ${[interval, ...by].filter((part) => part !== undefined).join()}${where.map((filter) => ` of ${filter.isNot ? 'not ' : ''}${filter.values.join()}`).join('')}`
    return { name, kind: 'breakdown' as const, ask: (store: Store) => store.ask(question) }
  })
}
