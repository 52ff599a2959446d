import { DatabaseSync } from 'node:sqlite'

export type Bound = number | bigint | string | null | Uint8Array

/** A row as an array in the order of its columns: a third cheaper to make than an object (0.66 against 1.09 µs for five columns). */
export type Row = readonly (number | string | null | Uint8Array)[]

/** The part of `node:sqlite` that is used, so that nothing else depends on that package's types. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
  readonly isTransaction: boolean
}

export interface Statement {
  run(...values: Bound[]): { readonly changes: number | bigint }
  get(...values: Bound[]): Row | undefined
  all(...values: Bound[]): readonly Row[]
  iterate(...values: Bound[]): IterableIterator<Row>
}

/** Every statement gives rows as arrays. Integers past 2⁵³ are never read: money is kept and read in two parts. */
export const openDatabase = (path: string, options: { readonly readOnly?: boolean; readonly busyMs?: number } = {}): Database => {
  const database = new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: options.busyMs ?? 10_000 })
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql)
      statement.setReturnArrays(true)
      return statement as unknown as Statement
    },
    close: () => database.close(),
    get isTransaction() {
      return database.isTransaction
    },
  }
}

/** SQLite's own number of what went wrong, without its extension; 0 when the error is not SQLite's. */
export const sqliteCodeOf = (error: unknown): number =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0
