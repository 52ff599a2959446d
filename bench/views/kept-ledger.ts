import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrations } from '../../src/ledger/sqlite/schema.ts'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'
import { appendAll, fleet } from '../ledger-calls.ts'

export interface KeptLedgerOptions {
  readonly calls: number
  readonly from: number
  readonly days: number
}

/** What the benches of views keep between their runs: ledgers, and what peers are installed into. */
export const keptFolder = join(tmpdir(), 'taximeter-bench-views')

/** The path of a ledger of these calls: made once, which takes minutes at ten million, and kept for the next run. */
export const keptLedger = async (options: KeptLedgerOptions): Promise<string> => {
  const hash = createHash('sha256')
    .update(JSON.stringify([options, migrations]))
    .digest('hex')
    .slice(0, 12)
  const path = join(keptFolder, `${hash}.db`)
  if (existsSync(path)) return path
  mkdirSync(keptFolder, { recursive: true })
  const unfinished = `${path}.unfinished`
  for (const end of ['', '-wal', '-shm']) rmSync(unfinished + end, { force: true })
  const store = await sqliteStore({ path: unfinished, durability: 'normal' })
  await appendAll(store, withProgress(options))
  await store.close()
  renameSync(unfinished, path)
  return path
}

function* withProgress(options: KeptLedgerOptions) {
  const start = performance.now()
  let count = 0
  for (const entry of fleet(options)) {
    yield entry
    count += 1
    if (count % 250_000 !== 0) continue
    const seconds = (performance.now() - start) / 1_000
    process.stderr.write(`\rmaking the ledger: ${count.toLocaleString('en-US')} entries, ${Math.round(count / seconds)} a second `)
  }
  process.stderr.write('\r\u001b[K')
}
