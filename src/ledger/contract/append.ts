import { describe, expect, test } from 'vitest'
import type { CallEntry } from '../../core/event.ts'
import type { Store } from '../store.ts'
import type { MakeStore } from './make-store.ts'
import { day0, modelCall, question, runRecord, toolCall, usd } from './samples.ts'

const costOf = async (store: Store) => (await store.ask(question({ measures: ['cost', 'calls'] }))).totals
const countedIn = async (store: Store): Promise<readonly CallEntry[]> =>
  (await store.entries({ where: [], from: 0, to: day0 * 2 }, { limit: 1_000 })).entries
const keptIn = async (store: Store): Promise<readonly CallEntry[]> =>
  (await store.entries({ where: [], from: 0, to: day0 * 2, withUncounted: true }, { limit: 1_000 })).entries

export const describeAppend = (make: MakeStore): void => {
  describe('append', () => {
    test('an entry comes back exactly as it was given', async () => {
      const store = await make()
      const entries = [
        modelCall({
          usage: { input: 7, cache_read: 3, output: 2 },
          tags: { plan: 'pro' },
          flags: ['negative-count'],
          durationMs: 812,
          firstByteMs: 90,
        }),
        modelCall({
          model: 'small',
          tier: 'flex',
          callKey: 'openai:chatcmpl-1',
          promptHash: '0123456789abcdef0123456789abcdef',
          attempt: 2,
        }),
        modelCall({ model: 'unheard-of', error: '429', status: 'error', requestedModel: 'large', operation: 'chat' }),
        modelCall({
          quality: 'missing',
          usage: {},
          agent: 'a',
          session: 's',
          run: 'r',
          step: '1',
          task: 't',
          release: 'x',
          user: 'u',
          key: 'k',
        }),
        modelCall({ reportedCost: usd('0.0123'), team: 'cx', environment: 'prod', speed: 'fast', region: 'us' }),
        modelCall({ usage: { input: 1, output: 1, web_search: 3, machine_ms: 40 } }),
        toolCall({ cost: usd('0.005'), durationMs: 3, callKey: 'call-1' }),
        toolCall({ tool: 'free' }),
      ]
      await store.append(entries)
      const byId = new Map((await countedIn(store)).map((entry) => [entry.event.id, entry]))
      expect(entries.map((entry) => byId.get(entry.event.id))).toEqual(entries)
    })

    test('an id that was written before changes nothing, in the same batch or later', async () => {
      const store = await make()
      const call = modelCall({ run: 'r' })
      expect((await store.append([call, call])).map(({ outcome }) => outcome)).toEqual(['accepted', 'duplicate'])
      expect((await store.append([call]))[0]).toEqual({ id: call.event.id, outcome: 'duplicate' })
      expect(await costOf(store)).toEqual({ cost: '0.002800000000', calls: 1 })
      expect((await store.run('r'))?.summary.llmCalls).toBe(1)
    })

    test('a run record is kept once and counts nothing', async () => {
      const store = await make()
      const record = runRecord('r', 'start')
      expect((await store.append([record, record])).map(({ outcome, counted }) => [outcome, counted])).toEqual([
        ['accepted', undefined],
        ['duplicate', undefined],
      ])
      expect(await costOf(store)).toEqual({ cost: '0.000000000000', calls: 0 })
    })

    test('an empty batch is fine', async () => {
      expect(await (await make()).append([])).toEqual([])
    })

    test('of one call told by two sources the more authoritative is charged, whichever came first', async () => {
      const bySdk = modelCall({ callKey: 'openai:1', usage: { input: 10, output: 1 } })
      const byGateway = modelCall({ callKey: 'openai:1', source: 'gateway' })
      for (const order of [
        [bySdk, byGateway],
        [byGateway, bySdk],
      ]) {
        const store = await make()
        const outcomes = await store.append(order)
        expect(outcomes[1]?.outcome).toBe(order[1] === byGateway ? 'joined' : 'duplicate')
        expect(await countedIn(store)).toEqual([byGateway])
        expect((await keptIn(store)).length).toBe(2)
      }
    })

    test('what the charged source does not know is filled in from the others, in an entry of its own', async () => {
      const store = await make()
      const byImport = modelCall({ callKey: 'openai:1', source: 'import', session: 's', agent: 'imported' })
      const bySdk = modelCall({ callKey: 'openai:1', agent: 'support', task: 'refund', tags: { plan: 'pro' } })
      const byGateway = modelCall({ callKey: 'openai:1', source: 'gateway', usage: { input: 5, output: 5 }, durationMs: 7 })
      await store.append([byImport])
      await store.append([byGateway])
      const [last] = await store.append([bySdk])
      expect(last?.outcome).toBe('joined')
      const [counted] = await countedIn(store)
      expect(counted).toMatchObject({
        event: {
          source: 'gateway',
          usage: { input: 5, output: 5 },
          agent: 'support',
          task: 'refund',
          session: 's',
          tags: { plan: 'pro' },
          durationMs: 7,
        },
        charge: byGateway.charge,
        corrects: byGateway.event.id,
      })
      expect(last?.counted).toEqual(counted)
      expect(last?.uncounted?.event).toMatchObject({ agent: 'imported' })
      expect((await keptIn(store)).map(({ event }) => event.id)).toEqual(
        expect.arrayContaining([byImport, bySdk, byGateway].map(({ event }) => event.id)),
      )
      expect((await costOf(store)).calls).toBe(1)
    })

    test('a correction takes the place of the entry that it names', async () => {
      const store = await make()
      const call = modelCall({ callKey: 'openai:1', run: 'r' })
      const dearer: CallEntry = {
        ...modelCall({ callKey: 'openai:1', run: 'r', usage: { input: 2_000, output: 200 } }),
        corrects: call.event.id,
        reason: 'price was wrong',
      }
      await store.append([call])
      expect(await store.append([dearer])).toEqual([{ id: dearer.event.id, outcome: 'accepted', counted: dearer, uncounted: call }])
      expect(await costOf(store)).toEqual({ cost: '0.005600000000', calls: 1 })
      expect(await countedIn(store)).toEqual([dearer])
      expect((await store.run('r'))?.summary).toMatchObject({ llmCalls: 1, llmCost: usd('0.0056') })
      const late = modelCall({ callKey: 'openai:1', source: 'gateway', agent: 'late' })
      expect(await store.append([late])).toEqual([{ id: late.event.id, outcome: 'duplicate' }])
      expect(await countedIn(store)).toEqual([dearer])
    })

    test('a correction of what is unknown or corrected already is not kept', async () => {
      const store = await make()
      const call = modelCall()
      const first: CallEntry = { ...modelCall(), corrects: call.event.id }
      const second: CallEntry = { ...modelCall(), corrects: call.event.id }
      const astray: CallEntry = { ...modelCall(), corrects: modelCall().event.id }
      const outcomes = await store.append([call, first, second, astray])
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'duplicate', 'duplicate'])
      expect((await keptIn(store)).length).toBe(2)
      const third: CallEntry = { ...modelCall(), corrects: first.event.id }
      expect((await store.append([third]))[0]?.outcome).toBe('accepted')
      expect(await countedIn(store)).toEqual([third])
    })
  })
}
