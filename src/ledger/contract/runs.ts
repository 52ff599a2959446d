import { describe, expect, test } from 'vitest'
import type { RunFilter } from '../store.ts'
import type { MakeStore } from './make-store.ts'
import { day, day0, hour, minute, modelCall, runRecord, toolCall, usd } from './samples.ts'

const all = (given: Partial<RunFilter> = {}): RunFilter => ({ where: [], from: day0 - day, to: day0 + day, sort: 'newest', ...given })

export const describeRuns = (make: MakeStore): void => {
  describe('runs', () => {
    test('a run is the same in whatever order its records and calls come, and however often', async () => {
      const told = [
        runRecord('r', 'start', { at: day0, agent: 'support', task: 'refund', budget: usd('0.25'), parent: 'p' }),
        modelCall({ run: 'r', at: day0 + minute, agent: 'other', release: 'x', status: 'error' }),
        modelCall({ run: 'r', at: day0 + 2 * minute, release: 'y', attempt: 1 }),
        toolCall({ run: 'r', at: day0 + 3 * minute, cost: usd('1') }),
        modelCall({ run: 'r', at: day0 + 4 * minute, model: 'unheard-of' }),
        runRecord('r', 'end', { at: day0 + 5 * minute, status: 'error', stopReason: 'llm_error' }),
        runRecord('r', 'end', { at: day0 + 6 * minute, status: 'cancelled', stopReason: 'cancelled' }),
      ]
      for (const order of [told, [...told].reverse(), [...told.slice(3), ...told, ...told.slice(0, 2)]]) {
        const store = await make()
        for (const entry of order) await store.append([entry])
        expect((await store.run('r'))?.summary).toEqual({
          run: 'r',
          parent: 'p',
          agent: 'support',
          task: 'refund',
          release: 'x',
          startedAt: day0,
          endedAt: day0 + 6 * minute,
          isOpen: false,
          status: 'cancelled',
          stopReason: 'cancelled',
          budget: usd('0.25'),
          llmCost: usd('0.0056'),
          toolCost: usd('1'),
          llmCalls: 3,
          toolCalls: 1,
          retries: 1,
          errors: 1,
          promptTokens: 3_000,
          completionTokens: 300,
          unpricedCalls: 1,
        })
      }
    })

    test('a run is open until it is told to have ended, and exists as soon as a call names it', async () => {
      const store = await make()
      await store.append([modelCall({ run: 'r' })])
      expect((await store.run('r'))?.summary).toMatchObject({ isOpen: true, startedAt: day0, endedAt: day0 })
      expect(await store.run('never-named')).toBeUndefined()
    })

    test('one run shows its calls in the order in which they were made, and its sub-runs', async () => {
      const store = await make()
      const late = modelCall({ run: 'r', at: day0 + minute })
      const early = toolCall({ run: 'r', cost: usd('1') })
      await store.append([late, early, runRecord('child', 'start', { parent: 'r' }), modelCall({ run: 'child' })])
      const detail = await store.run('r')
      expect(detail?.calls).toEqual([early, late].map(({ event, charge }) => ({ call: event, charge })))
      expect(detail?.hasMore).toBe(false)
      expect(detail?.children.map(({ run }) => run)).toEqual(['child'])
    })

    test('runs come newest, oldest, costliest, longest or with most tokens first, page by page', async () => {
      const store = await make()
      for (const [index, [cost, tokens, minutes]] of [
        [3, 10, 5],
        [1, 30, 1],
        [2, 20, 9],
        [2, 10, 0],
      ].entries()) {
        const [run, at] = [`r${index}`, day0 + index * hour]
        await store.append([
          toolCall({ run, at, cost: usd(String(cost)) }),
          modelCall({ run, at, model: 'unheard-of', usage: { input: tokens ?? 0 } }),
          runRecord(run, 'end', { at: at + (minutes ?? 0) * minute }),
        ])
      }
      const paged = async (sort: RunFilter['sort']) => {
        const names: string[] = []
        let after: string | undefined
        do {
          const page = await store.runs(all({ sort }), { limit: 1, ...(after !== undefined && { after }) })
          names.push(...page.runs.map(({ run }) => run))
          after = page.next
        } while (after !== undefined)
        return names.join(' ')
      }
      expect(await paged('newest')).toBe('r3 r2 r1 r0')
      expect(await paged('oldest')).toBe('r0 r1 r2 r3')
      expect(await paged('costliest')).toBe('r0 r2 r3 r1')
      expect(await paged('longest')).toBe('r2 r0 r1 r3')
      expect(await paged('tokens')).toBe('r1 r2 r0 r3')
    })

    test('runs are found by their own attributes, and by those of their calls', async () => {
      const store = await make()
      await store.append([
        modelCall({ run: 'r1', agent: 'a' }),
        modelCall({ run: 'r2', agent: 'b', model: 'small' }),
        runRecord('r2', 'end', { stopReason: 'completed', status: 'ok' }),
        modelCall({ run: 'r3', agent: 'a', at: day0 + 3 * day }),
      ])
      const names = async (filter: Partial<RunFilter>) => (await store.runs(all(filter), { limit: 10 })).runs.map(({ run }) => run)
      expect(await names({ where: [{ by: 'agent', values: ['a'] }] })).toEqual(['r1'])
      expect(await names({ where: [{ by: 'model', values: ['small'] }] })).toEqual(['r2'])
      expect(await names({ where: [{ by: 'stopReason', values: [null] }] })).toEqual(['r1'])
      expect(
        await names({
          where: [
            { by: 'run', values: ['r1', 'r2'] },
            { by: 'runStatus', values: ['ok'] },
          ],
        }),
      ).toEqual(['r2'])
    })

    test('sessions come newest, oldest, costliest, longest or with most tokens first, with their times in the period', async () => {
      const store = await make()
      for (const [index, [cost, tokens, minutes]] of [
        [3, 10, 5],
        [1, 30, 1],
        [2, 20, 9],
        [2, 10, 0],
      ].entries()) {
        const [session, at] = [`s${index}`, day0 + index * hour]
        await store.append([
          toolCall({ session, at, cost: usd(String(cost)) }),
          modelCall({ session, at: at + (minutes ?? 0) * minute, model: 'unheard-of', usage: { input: tokens ?? 0 } }),
        ])
      }
      // It has no call, and so no cost to be listed with.
      await store.append([runRecord('r', 'start', { session: 'only-told-of' })])
      const listed = async (sort: RunFilter['sort'], given: Partial<RunFilter> = {}) =>
        (await store.sessions({ ...all(given), sort }, { limit: 10 })).sessions.map(({ session }) => session).join(' ')
      expect(await listed('newest')).toBe('s3 s2 s1 s0')
      expect(await listed('oldest')).toBe('s0 s1 s2 s3')
      expect(await listed('costliest')).toBe('s0 s2 s3 s1')
      expect(await listed('longest')).toBe('s2 s0 s1 s3')
      expect(await listed('tokens')).toBe('s1 s2 s0 s3')
      expect(await listed('oldest', { where: [{ by: 'session', values: ['s2', 's0'] }] })).toBe('s0 s2')
      const cut = { from: day0 + 2 * minute, to: day0 + 2 * hour + 3 * minute }
      expect((await store.sessions({ ...all(cut), sort: 'oldest' }, { limit: 10 })).sessions).toEqual([
        { session: 's0', startedAt: day0 + 5 * minute, endedAt: day0 + 5 * minute },
        { session: 's1', startedAt: day0 + hour, endedAt: day0 + hour + minute },
        { session: 's2', startedAt: day0 + 2 * hour, endedAt: day0 + 2 * hour },
      ])
      await expect(store.sessions(all(), { limit: 1, after: 'nonsense' })).rejects.toThrow(/is not where a page/)
    })
  })
}
