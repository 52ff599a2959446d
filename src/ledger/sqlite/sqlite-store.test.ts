import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeStore } from '../store.contract.ts'
import { startDirect } from './service.ts'
import { openStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-ledger-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

describeStore('the ledger in SQLite', () =>
  openStore({ path: join(folder, `${++files}.db`), durability: 'normal' }, (options) => startDirect(options)),
)
