import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { sentenceOf, TaximeterError } from '../../core/errors.ts'
import type { Lease, LeaseChanges, LeaseStore, Mark } from '../lease-store.ts'

export interface SqliteLeasesOptions {
  /** The ledger's file, which the ledger has opened before: only then is it known to be one. */
  readonly path: string
  /** How long a write tries again while the ledger's writer has the file. */
  readonly busyMs?: number
}

/** The two tables are made here and not in the ledger's migrations: they hold nothing that a report is made of, and may be dropped. */
const schema = `
CREATE TABLE IF NOT EXISTS budget_lease (
  holder TEXT NOT NULL,
  allowance TEXT NOT NULL,
  amount TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (holder, allowance)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS budget_mark (
  name TEXT PRIMARY KEY,
  until INTEGER
) WITHOUT ROWID;
`

/**
 * Leases in the ledger's file, over a connection of their own.
 *
 * The connection never waits for the file's lock, because it lives on the event loop: where the ledger's writer has it, the write
 * is tried again a moment later. It never checkpoints either, and never flushes: a commit takes tens of microseconds, and what it
 * wrote outlives the process. A loss of power can take the last leases with it, as it takes the calls that they were for.
 */
export const sqliteLeases = ({ path, busyMs = 5_000 }: SqliteLeasesOptions): LeaseStore => {
  const database = new DatabaseSync(path, { timeout: 0 })
  const statements = lazily(() => {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;')
    database.exec(schema)
    return statementsOf(database)
  })

  let cleanedAt = Number.NEGATIVE_INFINITY
  const write = (changes: LeaseChanges): void => {
    const prepared = statements()
    const isCleaning = changes.now - cleanedAt >= cleanEveryMs
    database.exec('BEGIN IMMEDIATE')
    try {
      if (isCleaning) clean(prepared, changes.now)
      apply(prepared, changes)
      database.exec('COMMIT')
      if (isCleaning) cleanedAt = changes.now
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    load: (now) => persistently(busyMs, () => load(statements(), now)),
    write: (changes) => persistently(busyMs, () => write(changes)),
    close: async () => database.close(),
  }
}

interface Statements {
  readonly leases: StatementSync
  readonly marks: StatementSync
  readonly putLease: StatementSync
  readonly putMark: StatementSync
  readonly endHolder: StatementSync
  readonly expireLeases: StatementSync
  readonly expireMarks: StatementSync
}

const statementsOf = (database: DatabaseSync): Statements => ({
  leases: database.prepare('SELECT holder, allowance, amount, expires_at FROM budget_lease WHERE expires_at > ?'),
  marks: database.prepare('SELECT name, until FROM budget_mark WHERE until IS NULL OR until > ?'),
  putLease: database.prepare('INSERT OR REPLACE INTO budget_lease (holder, allowance, amount, expires_at) VALUES (?, ?, ?, ?)'),
  putMark: database.prepare('INSERT OR REPLACE INTO budget_mark (name, until) VALUES (?, ?)'),
  endHolder: database.prepare('DELETE FROM budget_lease WHERE holder = ?'),
  expireLeases: database.prepare('DELETE FROM budget_lease WHERE expires_at <= ?'),
  expireMarks: database.prepare('DELETE FROM budget_mark WHERE until <= ?'),
})

const load = (statements: Statements, now: number): { leases: readonly Lease[]; marks: readonly Mark[] } => ({
  leases: statements.leases.all(now).map((row) => ({
    holder: String(row.holder),
    allowance: String(row.allowance),
    amount: BigInt(String(row.amount)),
    expiresAt: Number(row.expires_at),
  })),
  marks: statements.marks.all(now).map((row) => ({ name: String(row.name), until: row.until === null ? undefined : Number(row.until) })),
})

/** What has expired is never loaded; looking for it at every write would read the whole table each time. */
const cleanEveryMs = 60_000

const clean = (statements: Statements, now: number): void => {
  statements.expireLeases.run(now)
  statements.expireMarks.run(now)
}

const apply = (statements: Statements, { leases, ended, marks }: LeaseChanges): void => {
  for (const holder of ended) statements.endHolder.run(holder)
  for (const { holder, allowance, amount, expiresAt } of leases)
    statements.putLease.run(holder, allowance, amount.toString(), Math.ceil(expiresAt))
  for (const { name, until } of marks) statements.putMark.run(name, until === undefined ? null : Math.ceil(until))
}

const lazily = <Value>(make: () => Value): (() => Value) => {
  let value: Value | undefined
  return () => (value ??= make())
}

/** SQLITE_BUSY and SQLITE_LOCKED, in their extended forms too. */
const isBusy = (error: unknown): boolean => {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
  return code === 5 || code === 6
}

const persistently = async <Value>(busyMs: number, act: () => Value): Promise<Value> => {
  let waited = 0
  for (let pause = 1; ; pause = Math.min(pause * 2, 10)) {
    try {
      return act()
    } catch (cause) {
      if (!isBusy(cause))
        throw new TaximeterError('LEDGER_FAILED', `The leases of budgets could not be kept: ${sentenceOf(cause)}`, { cause })
      if (waited >= busyMs)
        throw new TaximeterError('LEDGER_BUSY', `The ledger's file was locked for ${busyMs} ms; the leases of budgets could not be kept.`, {
          cause,
        })
    }
    await new Promise<void>((resolve) => setTimeout(resolve, pause))
    waited += pause
  }
}
