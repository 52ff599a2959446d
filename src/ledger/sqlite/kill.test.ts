import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Entry } from '../../core/event.ts'
import { day, day0, question } from '../contract/samples.ts'
import { memoryStore } from '../memory/memory-store.ts'
import type { Store } from '../store.ts'
import { startDirect } from './service.ts'
import { openStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-kill-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Bundled as the package is, with the worker's file beside it: a child then starts in a tenth of the time. */
beforeAll(async () => {
  await build({
    entryPoints: { child: join(import.meta.dirname, 'kill.child.ts'), worker: join(import.meta.dirname, 'worker.ts') },
    outdir: folder,
    outExtension: { '.js': '.js' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    logLevel: 'error',
    banner: { js: '' },
  })
})

const kills = 24

/** Kills the child after so many acknowledged batches and so many microseconds more; gives the ids that it said were kept. */
const runUntilKilled = (path: string, seed: number): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, [join(folder, 'child.js'), path, String(seed)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    let complaint = ''
    const batchesBefore = (seed * 7) % 40
    child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk))
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk
      // The moment is the data's: after some batch, and then wherever the next ones happen to be.
      if (said.split('\n').length > batchesBefore) setTimeout(() => child.kill('SIGKILL'), seed % 5)
    })
    child.on('exit', (_code, signal) => {
      // The last line may be cut.
      const lines = said.slice(0, said.lastIndexOf('\n') + 1)
      if (signal === 'SIGKILL' && lines !== '') resolve(lines.trim().split(/\s+/))
      else reject(new Error(`The child ended before it was killed: ${complaint}`))
    })
  })

const keptIn = async (store: Store): Promise<readonly Entry[]> => {
  const entries: Entry[] = []
  const stop = new AbortController()
  const head = await store.head()
  for await (const { entry, cursor } of store.follow('0', stop.signal)) {
    entries.push(entry)
    if (cursor === head) break
  }
  return entries
}

test('a process that is killed at any moment has lost nothing acknowledged and doubled nothing', { timeout: 120_000 }, async () => {
  const path = join(folder, 'killed.db')
  const acknowledged: string[] = []
  for (let seed = 1; seed <= kills; seed++) acknowledged.push(...(await runUntilKilled(path, seed)))

  const store = await openStore({ path, durability: 'normal' }, (options) => startDirect(options))
  const kept = await keptIn(store)
  const ids = kept.map(({ event }) => event.id)
  expect(new Set(ids).size).toBe(ids.length)
  const known = new Set(ids)
  expect(acknowledged.filter((id) => !known.has(id))).toEqual([])
  expect(acknowledged.length).toBeGreaterThan(kills * 3)

  // Totals, roll-ups and runs are those of the entries that are there.
  const raw = memoryStore()
  await raw.append(kept.filter((entry) => !('corrects' in entry)))
  const asked = question({
    measures: ['cost', 'calls', 'runs', 'costP95', 'tokens'],
    by: ['agent', 'source'],
    interval: 'day',
    from: day0,
    to: day0 + 40 * day,
  })
  expect(await store.ask(asked)).toEqual(await raw.ask(asked))
  const filter = { where: [], from: 0, to: day0 * 2, sort: 'costliest' } as const
  expect(await store.runs(filter, { limit: 1_000 })).toEqual(await raw.runs(filter, { limit: 1_000 }))
  await store.close()
})
