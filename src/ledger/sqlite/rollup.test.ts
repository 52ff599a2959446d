import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import type { Entry } from '../../core/event.ts'
import type { Breakdown, Question } from '../../core/question.ts'
import { day, day0, hour, minute, modelCall, question, runRecord, toolCall, usd } from '../contract/samples.ts'
import { memoryStore } from '../memory/memory-store.ts'
import type { Store } from '../store.ts'
import { startDirect } from './service.ts'
import { openStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-rollup-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newPath = (): string => join(folder, `${++files}.db`)
const open = (path: string): Promise<Store> => openStore({ path, durability: 'normal' }, (options) => startDirect(options))

/** Four weeks of runs of three agents on two tasks, each with calls of two models and a tool over two hours, some across midnight. */
const fourWeeks = (): readonly Entry[] =>
  Array.from({ length: 28 * 6 }, (_, index): readonly Entry[] => {
    const at = day0 + index * 4 * hour + (index % 7) * 20 * minute
    const who = {
      run: `run-${index}`,
      session: `session-${Math.floor(index / 3)}`,
      agent: `agent-${index % 3}`,
      task: `task-${index % 2}`,
      release: index % 5 === 0 ? 'new' : 'old',
      user: `user-${index % 4}`,
    }
    return [
      modelCall({ ...who, at, durationMs: 100 + index }),
      modelCall({ ...who, at: at + 50 * minute, model: 'small', status: index % 4 === 0 ? 'error' : 'ok', attempt: index % 2 }),
      toolCall({ ...who, at: at + 110 * minute, tool: `tool-${index % 2}`, cost: usd('0.25') }),
      ...(index % 3 === 0
        ? [runRecord(who.run, 'end', { at: at + 115 * minute, status: 'ok', stopReason: index % 2 === 0 ? 'completed' : 'max_steps' })]
        : []),
    ]
  }).flat()

const asked = (given: Partial<Question>): Question =>
  question({
    measures: ['cost', 'calls', 'errors', 'retries', 'tokens', 'latencyP95', 'runs', 'costP95'],
    from: day0 - day,
    to: day0 + 30 * day,
    ...given,
  })

const breakdowns: readonly (readonly Breakdown[])[] = [
  [],
  ['agent'],
  ['task'],
  ['model'],
  ['tool', 'kind'],
  ['agent', 'task'],
  ['agent', 'model'],
  ['task', 'model'],
  ['agent', 'task', 'model'],
  ['unit', 'agent'],
  ['unit', 'task', 'model'],
  ['stopReason', 'agent'],
  ['stopReason', 'model'],
  ['session'],
  ['user', 'release'],
]

const expectSame = async (store: Store, raw: Store): Promise<void> => {
  for (const by of breakdowns) {
    for (const period of [{}, { from: day0 + 90 * minute, to: day0 + 26 * day + 7 * minute, zone: 'Asia/Kathmandu' }])
      for (const interval of [undefined, 'day'] as const) {
        const each = asked({ by, ...period, ...(interval && { interval }) })
        expect(await store.ask(each), JSON.stringify(each)).toEqual(await raw.ask(each))
      }
  }
}

test('quarters, hours, days and weeks answer as raw entries do, whatever comes late', async () => {
  const [store, raw] = [await open(newPath()), memoryStore()]
  const entries = fourWeeks()
  const late = entries.filter((_, index) => index % 11 === 5)
  const inTime = entries.filter((entry) => !late.includes(entry))
  for (const batch of [inTime.slice(0, 200), inTime.slice(200, 210), inTime.slice(210), late]) {
    for (const each of [store, raw]) await each.append(batch)
  }
  await expectSame(store, raw)
  await store.close()
})

test('a file of the first version answers at once, and is rolled up anew when the next entries come', async () => {
  const path = newPath()
  const first = await open(path)
  await first.append(fourWeeks())
  await first.close()
  // What the first version had in these tables.
  const database = new DatabaseSync(path)
  database.exec(`
    DROP TABLE whereabouts; DROP INDEX runs_session; DROP TABLE run_columns;
    CREATE TABLE whereabouts (name INTEGER NOT NULL, quarter INTEGER NOT NULL, PRIMARY KEY (name, quarter)) WITHOUT ROWID;
    UPDATE rollup SET rows = 1, data = x'00' WHERE id >= 281474976710656;
    PRAGMA user_version = 1`)
  const coarse = (): number => Number(database.prepare('SELECT count(*) AS n FROM rollup WHERE id >= 281474976710656').get()?.n)
  const before = coarse()

  const store = await open(path)
  const raw = memoryStore()
  await raw.append(fourWeeks())
  expect(coarse()).toBe(0)
  await expectSame(store, raw)
  const sought = asked({ where: [{ by: 'session', values: ['session-7'] }] })
  expect(await store.ask(sought)).toEqual(await raw.ask(sought))
  for (const each of [store, raw]) await each.append([modelCall({ at: day0 + 29 * day, agent: 'agent-0' })])
  expect(coarse()).toBeGreaterThanOrEqual(before)
  await expectSame(store, raw)
  await store.close()
  database.close()
})

test.each([
  ['cost', 5],
  ['tokens', 3],
  ['calls', 1_000],
] as const)('of thousands of values by %s, the first %d and the rest are those of raw entries', async (measure, top) => {
  const [store, raw] = [await open(newPath()), memoryStore()]
  const entries = Array.from({ length: 4_500 }, (_, index) =>
    modelCall({
      at: day0 + index * 1_000,
      session: `s${index % 2_300}`,
      usage: { input: 1 + (index % 97) * (index % 3), output: 7 },
      attempt: index % 2,
      status: index % 5 === 0 ? 'error' : 'ok',
    }),
  )
  for (const each of [store, raw]) await each.append(entries)
  const each = asked({ measures: [measure, 'errors', 'retryCost'], by: ['session'], top })
  expect(await store.ask(each)).toEqual(await raw.ask(each))
  await store.close()
})
