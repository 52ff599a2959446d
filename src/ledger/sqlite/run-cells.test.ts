import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { picoUsd } from '../../core/money.ts'
import { day, day0, idOf, minute, modelCall, question, toolCall } from '../contract/samples.ts'
import { memoryStore } from '../memory/memory-store.ts'
import { startDirect } from './service.ts'
import { openStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-run-cells-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  ['a little below what a double holds', 2n ** 52n - 1n],
  ['past what a double holds', 12_345_678_901_234_567n],
  ['past 64 bits when summed', 9_300_000_000_000_000_001n],
])('costs of runs in the segments of their calls are exact %s, also when calls are corrected', async (_, cost) => {
  const path = join(folder, `${cost}.db`)
  const store = await openStore({ path, durability: 'normal' }, (options) => startDirect(options))
  const raw = memoryStore()
  const first = toolCall({ at: day0, run: 'r1', cost: picoUsd(cost) })
  const entries = [
    first,
    toolCall({ at: day0 + minute, run: 'r1', cost: picoUsd(cost) }),
    toolCall({ at: day0 + minute, run: 'r2', tool: 'mail', cost: picoUsd(cost + 1n) }),
    modelCall({ at: day0 + 2 * minute, run: 'r1' }),
    { event: { ...first.event, id: idOf(day0, 99), attempt: 1 }, charge: first.charge, corrects: first.event.id, reason: 'a test' },
  ]
  for (const entry of entries) for (const each of [store, raw]) await each.append([entry])
  for (const by of [[], ['tool'], ['kind', 'run']] as const) {
    const where = [{ by: 'kind', values: [null], isNot: true }] as const
    const measures = ['runs', 'costPerRun', 'costP50', 'costP95', 'toolCostPerRun'] as const
    const asked = question({ measures, by, where, from: day0 - day, to: day0 + day })
    expect(await store.ask(asked)).toEqual(await raw.ask(asked))
  }
  await store.close()
})
