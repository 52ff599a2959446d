import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createEmbeddedTracker } from '../../src/embedded.ts'
import { createRandom } from '../browser/random.ts'
import { allEntries, callOf, metric, post, query } from './asking.ts'
import { dataFile, openSandbox, type Sandbox } from './sandbox.ts'

const random = createRandom(11)
const events = (count: number) => Array.from({ length: count }, () => callOf(random.uuid7(Date.now()), { task: 'kept' }))

let good: Sandbox
/** A ledger of some pages, closed in good order. */
beforeAll(async () => {
  good = openSandbox()
  const server = await good.serve()
  for (let batch = 0; batch < 3; batch += 1) expect((await post(server.url, events(500))).status).toBe(200)
  await server.stop()
})
afterAll(() => good?.[Symbol.asyncDispose]())

/** Every file of a folder by its bytes. */
const contentOf = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [
        name,
        createHash('sha256')
          .update(readFileSync(`${folder}/${name}`))
          .digest('hex'),
      ]),
  )

const inSqlite =
  (sql: string) =>
  (path: string): void => {
    const database = new DatabaseSync(path)
    database.exec(sql)
    database.close()
  }

const refused: readonly (readonly [string, RegExp, (path: string) => void])[] = [
  ['a newer ledger', /^LEDGER_NEWER: .*newer taximeter.*Update taximeter/, inSqlite('PRAGMA user_version = 999')],
  ["another program's database", /^LEDGER_FOREIGN: .*name another file/, inSqlite('PRAGMA application_id = 7')],
  ['a file that is no database', /^LEDGER_FOREIGN: .*not a SQLite file/, (path) => writeFileSync(path, 'Dear diary, '.repeat(400))],
  ['half of a ledger', /^LEDGER_DAMAGED: .*restore it from a backup/, (path) => truncateSync(path, statSync(path).size >> 1)],
  [
    'a ledger with a torn page',
    /^LEDGER_DAMAGED: .*restore it from a backup/,
    (path) => {
      const bytes = readFileSync(path)
      for (let page = 2; page < 12; page += 1) bytes.fill(0xa5, page * 4_096 + 8, page * 4_096 + 2_000)
      writeFileSync(path, bytes)
    },
  ],
  ['a ledger without its tables', /^LEDGER_DAMAGED: /, inSqlite('DROP TABLE runs')],
]

describe.each(refused)('%s', (_, complaint, harm) => {
  test('is refused by the server in one sentence, and left byte for byte as it was', async () => {
    await using sandbox = openSandbox()
    copyFileSync(good.path(dataFile), sandbox.path(dataFile))
    harm(sandbox.path(dataFile))
    const before = contentOf(sandbox.folder)
    const { code, out, err } = await sandbox.taximeter(['serve', '--port', '0'])
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(complaint)])
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(contentOf(sandbox.folder)).toMatchObject(before)
  })

  test('is refused by an embedded tracker, and left as it was', async () => {
    await using sandbox = openSandbox()
    copyFileSync(good.path(dataFile), sandbox.path(dataFile))
    harm(sandbox.path(dataFile))
    const before = contentOf(sandbox.folder)
    await expect(createEmbeddedTracker({ data: sandbox.path(dataFile) })).rejects.toThrow(complaint)
    expect(contentOf(sandbox.folder)).toMatchObject(before)
  })
})

test.each([['report'], ['runs'], ['export'], ['reprice', '--from', '2026-01-01', '--who', 'ada', '--why', 'x']])(
  'taximeter %s leaves a newer ledger alone, too',
  async (...argv) => {
    await using sandbox = openSandbox()
    copyFileSync(good.path(dataFile), sandbox.path(dataFile))
    inSqlite('PRAGMA user_version = 999')(sandbox.path(dataFile))
    const before = contentOf(sandbox.folder)
    const { code, err } = await sandbox.taximeter(argv)
    expect([code, err]).toEqual([1, expect.stringMatching(/^LEDGER_NEWER: /)])
    expect(contentOf(sandbox.folder)).toMatchObject(before)
  },
)

