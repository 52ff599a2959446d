import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeStore } from '../store.contract.ts'
import { sqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-ledger-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

describeStore('the ledger in SQLite', () => sqliteStore({ path: join(folder, `${++files}.db`), durability: 'normal' }))
