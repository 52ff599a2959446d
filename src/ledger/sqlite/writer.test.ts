import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { Entry } from '../../core/event.ts'
import { entryLists, questions } from '../contract/arbitraries.ts'
import { day, day0, hour, modelCall, question, runRecord, toolCall, usd } from '../contract/samples.ts'
import { memoryStore } from '../memory/memory-store.ts'
import type { Store } from '../store.ts'
import { openFile } from './open-file.ts'
import { startDirect } from './service.ts'
import { openStore, type SqliteOptions } from './sqlite-store.ts'
import { createEncoder } from './wire.ts'
import { createWriter, type WriterOptions } from './writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-writer-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newPath = (): string => join(folder, `${++files}.db`)

const open = (options: Partial<SqliteOptions> = {}, writer: WriterOptions = {}): Promise<Store> =>
  openStore({ path: newPath(), durability: 'normal', ...options }, (thread) => startDirect(thread, writer))

const wholeOf = async (store: Store) => ({
  runs: (await store.runs({ where: [], from: 0, to: day0 * 2, sort: 'costliest' }, { limit: 1_000 })).runs,
  entries: (await store.entries({ where: [], from: 0, to: day0 * 2 }, { limit: 1_000 })).entries,
  kept: (await store.entries({ where: [], from: 0, to: day0 * 2, withUncounted: true }, { limit: 1_000 })).entries.length,
})

test('an append that fails keeps nothing, and does all of it when it is sent again', async () => {
  await fc.assert(
    fc.asyncProperty(entryLists(25), fc.integer({ min: 1, max: 8 }), questions, async (entries, size, asked) => {
      let isFailing = false
      const onCommit = (): void => {
        isFailing = !isFailing
        if (isFailing) throw new Error('the disk has gone')
      }
      const [store, raw] = [await open({}, { onCommit }), memoryStore()]
      for (let at = 0; at < entries.length; at += size) {
        const batch = entries.slice(at, at + size)
        const before = await wholeOf(store)
        await expect(store.append(batch)).rejects.toMatchObject({ code: 'LEDGER_FAILED' })
        expect(await wholeOf(store)).toEqual(before)
        expect(await store.append(batch)).toEqual(await raw.append(batch))
      }
      expect(await wholeOf(store)).toEqual(await wholeOf(raw))
      const from = day0 - 30 * day
      expect(await store.ask({ ...asked, from, to: from + 60 * day, interval: 'day' })).toEqual(
        await raw.ask({ ...asked, from, to: from + 60 * day, interval: 'day' }),
      )
      await store.close()
    }),
    { numRuns: 25 },
  )
})

test('a full disk refuses what does not fit, keeps what was there, and takes it when there is room', async () => {
  const path = newPath()
  const batchOf = (first: number): Entry[] =>
    Array.from({ length: 50 }, (_, index) => modelCall({ at: day0 + (first + index) * 1_000, agent: `agent-${first + index}`, run: 'r' }))
  const small = await open({ path, pagesMax: 60 })
  let kept = 0
  let refused: Entry[] = []
  while (refused.length === 0) {
    const batch = batchOf(kept)
    const outcome = await small.append(batch).catch((error: unknown) => error)
    if (outcome instanceof Error) {
      expect(outcome).toMatchObject({ code: 'LEDGER_FAILED', message: expect.stringContaining('no room') })
      refused = batch
    } else kept += batch.length
  }
  expect(kept).toBeGreaterThan(0)
  const asked = question({ measures: ['calls'] })
  expect((await small.ask(asked)).totals.calls).toBe(kept)
  expect((await small.run('r'))?.summary.llmCalls).toBe(kept)
  await small.close()
  const large = await open({ path })
  expect((await large.append(refused)).map(({ outcome }) => outcome)).toEqual(refused.map(() => 'accepted'))
  expect((await large.ask(asked)).totals.calls).toBe(kept + refused.length)
  expect((await large.run('r'))?.summary.llmCalls).toBe(kept + refused.length)
  await large.close()
})

test('appends that arrive together share a transaction', async () => {
  let commits = 0
  const store = await open({}, { onCommit: () => (commits += 1) })
  const outcomes = await Promise.all(Array.from({ length: 100 }, (_, index) => store.append([modelCall({ at: day0 + index })])))
  expect(outcomes.flat().map(({ outcome }) => outcome)).toEqual(Array.from({ length: 100 }, () => 'accepted'))
  expect(commits).toBe(1)
  await store.close()
})

test('what waits to be written is bounded', async () => {
  const store = await open({ queueEntriesMax: 10 })
  const ten = Array.from({ length: 10 }, () => modelCall())
  const first = store.append(ten)
  await expect(store.append([modelCall()])).rejects.toMatchObject({ code: 'LEDGER_BUSY' })
  expect((await first).length).toBe(10)
  expect((await store.append(ten)).map(({ outcome }) => outcome)).toEqual(ten.map(() => 'duplicate'))
  await store.close()
})

