import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventId, modelCall, now, testServer } from '../../test/server/test-server.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { sqliteStore } from '../ledger/sqlite/sqlite-store.ts'
import type { Store } from '../ledger/store.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taximeter-metrics-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** The same ledger as it is opened again: the one in memory has no other life than its own. */
const stores: readonly [string, () => () => Promise<Store>][] = [
  [
    'in memory',
    () => {
      const store = memoryStore()
      return async () => ({ ...store, close: async () => {} })
    },
  ],
  [
    'in a file',
    () => {
      const path = join(folder, 'ledger.db')
      return () => sqliteStore({ path, durability: 'normal' })
    },
  ],
]

const at = (ms: number) => new Date(now - 3_600_000 + ms).toISOString()
const events = [
  { id: eventId(1), at: at(1), kind: 'run', run: 'r-1', phase: 'start', release: '7', agent: 'bot', budgetUsd: '0.004' },
  modelCall(2, { at: at(2), run: 'r-1', release: '7', usage: { input: 1_000, cache_read: 200, output: 90, reasoning: 10 } }),
  modelCall(3, { at: at(3), run: 'r-1', release: '7', attempt: 1, tier: 'batch' }),
  { id: eventId(4), at: at(4), kind: 'tool', tool: 'search', costUsd: '0.005', run: 'r-1', release: '7' },
  { id: eventId(5), at: at(5), kind: 'tool', tool: 'unpriced-tool', run: 'r-1', release: '7' },
  { id: eventId(6), at: at(6), kind: 'run', run: 'r-1', phase: 'end', status: 'ok', stopReason: 'completed' },
  modelCall(7, { at: at(7), model: 'nobody-knows' }),
  modelCall(8, { at: at(8), usage: undefined }),
  modelCall(9, { at: at(9), reportedCostUsd: '0.0123', callKey: 'openai:c-1' }),
  modelCall(10, { at: at(10), callKey: 'openai:c-1', agent: 'late' }),
]

describe.each(stores)('a ledger %s', (_, make) => {
  test('is where the metrics begin after a restart, and what they agree with while they run', async () => {
    const open = make()
    const asked: string[] = []
    const watched = async (): Promise<Store> => {
      const store = await open()
      return {
        ...store,
        ask(question) {
          asked.push(question.by.join(','))
          return store.ask(question)
        },
      }
    }
    const before = await testServer({ store: await watched() })
    await before.post('/v1/events', events)
    asked.length = 0
    const first = await before.metrics.text()
    // One small question says that nothing was written elsewhere; after it, and until the ledger moves, there is none.
    expect(asked).toEqual([''])
    await before.metrics.text()
    expect(asked).toEqual([''])
    await before.store.close()

    const after = await testServer({ store: await watched() })
    const second = await after.metrics.text()
    await after.store.close()
    const kept = (text: string) =>
      text
        .split('\n')
        .filter((line) => /^(ai_|agent_|taximeter_(tokens|calls|cost|coverage|unpriced))/.test(line))
        .sort()
    expect(kept(second)).toEqual(kept(first))
    expect(kept(first)).toContain('agent_run_cost_usd_sum{release="7"} 0.0103')
    expect(kept(first)).toContain('agent_budget_breach_total{release="7"} 1')
  })
})
