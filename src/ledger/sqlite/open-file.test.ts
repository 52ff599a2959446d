import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { modelCall } from '../contract/samples.ts'
import { applicationId, migrations } from './schema.ts'
import { startDirect } from './service.ts'
import { openStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-open-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newPath = (): string => join(folder, `${++files}.db`)

const open = (path: string) => openStore({ path, durability: 'normal' }, (options) => startDirect(options))

/** A ledger of some calls, closed. */
const aLedger = async (): Promise<string> => {
  const path = newPath()
  const store = await open(path)
  await store.append(Array.from({ length: 200 }, (_, index) => modelCall({ agent: `agent-${index}`, run: `run-${index % 7}` })))
  await store.close()
  return path
}

const changed = (path: string, change: (bytes: Buffer) => Buffer): string => {
  const other = newPath()
  writeFileSync(other, change(readFileSync(path)))
  return other
}

describe('a file that is not a ledger of this program is refused and left as it is', () => {
  const cases: readonly [string, () => Promise<string>, string, RegExp][] = [
    [
      'a text file',
      async () => {
        const path = newPath()
        writeFileSync(path, 'accounts: {}\n'.repeat(50))
        return path
      },
      'LEDGER_FOREIGN',
      /is not a ledger of taximeter: it is not a SQLite file/,
    ],
    [
      "another program's database",
      async () => {
        const path = newPath()
        const database = new DatabaseSync(path)
        database.exec('CREATE TABLE accounts (id INTEGER)')
        database.close()
        return path
      },
      'LEDGER_FOREIGN',
      /it belongs to another program/,
    ],
    [
      'a ledger of a newer program',
      async () => {
        const path = await aLedger()
        const database = new DatabaseSync(path)
        database.exec(`PRAGMA user_version = ${migrations.length + 1}`)
        database.close()
        return path
      },
      'LEDGER_NEWER',
      /Update taximeter/,
    ],
    [
      'a ledger that was made newer and not yet checkpointed',
      async () => {
        const path = await aLedger()
        const database = new DatabaseSync(path)
        database.exec(`PRAGMA user_version = ${migrations.length + 1}`)
        // The change is still in the log beside the file, as after a crash.
        const copy = newPath()
        for (const suffix of ['', '-wal']) writeFileSync(copy + suffix, readFileSync(path + suffix))
        database.close()
        return copy
      },
      'LEDGER_NEWER',
      /Update taximeter/,
    ],
    [
      'a ledger that was cut short',
      async () => changed(await aLedger(), (bytes) => bytes.subarray(0, bytes.length - 5_000)),
      'LEDGER_DAMAGED',
      /is damaged/,
    ],
    [
      'a ledger with a page of noise',
      async () =>
        changed(await aLedger(), (bytes) => Buffer.concat([bytes.subarray(0, 12_288), Buffer.alloc(4_096, 0xa5), bytes.subarray(16_384)])),
      'LEDGER_DAMAGED',
      /is damaged/,
    ],
    [
      'a ledger without its tables',
      async () => {
        const path = newPath()
        const database = new DatabaseSync(path)
        database.exec(
          `CREATE TABLE entries (id INTEGER); PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`,
        )
        database.close()
        return path
      },
      'LEDGER_DAMAGED',
      /tables are not all there/,
    ],
  ]

  test.each(cases)('%s', async (_name, make, code, sentence) => {
    const path = await make()
    const before = readFileSync(path)
    await expect(open(path)).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) })
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

test('a folder that is not there is named', async () => {
  const path = join(folder, 'nowhere', 'x.db')
  await expect(open(path)).rejects.toMatchObject({ code: 'LEDGER_FAILED', message: expect.stringContaining(path) })
})

test('an empty file becomes a ledger, and a ledger opens again with what it had', async () => {
  const path = newPath()
  writeFileSync(path, '')
  const entry = modelCall({ run: 'r' })
  const first = await open(path)
  await first.append([entry])
  const description = await first.describe()
  expect(description).toMatchObject({
    engine: 'sqlite',
    place: path,
    schema: migrations.length,
    entries: 1,
    settings: { durability: 'normal', journal: 'wal' },
  })
  await first.close()
  const second = await open(path)
  expect(await second.append([entry])).toEqual([{ id: entry.event.id, outcome: 'duplicate' }])
  expect((await second.run('r'))?.calls).toEqual([{ call: entry.event, charge: entry.charge }])
  await second.close()
})