test('an id or a time that cannot be kept is refused before anything is written', async () => {
  const store = await open()
  for (const wrong of [{ id: 'not-a-uuid' }, { id: modelCall().event.id.toUpperCase() }, { at: -1 }, { at: Number.NaN }, { at: 1e18 }]) {
    await expect(store.append([modelCall(), modelCall(wrong)])).rejects.toMatchObject({ code: 'BAD_EVENT' })
  }
  expect(await store.head()).toBe('0')
  await store.close()
})

test('two writers on one file see what the other wrote', async () => {
  const path = newPath()
  const stores = [await open({ path }), await open({ path })]
  const raw = memoryStore()
  for (let round = 0; round < 30; round++) {
    const at = day0 + round * hour
    const batch = [
      modelCall({
        run: `r${round % 3}`,
        at,
        agent: `agent-${round}`,
        callKey: `openai:${round >> 1}`,
        source: round % 2 === 0 ? 'sdk' : 'gateway',
      }),
      runRecord(`r${round % 3}`, round > 20 ? 'end' : 'start', { at, task: 'refund' }),
    ]
    expect(await stores[round % 2]?.append(batch)).toEqual(await raw.append(batch))
  }
  for (const store of stores) {
    expect(await wholeOf(store)).toEqual(await wholeOf(raw))
    const asked = question({ measures: ['cost', 'calls', 'runs'], by: ['agent'], interval: 'day', to: day0 + 9 * day })
    expect(await store.ask(asked)).toEqual(await raw.ask(asked))
    await store.close()
  }
})

test('call keys that share a number are not taken for each other', () => {
  const oneNumber = (): number => 7
  const database = openFile(newPath(), 'normal')
  const writer = createWriter(database, { encoder: createEncoder(oneNumber) })
  const sender = createEncoder(oneNumber)
  const append = (entries: readonly Entry[]) => [...writer.append(sender.encode(entries)).outcomes]
  const keyed = (callKey: string, given: object = {}) => modelCall({ callKey, ...given })
  expect(append([keyed('openai:a'), keyed('openai:b'), keyed('openai:c')])).toEqual([0, 0, 0])
  expect(append([keyed('openai:b'), keyed('openai:c', { source: 'gateway' }), keyed('openai:d')])).toEqual([1, 2, 0])
  database.close()
})

test('plain SQL over token_usage gives what the report gives', async () => {
  const path = newPath()
  const store = await open({ path })
  await store.append([
    modelCall({ task: 'refund', session: 's', usage: { input: 1_000, cache_read: 24, output: 100, reasoning: 7 }, at: day0 + 123 }),
    modelCall({ task: 'refund', callKey: 'openai:1' }),
    modelCall({ task: 'late', callKey: 'openai:1', source: 'gateway' }),
    modelCall({ task: 'other', model: 'unheard-of' }),
    modelCall({ task: 'dear', usage: { input: 999_999_999_999 } }),
    modelCall({ task: 'refund', at: day0 + day }),
    toolCall({ task: 'refund', cost: usd('1') }),
  ])
  const report = await store.ask(
    question({
      measures: ['llmCost', 'promptTokens', 'completionTokens'],
      by: ['task'],
      where: [{ by: 'kind', values: ['llm'] }],
      from: day0,
      to: day0 + day,
    }),
  )
  await store.close()
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = database
    .prepare(
      `SELECT task_type, SUM(cost) AS cost, SUM(prompt_tokens) AS prompt, SUM(completion_tokens) AS completion FROM token_usage
       WHERE date(timestamp) = '2026-11-22' GROUP BY task_type ORDER BY task_type`,
    )
    .all()
  expect(rows).toEqual([
    { task_type: 'dear', cost: expect.closeTo(1_999_999.999998, 6), prompt: 999_999_999_999, completion: 0 },
    { task_type: 'late', cost: 0.0028, prompt: 1_000, completion: 100 },
    { task_type: 'other', cost: null, prompt: 1_000, completion: 100 },
    { task_type: 'refund', cost: expect.closeTo(0.002868, 12), prompt: 1_024, completion: 107 },
  ])
  const byTask = new Map(report.rows.map((row) => [row.task, row]))
  for (const row of rows) {
    const reported = byTask.get(String(row.task_type))
    expect([reported?.promptTokens, reported?.completionTokens]).toEqual([row.prompt, row.completion])
    expect(Number(reported?.llmCost)).toBeCloseTo(Number(row.cost), 9)
  }
  const first = database.prepare("SELECT id, session_id, model, timestamp FROM token_usage WHERE session_id = 's'").get()
  expect(first).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    session_id: 's',
    model: 'large',
    timestamp: '2026-11-22T00:00:00.123Z',
  })
  database.close()
})
