import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { day0, modelCall, question } from '../contract/samples.ts'
import { sqliteStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-threads-'))
afterAll(() => rmSync(folder, { recursive: true }))
const bundled = pathToFileURL(join(folder, 'worker.js'))

/** A program that uses a ledger and then has nothing more to do; it does not close it. */
const forgetful = `
import { sqliteStore } from '${join(import.meta.dirname, 'sqlite-store.ts')}'
import { modelCall } from '${join(import.meta.dirname, '../contract/samples.ts')}'
const store = await sqliteStore({ path: process.argv[2] })
await store.append([modelCall()])
console.log(await store.head())
`

beforeAll(async () => {
  const shared = { outdir: folder, bundle: true, platform: 'node', format: 'esm', target: 'node22', logLevel: 'error' } as const
  await build({ ...shared, entryPoints: { worker: join(import.meta.dirname, 'worker.ts') } })
  writeFileSync(join(folder, 'forgetful.ts'), forgetful)
  await build({ ...shared, entryPoints: [join(folder, 'forgetful.ts')] })
})

test('the ledger runs from source and from a bundle whose worker lies elsewhere', async () => {
  const path = join(folder, 'both.db')
  for (const [index, worker] of [undefined, bundled].entries()) {
    const store = await sqliteStore({ path, ...(worker && { worker }) })
    expect((await store.append([modelCall({ run: 'r' })])).map(({ outcome }) => outcome)).toEqual(['accepted'])
    expect((await store.run('r'))?.summary.llmCalls).toBe(index + 1)
    expect((await store.describe()).settings.durability).toBe('full')
    await store.close()
  }
})

test('what goes wrong in a thread is said with its code and sentence', async () => {
  const path = join(folder, 'foreign.db')
  writeFileSync(path, 'not a ledger')
  await expect(sqliteStore({ path, worker: bundled })).rejects.toMatchObject({
    code: 'LEDGER_FOREIGN',
    message: expect.stringContaining(path),
  })
  const store = await sqliteStore({ path: join(folder, 'fine.db'), worker: bundled })
  await expect(store.ask(question({ interval: 'minute', from: 0 }))).rejects.toMatchObject({ code: 'BAD_QUESTION' })
  await expect(store.follow('x', new AbortController().signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'BAD_REQUEST',
  })
  await store.close()
})

test('a thread that cannot run is not waited for', async () => {
  const worker = new URL('data:text/javascript,throw new Error("no")')
  await expect(sqliteStore({ path: join(folder, 'none.db'), worker })).rejects.toMatchObject({ code: 'LEDGER_FAILED' })
})

test('questions are answered while entries are written, each from one state of the file', async () => {
  const store = await sqliteStore({ path: join(folder, 'busy.db'), durability: 'normal', worker: bundled })
  const size = 50
  const batches = Array.from({ length: 60 }, (_, batch) =>
    Array.from({ length: size }, (_, index) => modelCall({ at: day0 + batch * 60_000 + index, run: `r${batch}` })),
  )
  let isWriting = true
  const writing = Promise.all(batches.map((batch) => store.append(batch))).finally(() => (isWriting = false))
  let last = 0
  while (isWriting) {
    const { totals } = await store.ask(question({ measures: ['calls', 'runs', 'cost'], from: day0 + 1, to: day0 + 86_400_000 }))
    // A batch is there as a whole or not at all: every run has all its calls, and the first call of the period lies before it.
    expect((Number(totals.calls) + (Number(totals.calls) > 0 ? 1 : 0)) % size).toBe(0)
    expect(Number(totals.calls)).toBeGreaterThanOrEqual(last)
    last = Number(totals.calls)
  }
  await writing
  expect((await store.ask(question({ measures: ['calls', 'runs'] }))).totals).toEqual({ calls: size * 60, runs: 60 })
  await store.close()
})

test('closing waits for what was handed over', async () => {
  const path = join(folder, 'closing.db')
  const store = await sqliteStore({ path, durability: 'normal', worker: bundled })
  const appended = store.append([modelCall()])
  await store.close()
  await store.close()
  expect((await appended)[0]?.outcome).toBe('accepted')
  const again = await sqliteStore({ path, worker: bundled })
  expect(await again.head()).toBe('1')
  await again.close()
})

test('a program that forgets to close the ledger ends all the same, and has lost nothing', async () => {
  const path = join(folder, 'forgotten.db')
  const { stdout, status } = spawnSync(process.execPath, [join(folder, 'forgetful.js'), path], { encoding: 'utf8', timeout: 15_000 })
  expect({ stdout, status }).toEqual({ stdout: '1\n', status: 0 })
  const store = await sqliteStore({ path, worker: bundled })
  expect(await store.head()).toBe('1')
  await store.close()
})