test('an old file of the same version goes on where it was', async () => {
  await using sandbox = openSandbox()
  copyFileSync(good.path(dataFile), sandbox.path(dataFile))
  const server = await sandbox.serve()
  const before = (await query(server.url, 'measure=calls,cost&last=24h')).totals
  expect(before).toEqual({ calls: 1_500, cost: '9.000000000000' })
  expect(await metric(server.url, 'ai_token_input_total{model="gpt-4.1"}')).toBe('1500000')
  expect((await post(server.url, events(1))).body.counts.accepted).toBe(1)
  expect((await query(server.url, 'measure=calls,cost&last=24h')).totals).toEqual({ calls: 1_501, cost: '9.006000000000' })
})

const hasPrlimit = ((): boolean => {
  try {
    execFileSync('prlimit', ['--version'])
    return true
  } catch {
    return false
  }
})()

const isCi = process.env.CI === 'true'
if (!hasPrlimit && !isCi) console.warn('a full disk: skipped, because prlimit is not installed (apt-get install util-linux).')

// What a process may write to a file is limited from outside and let go again: to it that is a disk without room.
test.skipIf(!hasPrlimit && !isCi)(
  'without room on the disk nothing is acknowledged, the error says so, and with room all goes on',
  async () => {
    await using sandbox = openSandbox()
    const server = await sandbox.serve()
    const limit = (bytes: number | 'unlimited') => execFileSync('prlimit', [`--pid=${server.pid}`, `--fsize=${bytes}:unlimited`])
    expect((await post(server.url, events(10))).body.counts.accepted).toBe(10)
    limit(statSync(sandbox.path(`${dataFile}-wal`)).size)
    const batch = events(2_000)
    const full = await post(server.url, batch)
    expect(full.status).toBe(503)
    expect(full.body.error).toMatchObject({ code: 'LEDGER_FAILED', message: expect.stringMatching(/ledger|room/) })
    expect(Number(await metric(server.url, 'taximeter_ingest_failed_batches_total'))).toBe(1)
    // It still answers, from what it has.
    expect((await query(server.url, 'measure=calls&last=24h')).totals.calls).toBe(10)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    limit('unlimited')
    const again = await post(server.url, batch)
    expect([again.status, again.body.counts]).toEqual([200, { accepted: 2_000, duplicate: 0, rejected: 0 }])
    expect((await query(server.url, 'measure=calls,cost&last=24h')).totals).toEqual({ calls: 2_010, cost: '12.060000000000' })
    await server.stop()
    expect(sandbox.rows('SELECT count(*) AS calls FROM token_usage')).toEqual([{ calls: 2_010 }])
    expect(sandbox.rows('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  },
)

/** Root may write to everything: it starts the program as nobody. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

test('a ledger that may only be read is said in one sentence, and serves again when it may be written', async () => {
  await using sandbox = openSandbox()
  mkdirSync(sandbox.path('kept'))
  copyFileSync(good.path(dataFile), sandbox.path('kept/taximeter.db'))
  chmodSync(sandbox.folder, 0o755)
  chmodSync(sandbox.path('kept/taximeter.db'), 0o444)
  chmodSync(sandbox.path('kept'), 0o555)
  const before = contentOf(sandbox.path('kept'))
  const { code, err } = await sandbox.taximeter(['serve', '--port', '0', '--data', 'kept/taximeter.db'], { spawn: nobody })
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/^LEDGER_FAILED: The ledger kept\/taximeter\.db cannot be opened for writing: check .*\n$/),
  ])
  expect(contentOf(sandbox.path('kept'))).toEqual(before)
  chmodSync(sandbox.path('kept'), 0o777)
  chmodSync(sandbox.path('kept/taximeter.db'), 0o666)
  const server = await sandbox.serve({ argv: ['--data', 'kept/taximeter.db'], spawn: nobody })
  expect((await post(server.url, events(1))).status).toBe(200)
  expect(await allEntries(server.url, 'last=24h')).toHaveLength(1_501)
})
