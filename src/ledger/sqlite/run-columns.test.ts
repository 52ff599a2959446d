import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { Entry } from '../../core/event.ts'
import type { Breakdown, Filter, Question } from '../../core/question.ts'
import { day, day0, hour, minute, modelCall, question, runRecord, toolCall, usd } from '../contract/samples.ts'
import { memoryStore } from '../memory/memory-store.ts'
import type { Store } from '../store.ts'
import { startDirect } from './service.ts'
import { openStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-run-columns-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newPath = (): string => join(folder, `${++files}.db`)
const open = (path: string): Promise<Store> => openStore({ path, durability: 'normal' }, (options) => startDirect(options))

/** Six hours with columns, and six hours without. */
const bucketsOf = (path: string): readonly [number, number] => {
  const database = new DatabaseSync(path, { readOnly: true })
  const row = database.prepare('SELECT count(data) AS written, count(*) - count(data) AS outdated FROM run_columns').get()
  database.close()
  return [Number(row?.written), Number(row?.outdated)]
}

/** One run of about an hour. */
const runAt = (index: number, at: number): readonly Entry[] => {
  const who = {
    run: `run-${index}`,
    session: `session-${index % 5}`,
    agent: `agent-${index % 3}`,
    task: `task-${index % 2}`,
    user: `user-${index % 4}`,
  }
  return [
    modelCall({ ...who, at }),
    toolCall({ ...who, at: at + 55 * minute, tool: 'search', cost: usd(`0.${index + 1}`) }),
    ...(index % 3 === 0
      ? [runRecord(who.run, 'end', { at: at + 59 * minute, status: 'ok', stopReason: index % 2 ? 'completed' : 'max_steps' })]
      : []),
  ]
}

const breakdowns: readonly (readonly Breakdown[])[] = [
  [],
  ['agent'],
  ['stopReason', 'task'],
  ['runStatus'],
  ['run'],
  ['session', 'model'],
  ['tool'],
]
const filters: readonly (readonly Filter[])[] = [
  [],
  [{ by: 'agent', values: ['agent-1', 'agent-2'] }],
  [{ by: 'run', values: ['run-3', 'run-4'] }],
  [{ by: 'stopReason', values: [null], isNot: true }],
]

const expectSame = async (store: Store, raw: Store, given: Partial<Question> = {}): Promise<void> => {
  const measures = ['runs', 'costPerRun', 'toolCostPerRun', 'tokensPerRun', 'costP50', 'costP95', 'calls'] as const
  for (const by of breakdowns)
    for (const where of filters) {
      const asked = question({ measures, by, where, from: day0 - day, to: day0 + 9 * day, ...given })
      expect(await store.ask(asked), JSON.stringify(asked)).toEqual(await raw.ask(asked))
    }
}

test('runs in columns and in rows come to the same as entries do, whenever a period begins and ends', async () => {
  const path = newPath()
  const [store, raw] = [await open(path), memoryStore()]
  for (let index = 0; index < 60; index++) for (const each of [store, raw]) await each.append(runAt(index, day0 + index * 3 * hour))
  const [written, outdated] = bucketsOf(path)
  expect(written).toBeGreaterThan(25)
  expect(outdated).toBeGreaterThan(0)
  await expectSame(store, raw)
  await expectSame(store, raw, { from: day0 + 7 * hour + 1, to: day0 + 6 * day + 5 * hour, interval: 'day', zone: 'Asia/Kathmandu' })
  await store.close()
})

test('a run that changes after its six hours takes their columns back, until the next six hours are over', async () => {
  const path = newPath()
  const [store, raw] = [await open(path), memoryStore()]
  const append = async (entries: readonly Entry[]): Promise<void> => {
    for (const each of [store, raw]) await each.append(entries)
  }
  for (let index = 0; index < 24; index++) await append(runAt(index, day0 + index * 3 * hour))
  const [written] = bucketsOf(path)
  // A late call of run 2, one that begins run 5 in the six hours of run 2, and a run that nobody had told of.
  await append([modelCall({ at: day0 + 7 * hour, run: 'run-2', agent: 'agent-2' })])
  await append([modelCall({ at: day0 + 9 * hour - 1, run: 'run-5', agent: 'agent-2' })])
  await append(runAt(99, day0 + 30 * hour))
  expect(bucketsOf(path)[0]).toBe(written - 3)
  await expectSame(store, raw)
  for (let index = 24; index < 40; index++) await append(runAt(index, day0 + index * 3 * hour))
  expect(bucketsOf(path)[0]).toBeGreaterThan(written)
  await expectSame(store, raw)
  await store.close()
})

test('in whatever order runs come, their columns say what their entries do', async () => {
  const times = fc.array(fc.nat(7 * 24), { minLength: 5, maxLength: 25 })
  await fc.assert(
    fc.asyncProperty(times, async (hours) => {
      const path = newPath()
      const [store, raw] = [await open(path), memoryStore()]
      for (const [index, at] of hours.entries()) for (const each of [store, raw]) await each.append(runAt(index % 12, day0 + at * hour))
      const asked = question({
        measures: ['runs', 'costPerRun', 'costP95'],
        by: ['task', 'stopReason'],
        from: day0 - day,
        to: day0 + 9 * day,
      })
      expect(await store.ask(asked)).toEqual(await raw.ask(asked))
      await store.close()
    }),
    { numRuns: 15 },
  )
})

test('a second process that writes to the file is believed', async () => {
  const path = newPath()
  const [first, raw] = [await open(path), memoryStore()]
  for (let index = 0; index < 12; index++) for (const each of [first, raw]) await each.append(runAt(index, day0 + index * 3 * hour))
  const second = await open(path)
  const late = (index: number): readonly Entry[] => [modelCall({ at: day0 + index * minute, run: 'run-0', agent: 'agent-0' })]
  for (const index of [1, 2, 3, 4])
    for (const each of [index % 2 ? first : second, raw])
      await each.append([...late(index), ...runAt(20 + index, day0 + (40 + index * 9) * hour)])
  await expectSame(first, raw)
  await expectSame(second, raw)
  await first.close()
  await second.close()
})
