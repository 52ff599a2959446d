import { DatabaseSync } from 'node:sqlite'
import { sentenceOf, TaximeterError } from '../../core/errors.ts'

export interface BesideOptions<Statements> {
  /** The ledger's file, which the ledger has opened before: only then is it known to be one. */
  readonly path: string
  /** Tables of our own, made here and not in the ledger's migrations: they hold nothing that a report is made of, and may be dropped. */
  readonly schema: string
  readonly prepare: (database: DatabaseSync) => Statements
  /** What is kept, as a complaint begins: "The leases of budgets". */
  readonly what: string
  /** How long a write tries again while the ledger's writer has the file. */
  readonly busyMs?: number
}

/**
 * Small, rarely written state in the ledger's file, over a connection of its own.
 *
 * The connection never waits for the file's lock, because it lives on the event loop: where the ledger's writer has it, the act
 * is tried again a moment later. It never checkpoints either, and never flushes: a commit takes tens of microseconds, and what it
 * wrote outlives the process. Rejects with LEDGER_BUSY or LEDGER_FAILED.
 */
export const besideLedger = <Statements>({ path, schema, prepare, what, busyMs = 5_000 }: BesideOptions<Statements>) => {
  const database = new DatabaseSync(path, { timeout: 0 })
  let prepared: Statements | undefined
  const statements = (): Statements => {
    if (prepared === undefined) {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;')
      database.exec(schema)
      prepared = prepare(database)
    }
    return prepared
  }
  const persistently = async <Value>(act: () => Value): Promise<Value> => {
    let waited = 0
    for (let pause = 1; ; pause = Math.min(pause * 2, 10)) {
      try {
        return act()
      } catch (cause) {
        if (!isBusy(cause)) throw new TaximeterError('LEDGER_FAILED', `${what} could not be kept: ${sentenceOf(cause)}`, { cause })
        if (waited >= busyMs)
          throw new TaximeterError(
            'LEDGER_BUSY',
            `The ledger's file was locked for ${busyMs} ms; ${what.charAt(0).toLowerCase()}${what.slice(1)} could not be kept.`,
            { cause },
          )
      }
      await new Promise<void>((resolve) => setTimeout(resolve, pause))
      waited += pause
    }
  }
  return {
    read: <Value>(act: (statements: Statements) => Value): Promise<Value> => persistently(() => act(statements())),
    /** In one transaction: all of it or nothing. */
    write: (act: (statements: Statements) => void): Promise<void> =>
      persistently(() => {
        const ready = statements()
        database.exec('BEGIN IMMEDIATE')
        try {
          act(ready)
          database.exec('COMMIT')
        } catch (error) {
          if (database.isTransaction) database.exec('ROLLBACK')
          throw error
        }
      }),
    close: (): void => {
      if (database.isOpen) database.close()
    },
  }
}

/** SQLITE_BUSY and SQLITE_LOCKED, in their extended forms too. */
const isBusy = (error: unknown): boolean => {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
  return code === 5 || code === 6
}
