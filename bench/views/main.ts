import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'
import type { Store } from '../../src/ledger/store.ts'
import { type DuckDb, openDuckDb } from './duckdb.ts'
import { firstViews } from './first-view.ts'
import { keptLedger } from './kept-ledger.ts'
import { type Asked, limits, namedQuestions, sampledBreakdowns } from './questions.ts'
import { at, type Timed, timesOf } from './times.ts'
import { whileWriting } from './while-writing.ts'

// What a person waits for at ten million calls (`--calls` for another number): questions, questions while calls are written, the
// dashboard's first view. Every figure is in one run with its peers: the same over raw rows in SQLite, and DuckDB over its own columns.

const from = Date.UTC(2026, 9, 23)
const days = 30
const end = from + days * 86_400_000
const repeats = 5
const sampled = 200
const firstViewMs = 1_500
const rawRatio = 20
const duckRatio = 2

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`
const line = (text: string, isMet = true): void => console.log(`views: ${isMet ? ' ' : '✗'} ${text}`)

const timeOf = async (act: () => unknown): Promise<number> => {
  const start = performance.now()
  await act()
  return performance.now() - start
}

const compareNamed = async (store: Store, ledger: string): Promise<readonly Timed[]> => {
  const questions = namedQuestions(end)
  const raw = new DatabaseSync(ledger, { readOnly: true })
  const duck: DuckDb = await openDuckDb(ledger)
  const timed: Timed[] = []
  for (const asked of questions) {
    const [own] = (await timesOf(store, [asked], repeats)) as [Timed]
    timed.push(own)
    const median = at(0.5, own.times)
    const limit = limits[asked.kind]
    if (asked.sql === undefined) {
      line(`${ms(median).padStart(8)} (at most ${ms(limit)}) ${asked.name}`, median <= limit)
      continue
    }
    const sql = asked.sql('//')
    const columnar: number[] = []
    for (let repeat = 0; repeat < repeats; repeat++) columnar.push(await timeOf(() => duck.ask(sql)))
    const inDuck = at(
      0.5,
      columnar.sort((left, right) => left - right),
    )
    const inRows = await timeOf(() => {
      const statement = raw.prepare(asked.sql?.('/') ?? '')
      statement.setReadBigInts(true)
      return statement.all()
    })
    line(
      `${ms(median).padStart(8)} (at most ${ms(limit)}) ${asked.name}: rows ${ms(inRows)}, ${(inRows / median).toFixed(0)} times as long (at least ${rawRatio}); DuckDB ${ms(inDuck)}, ours ${(median / inDuck).toFixed(2)} of it (at most ${duckRatio})`,
      median <= limit && inRows / median >= rawRatio && median / inDuck <= duckRatio,
    )
  }
  raw.close()
  duck.close()
  return timed
}

const askSampled = async (store: Store): Promise<void> => {
  const timed = await timesOf(store, sampledBreakdowns(end, sampled), 1)
  const times = timed.map((each) => at(0.5, each.times)).sort((left, right) => left - right)
  const p95 = at(0.95, times)
  line(
    `${ms(p95).padStart(8)} (at most ${ms(limits.breakdown)}) 95th percentile of ${sampled} breakdowns by one to three attributes; median ${ms(at(0.5, times))}`,
    p95 <= limits.breakdown,
  )
  const slowest = [...timed].sort((left, right) => at(0.5, right.times) - at(0.5, left.times)).slice(0, 5)
  for (const each of slowest) line(`           the slowest: ${ms(at(0.5, each.times))} ${each.asked.name}`)
}

/** On a copy, so that the kept ledger stays as it was made. */
const askWhileWriting = async (ledger: string, before: readonly Timed[]): Promise<void> => {
  const path = `${ledger}.written-to`
  copyFileSync(ledger, path)
  const store = await sqliteStore({ path, durability: 'normal' })
  // Those that fit into seconds of the writer's time, so that each is put a few times.
  const questions: readonly Asked[] = before.map(({ asked }) => asked)
  const { timed, callsPerSecond, failed } = await whileWriting(store, end, questions, 3)
  for (const [index, each] of timed.entries()) {
    const [calm, busy] = [at(0.5, before[index]?.times ?? []), at(0.5, each.times)]
    const limit = 2 * limits[each.asked.kind]
    if (busy > limit || busy > 2 * calm)
      line(`${ms(busy).padStart(8)} (at most ${ms(limit)}; ${ms(calm)} in peace) ${each.asked.name}, while written to`, busy <= limit)
  }
  line(`${callsPerSecond.toFixed(0)} calls/s were written meanwhile; ${failed} writes failed (none may)`, failed === 0)
  await store.close()
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}

const openFirstView = async (ledger: string): Promise<void> => {
  const dashboard = resolve(import.meta.dirname, '../../dashboard/dist')
  if (!existsSync(dashboard)) return line('the dashboard is not built (npm run build): its first view is not measured', false)
  for (const search of ['', '?last=30d']) {
    for (const [server, view] of Object.entries(await firstViews(ledger, dashboard, end, search))) {
      const name = `first view of the dashboard at /${search}, on a ${server} server`
      line(`${ms(view.ms).padStart(8)} (at most ${ms(firstViewMs)}) ${name}`, view.ms <= firstViewMs)
      const twice = view.asked.filter(({ path }, index) => view.asked.findIndex((each) => each.path === path) < index)
      for (const { path, ms: took } of [...view.asked].sort((left, right) => right.ms - left.ms).slice(0, 3))
        line(`           ${ms(took)} ${decodeURIComponent(path).slice(0, 160)}`)
      if (twice.length > 0) line(`           asked twice: ${twice.map(({ path }) => path.slice(0, 100)).join(' ')}`, false)
    }
  }
}

const option = process.argv.indexOf('--calls')
const calls = option === -1 ? 10_000_000 : Number(process.argv[option + 1])
const ledger = await keptLedger({ calls, from, days })
line(
  `${calls.toLocaleString('en-US')} calls over ${days} days; others load the machine's ${cpus().length} cores with ${(loadavg()[0] ?? 0).toFixed(1)}`,
)
await openFirstView(ledger)
const store = await sqliteStore({ path: ledger, durability: 'normal' })
const timed = await compareNamed(store, ledger)
await askSampled(store)
await store.close()
await askWhileWriting(ledger, timed)
