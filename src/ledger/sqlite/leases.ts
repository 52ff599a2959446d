import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Lease, LeaseChanges, LeaseStore, Mark } from '../lease-store.ts'
import { besideLedger } from './beside-ledger.ts'

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

/** Leases in the ledger's file (see beside-ledger.ts). A loss of power can take the last of them with it, as it takes the calls that they were for. */
export const sqliteLeases = ({ path, busyMs }: SqliteLeasesOptions): LeaseStore => {
  const beside = besideLedger({
    path,
    schema,
    prepare: statementsOf,
    what: 'The leases of budgets',
    ...(busyMs !== undefined && { busyMs }),
  })
  let cleanedAt = Number.NEGATIVE_INFINITY
  return {
    load: (now) => beside.read((statements) => load(statements, now)),
    write: (changes) =>
      beside.write((statements) => {
        if (changes.now - cleanedAt >= cleanEveryMs) {
          clean(statements, changes.now)
          cleanedAt = changes.now
        }
        apply(statements, changes)
      }),
    close: async () => beside.close(),
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
