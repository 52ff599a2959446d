import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Entry } from '../src/core/event.ts'
import { sqliteStore } from '../src/ledger/sqlite/sqlite-store.ts'
import type { Store } from '../src/ledger/store.ts'
import { appendAll, batchRows, fleet } from './ledger-calls.ts'
import { askAll, type QuestionFigure } from './ledger-questions.ts'

export interface LedgerFigures {
  /** Entries a second through the store, roll-ups and run totals kept, ÷ bare inserts of the same rows with the same indexes: medians. */
  readonly entriesPerSecond: number
  readonly rowsPerSecond: number
  readonly ratio: number
  readonly ratioLimit: number
  /** Of the whole file, indexes, names, runs and roll-ups included. */
  readonly bytesPerCall: number
  readonly bytesPerCallLimit: number
  readonly calls: number
  readonly questions: readonly QuestionFigure[]
}

export interface LedgerBenchOptions {
  /** Entries of one round of writing. */
  readonly entries?: number
  readonly rounds?: number
  /** Calls of the ledger that is measured and asked: a million, or ten with `--large`. */
  readonly calls?: number
}

const from = Date.UTC(2026, 9, 23)

/** Bench (b): the store alone; bytes per call; and what questions cost, in one run. */
export const benchLedger = async ({
  entries = 200_000,
  rounds = 3,
  calls = 1_000_000,
}: LedgerBenchOptions = {}): Promise<LedgerFigures> => {
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-bench-'))
  try {
    const sample = [...fleet({ calls: entries, from, days: 30 * (entries / 1_000_000) })]
    const measured: { entriesPerSecond: number; rowsPerSecond: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const path = join(folder, `ledger-${round}.db`)
      const entriesPerSecond = await writeAll(path, sample)
      measured.push({ entriesPerSecond, rowsPerSecond: insertBare(path, join(folder, `bare-${round}.db`)) })
      for (const file of [path, join(folder, `bare-${round}.db`)]) rmSync(file)
    }
    const large = join(folder, 'large.db')
    const store = await sqliteStore({ path: large, durability: 'normal' })
    await fill(store, calls)
    const questions = await askAll(store, large, from + 30 * 86_400_000)
    await store.close()
    return {
      entriesPerSecond: median(measured.map((round) => round.entriesPerSecond)),
      rowsPerSecond: median(measured.map((round) => round.rowsPerSecond)),
      ratio: median(measured.map((round) => round.entriesPerSecond / round.rowsPerSecond)),
      ratioLimit: 0.6,
      bytesPerCall: statSync(large).size / calls,
      bytesPerCallLimit: 300,
      calls,
      questions,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Entries per second, in batches of a thousand, some of them under way at once as they are from a server. */
const writeAll = async (path: string, entries: readonly Entry[]): Promise<number> => {
  const store = await sqliteStore({ path, durability: 'normal' })
  const start = performance.now()
  await appendAll(store, entries)
  const seconds = (performance.now() - start) / 1_000
  await store.close()
  return entries.length / seconds
}

const fill = (store: Store, calls: number): Promise<void> => appendAll(store, fleet({ calls, from, days: 30 }))

/** Rows per second of nothing but node:sqlite, with the rows and the indexes of the ledger that was just written. */
const insertBare = (ledger: string, path: string): number => {
  const source = new DatabaseSync(ledger, { readOnly: true })
  const select = source.prepare('SELECT * FROM entries ORDER BY seq')
  select.setReturnArrays(true)
  const rows = select.all() as unknown as (string | number | null)[][]
  const made = source.prepare("SELECT sql FROM sqlite_master WHERE tbl_name = 'entries' AND sql IS NOT NULL").all()
  source.close()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  for (const { sql } of made) database.exec(String(sql))
  const insert = database.prepare(`INSERT INTO entries VALUES (${(rows[0] ?? []).map(() => '?').join(', ')})`)
  const start = performance.now()
  for (let at = 0; at < rows.length; at += batchRows) {
    database.exec('BEGIN')
    for (const row of rows.slice(at, at + batchRows)) insert.run(...row)
    database.exec('COMMIT')
  }
  const seconds = (performance.now() - start) / 1_000
  database.close()
  return rows.length / seconds
}

const median = (values: readonly number[]): number => [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0

const figureOf = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })

export const formatLedgerFigures = (figures: LedgerFigures): string =>
  [
    `ledger: ${figureOf(figures.entriesPerSecond)} entries/s through the store, ${figureOf(figures.rowsPerSecond)} bare rows/s: ratio ${figureOf(figures.ratio, 2)} (at least ${figures.ratioLimit})`,
    `ledger: ${figureOf(figures.bytesPerCall)} bytes per call at ${figureOf(figures.calls)} calls (at most ${figures.bytesPerCallLimit})`,
    ...figures.questions.map(
      ({ name, ms, rawMs, limitMs }) =>
        `ledger: ${figureOf(ms, 1).padStart(8)} ms ${name} (at most ${limitMs} ms at ten million calls)${rawMs === undefined ? '' : `, ${figureOf(rawMs / ms)} times as fast as over the rows`}`,
    ),
  ].join('\n')

if (import.meta.main) {
  const isLarge = process.argv.includes('--large')
  const calls = isLarge ? 10_000_000 : 1_000_000
  console.log(formatLedgerFigures(await benchLedger({ calls })))
}
