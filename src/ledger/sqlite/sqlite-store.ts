import { DatabaseSync } from 'node:sqlite'
import { TaximeterError } from '../../core/errors.ts'
import type { Entry } from '../../core/event.ts'
import { memoryStore } from '../memory/memory-store.ts'
import type { Store } from '../store.ts'

export interface SqliteOptions {
  readonly path: string
  /** `full`: what was acknowledged survives a power cut. `normal`: it survives the death of the process. */
  readonly durability?: 'full' | 'normal'
}

/** A ledger in one SQLite file. */
export const sqliteStore = async (options: SqliteOptions): Promise<Store> => {
  const database = new DatabaseSync(options.path)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.durability === 'normal' ? 'NORMAL' : 'FULL'}`)
  database.exec('CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, entry TEXT NOT NULL)')
  const memory = memoryStore()
  const known: Entry[] = []
  for (const row of database.prepare('SELECT entry FROM entries ORDER BY seq').all()) known.push(JSON.parse(String(row.entry), revive))
  await memory.append(known)
  const insert = database.prepare('INSERT INTO entries (entry) VALUES (?)')
  return {
    ...memory,
    append: async (batch) => {
      if (!database.isOpen) return memory.append(batch)
      try {
        database.exec('BEGIN IMMEDIATE')
        for (const entry of batch) insert.run(JSON.stringify(entry, replace))
        database.exec('COMMIT')
      } catch (cause) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw new TaximeterError('LEDGER_FAILED', `The ledger could not be written: ${cause instanceof Error ? cause.message : cause}`, {
          cause,
        })
      }
      return memory.append(batch)
    },
    describe: async () => ({
      ...(await memory.describe()),
      engine: 'sqlite',
      place: options.path,
      settings: { durability: options.durability ?? 'full' },
    }),
    close: async () => {
      await memory.close()
      if (database.isOpen) database.close()
    },
  }
}

const replace = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? { $n: value.toString() } : value)
const revive = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && '$n' in value ? BigInt(String(value.$n)) : value
