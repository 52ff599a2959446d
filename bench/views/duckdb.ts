import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { keptFolder } from './kept-ledger.ts'

/** The part of `@duckdb/node-api` that is used: it is installed by this bench alone, in a folder of its own, and kept there. */
interface DuckConnection {
  run(sql: string): Promise<unknown>
  runAndReadAll(sql: string): Promise<{ getRows(): unknown[][] }>
}
interface DuckApi {
  readonly DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<DuckConnection>; closeSync(): void }> }
}

const manifest = { private: true, dependencies: { '@duckdb/node-api': '1.5.6-r.1' } }
/** What the questions ask of a call. */
const columns = [
  'at',
  'kind',
  'counted',
  'run',
  'session',
  'agent',
  'task',
  'release',
  'model',
  'cost',
  'prompt_tokens',
  'completion_tokens',
]
const csvRows = 500_000

export interface DuckDb {
  ask(sql: string): Promise<unknown>
  close(): void
}

/** The same calls in DuckDB's own columns, made once; names are numbers there as they are in the ledger. */
export const openDuckDb = async (ledger: string): Promise<DuckDb> => {
  const folder = join(keptFolder, 'duckdb')
  if (!existsSync(join(folder, 'node_modules/@duckdb/node-api'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'ignore' })
  }
  const { DuckDBInstance } = createRequire(join(folder, 'package.json'))('@duckdb/node-api') as DuckApi
  const path = `${ledger}.duckdb`
  if (!existsSync(path)) {
    rmSync(`${path}.unfinished`, { force: true })
    const instance = await DuckDBInstance.create(`${path}.unfinished`)
    await copyInto(await instance.connect(), ledger)
    instance.closeSync()
    renameSync(`${path}.unfinished`, path)
  }
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  return { ask: async (sql) => (await connection.runAndReadAll(sql)).getRows(), close: () => instance.closeSync() }
}

/** By way of files of some rows, so that nothing grows with the ledger. */
const copyInto = async (connection: DuckConnection, ledger: string): Promise<void> => {
  const source = new DatabaseSync(ledger, { readOnly: true })
  await connection.run(`CREATE TABLE entries (${columns.map((name) => `"${name}" BIGINT`).join(', ')})`)
  await connection.run('CREATE TABLE names (id BIGINT, text VARCHAR)')
  const part = join(keptFolder, 'part.csv')
  for (const [table, sql] of [
    ['names', "SELECT id, text FROM names WHERE text LIKE 'model-%'"],
    ['entries', `SELECT ${columns.join(', ')} FROM entries ORDER BY seq`],
  ] as const) {
    const statement = source.prepare(sql)
    statement.setReturnArrays(true)
    let lines: string[] = []
    const flush = async (): Promise<void> => {
      writeFileSync(part, lines.join(''))
      await connection.run(`COPY ${table} FROM '${part}' (HEADER false)`)
      lines = []
    }
    for (const row of statement.iterate() as unknown as Iterable<readonly unknown[]>) {
      lines.push(`${row.map((value) => value ?? '').join(',')}\n`)
      if (lines.length === csvRows) await flush()
    }
    if (lines.length > 0) await flush()
  }
  // What is still in its log would not come along when the file gets its name.
  await connection.run('CHECKPOINT')
  rmSync(part, { force: true })
  source.close()
}
