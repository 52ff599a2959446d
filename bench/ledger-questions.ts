import { DatabaseSync } from 'node:sqlite'
import type { Question } from '../src/core/question.ts'
import type { Store } from '../src/ledger/store.ts'

/** One question: the median time, and that of the same over the rows in plain SQL where it was measured. */
export interface QuestionFigure {
  readonly name: string
  readonly ms: number
  readonly limitMs: number
  readonly rawMs?: number
}

interface Asked {
  readonly name: string
  readonly limitMs: number
  readonly run: (store: Store) => Promise<unknown>
  /** The same in SQL over the raw rows. */
  readonly sql?: string
}

const day = 86_400_000
const repeats = 5

/** The questions of an overview, of a break-down and of a look for a run, over a ledger that ends at `end`. */
export const askAll = async (store: Store, path: string, end: number): Promise<readonly QuestionFigure[]> => {
  const raw = new DatabaseSync(path, { readOnly: true })
  const figures: QuestionFigure[] = []
  for (const { name, limitMs, run, sql } of questionsOf(end)) {
    const times: number[] = []
    for (let repeat = 0; repeat < repeats; repeat++) {
      const start = performance.now()
      await run(store)
      times.push(performance.now() - start)
    }
    const ms = times.sort((left, right) => left - right)[Math.floor(repeats / 2)] ?? 0
    figures.push({ name, ms, limitMs, ...(sql !== undefined && { rawMs: timeOf(raw, sql) }) })
  }
  raw.close()
  return figures
}

const timeOf = (database: DatabaseSync, sql: string): number => {
  const statement = database.prepare(sql)
  const start = performance.now()
  statement.all()
  return performance.now() - start
}

const questionsOf = (end: number): readonly Asked[] => {
  const month = { from: end - 30 * day, to: end }
  // Away from whole quarters of an hour on both sides, as "the last 30 days" always is.
  const rolling = { from: end - 30 * day + 7 * 60_000 + 1, to: end - 60_000 }
  const ask = (given: Partial<Question>) => (store: Store) =>
    store.ask({ measures: ['cost'], by: [], where: [], zone: 'UTC', ...month, ...given } as Question)
  const overview = 100
  const other = 300
  return [
    { name: 'cost, calls and tokens of a month', limitMs: overview, run: ask({ measures: ['cost', 'calls', 'tokens'] }) },
    {
      name: 'the same of the last 30 days, to the minute',
      limitMs: overview,
      run: ask({ measures: ['cost', 'calls', 'tokens'], ...rolling }),
    },
    {
      name: 'cost by day and model in UTC',
      limitMs: overview,
      run: ask({ by: ['model'], interval: 'day' }),
      sql: `SELECT at / 86400000, model, sum(cost / 1000000) FROM entries WHERE counted = 1 AND at >= ${month.from} AND at < ${month.to} GROUP BY 1, 2`,
    },
    { name: 'cost by day and model in Berlin', limitMs: overview, run: ask({ by: ['model'], interval: 'day', zone: 'Europe/Berlin' }) },
    { name: 'cost by hour and task of a week', limitMs: overview, run: ask({ by: ['task'], interval: 'hour', from: end - 7 * day }) },
    {
      name: 'cost, calls and errors by agent of 24 hours',
      limitMs: overview,
      run: ask({ measures: ['cost', 'calls', 'errors'], by: ['agent'], from: end - day + 1 }),
    },
    {
      name: 'cost and tokens by agent, of one model',
      limitMs: other,
      run: ask({ measures: ['cost', 'tokens'], by: ['agent'], where: [{ by: 'model', values: ['model-3'] }] }),
      sql: `SELECT agent, sum(cost / 1000000), sum(prompt_tokens + completion_tokens) FROM entries WHERE counted = 1 AND at >= ${month.from} AND at < ${month.to} AND model = (SELECT id FROM names WHERE text = 'model-3') GROUP BY 1`,
    },
    { name: 'cost by agent, task and model', limitMs: other, run: ask({ by: ['agent', 'task', 'model'], top: 50 }) },
    { name: 'cost and tokens by unit and release', limitMs: other, run: ask({ measures: ['cost', 'tokens'], by: ['unit', 'release'] }) },
    { name: 'latencies by model', limitMs: other, run: ask({ measures: ['latencyP50', 'latencyP95'], by: ['model'] }) },
    { name: 'cost by stop reason', limitMs: other, run: ask({ by: ['stopReason'] }) },
    { name: 'cost by session, the 50 largest', limitMs: other, run: ask({ by: ['session'], top: 50 }) },
    {
      name: 'runs, cost per run and p95 by release of 7 days',
      limitMs: other,
      run: ask({ measures: ['runs', 'costPerRun', 'costP95'], by: ['release'], from: end - 7 * day }),
    },
    {
      name: 'runs, cost per run and p95 by agent of 30 days',
      limitMs: other,
      run: ask({ measures: ['runs', 'costPerRun', 'costP95'], by: ['agent'] }),
    },
    { name: 'cost per run and p95 by model of 30 days', limitMs: other, run: ask({ measures: ['costPerRun', 'costP95'], by: ['model'] }) },
    {
      name: 'totals of all time by model and release',
      limitMs: other,
      run: ask({ measures: ['cost', 'calls', 'promptTokens', 'completionTokens'], by: ['model', 'release'], from: 0, to: end * 2 }),
    },
    {
      name: 'the costliest runs of a day',
      limitMs: overview,
      run: (store) => store.runs({ where: [], from: end - 2 * day, to: end - day, sort: 'costliest' }, { limit: 50 }),
      sql: `SELECT run, sum(cost / 1000000) FROM entries WHERE counted = 1 AND at >= ${end - 2 * day} AND at < ${end - day} GROUP BY +run ORDER BY 2 DESC LIMIT 50`,
    },
    {
      name: 'one run',
      limitMs: 20,
      run: async (store) => {
        const page = await store.runs({ where: [], from: end - 2 * day, to: end, sort: 'newest' }, { limit: 1 })
        return store.run(page.runs[0]?.run ?? '')
      },
    },
  ]
}
