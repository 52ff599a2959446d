import { describe, expect, test } from 'vitest'
import { picoUsd } from '../../core/money.ts'
import type { MakeStore } from './make-store.ts'
import { day, day0, hour, minute, modelCall, question, runRecord, toolCall, usd } from './samples.ts'

export const describeAsk = (make: MakeStore): void => {
  describe('ask', () => {
    test('an empty ledger answers with zeros, and with "not defined" where there is nothing to divide by', async () => {
      const answer = await (await make()).ask(question({ measures: ['cost', 'runs', 'costPerRun', 'costP95', 'latencyP50'] }))
      expect(answer.totals).toEqual({ cost: '0.000000000000', runs: 0, costPerRun: null, costP95: null, latencyP50: null })
      expect(answer.rows).toEqual([answer.totals])
    })

    test('the parts of a breakdown sum to the total and name what has no value', async () => {
      const store = await make()
      await store.append([
        modelCall({ agent: 'a' }),
        modelCall({ agent: 'b', model: 'small' }),
        modelCall({ agent: 'b' }),
        toolCall({ cost: usd('0.5') }),
      ])
      const answer = await store.ask(question({ measures: ['cost', 'llmCalls', 'toolCost'], by: ['agent'] }))
      expect(answer.rows).toEqual([
        { agent: null, cost: '0.500000000000', llmCalls: 0, toolCost: '0.500000000000' },
        { agent: 'b', cost: '0.003010000000', llmCalls: 2, toolCost: '0.000000000000' },
        { agent: 'a', cost: '0.002800000000', llmCalls: 1, toolCost: '0.000000000000' },
      ])
      expect(answer.totals).toEqual({ cost: '0.505810000000', llmCalls: 3, toolCost: '0.500000000000' })
      expect(answer.coverage.computed).toEqual({ calls: 4, cost: '0.505810000000' })
    })

    test('what is unpriced is no zero, and every row says which of its calls leave its cost in doubt', async () => {
      const store = await make()
      await store.append([
        modelCall({ agent: 'a' }),
        modelCall({ agent: 'a', quality: 'missing' }),
        modelCall({ agent: 'b', quality: 'missing' }),
        toolCall({ agent: 'c', cost: usd('0') }),
        modelCall({ agent: 'd', quality: 'missing' }),
      ])
      const answer = await store.ask(question({ measures: ['cost', 'llmCost', 'burnRatePerHour'], by: ['agent'], top: 3 }))
      expect(answer.rows).toEqual([
        { agent: 'a', cost: '0.002800000000', llmCost: '0.002800000000', burnRatePerHour: '0.000038888889', unpricedCalls: 1 },
        { agent: 'c', cost: '0.000000000000', llmCost: '0.000000000000', burnRatePerHour: '0.000000000000' },
        { agent: 'b', cost: null, llmCost: null, burnRatePerHour: null, unpricedCalls: 1 },
        { agent: 'other', cost: null, llmCost: null, burnRatePerHour: null, unpricedCalls: 1, folded: 1 },
      ])
      expect(answer.totals).toEqual({ cost: '0.002800000000', llmCost: '0.002800000000', burnRatePerHour: '0.000038888889' })
      const wide = await store.ask(question({ measures: ['cost'], by: ['agent', 'model', 'release'] }))
      expect(wide.rows).toMatchObject([{ unpricedCalls: 1 }, { cost: '0.000000000000' }, { cost: null }, { cost: null }])
      const counted = await store.ask(question({ measures: ['calls'], by: ['agent'] }))
      expect(counted.rows).toContainEqual({ agent: 'b', calls: 1 })
      const unpriced = await store.ask(question({ measures: ['cost'], where: [{ by: 'agent', values: ['b'] }] }))
      expect(unpriced).toMatchObject({ totals: { cost: null }, coverage: { unpriced: { calls: 1 } } })
    })

    test('what retries cost is inside what model calls cost', async () => {
      const store = await make()
      await store.append([
        modelCall({ agent: 'a' }),
        modelCall({ agent: 'a', attempt: 1 }),
        toolCall({ agent: 'a', attempt: 1, cost: usd('0.5') }),
      ])
      const answer = await store.ask(question({ measures: ['llmCost', 'retryCost', 'retries'], by: ['agent'] }))
      expect(answer.totals).toEqual({ llmCost: '0.005600000000', retryCost: '0.002800000000', retries: 2 })
      expect(answer.rows).toEqual([{ agent: 'a', ...answer.totals }])
    })

    test('what is past the top is folded into one row', async () => {
      const store = await make()
      await store.append(['a', 'b', 'b', 'c', 'c', 'c', 'd'].map((agent) => modelCall({ agent })))
      const answer = await store.ask(question({ measures: ['calls'], by: ['agent'], top: 2 }))
      expect(answer.rows).toEqual([
        { agent: 'c', calls: 3 },
        { agent: 'b', calls: 2 },
        { agent: 'other', calls: 2, folded: 2 },
      ])
    })

    test('days are those of the zone, also when the clocks change', async () => {
      const store = await make()
      const clocksBack = Date.UTC(2026, 9, 25)
      await store.append(
        [-3 * hour, -90 * minute, 22 * hour, 22.75 * hour, 23 * hour].map((after) => modelCall({ at: clocksBack + after })),
      )
      const answer = await store.ask(
        question({ measures: ['calls'], interval: 'day', from: clocksBack - day, to: clocksBack + 2 * day, zone: 'Europe/Berlin' }),
      )
      expect(answer.rows).toEqual([
        { bucket: '2026-10-23T22:00:00.000Z', calls: 1 },
        { bucket: '2026-10-24T22:00:00.000Z', calls: 3 },
        { bucket: '2026-10-25T23:00:00.000Z', calls: 1 },
        { bucket: '2026-10-26T23:00:00.000Z', calls: 0 },
      ])
    })

    test('the period begins with "from" and ends before "to", to the millisecond', async () => {
      const store = await make()
      const at = day0 + 7 * minute + 123
      await store.append([at - 1, at, at + 1, at + hour - 1, at + hour].map((when) => modelCall({ at: when })))
      expect((await store.ask(question({ measures: ['calls'], from: at, to: at + hour }))).totals.calls).toBe(3)
      expect((await store.ask(question({ measures: ['calls'], from: at, to: at + 1 }))).totals.calls).toBe(1)
    })

    test('a filter takes values, "none", and "all but"', async () => {
      const store = await make()
      await store.append([modelCall({ team: 'a' }), modelCall({ team: 'b' }), modelCall(), modelCall({ team: 'a', tags: { plan: 'pro' } })])
      const count = async (where: Parameters<typeof question>[0]) =>
        (await store.ask(question({ measures: ['calls'], ...where }))).totals.calls
      expect(await count({ where: [{ by: 'team', values: ['a'] }] })).toBe(2)
      expect(await count({ where: [{ by: 'team', values: ['a', null] }] })).toBe(3)
      expect(await count({ where: [{ by: 'team', values: ['a'], isNot: true }] })).toBe(2)
      expect(await count({ where: [{ by: 'team', values: [null], isNot: true }] })).toBe(3)
      expect(await count({ where: [{ by: 'tag.plan', values: ['pro'] }] })).toBe(1)
      expect(await count({ where: [{ by: 'team', values: ["a' OR 1=1 --"] }] })).toBe(0)
    })

    test('by unit, money is that of the price lines, and what cannot be split has no unit', async () => {
      const store = await make()
      await store.append([
        modelCall({ usage: { input: 1_000, cache_read: 100, output: 10 } }),
        modelCall({ reportedCost: usd('0.25') }),
        toolCall({ cost: usd('0.5') }),
      ])
      const answer = await store.ask(question({ measures: ['cost', 'calls', 'tokens'], by: ['unit'] }))
      expect(answer.rows).toEqual([
        { unit: null, cost: '0.750000000000', calls: 2, tokens: 0 },
        { unit: 'input', cost: '0.002000000000', calls: 2, tokens: 2_000 },
        { unit: 'output', cost: '0.000080000000', calls: 2, tokens: 110 },
        { unit: 'cache_read', cost: '0.000050000000', calls: 1, tokens: 100 },
      ])
      expect(answer.totals).toEqual({ cost: '0.752130000000', calls: 3, tokens: 2_210 })
    })

    test('a run counts once, where it started, with all that it cost', async () => {
      const store = await make()
      await store.append([
        runRecord('r1', 'start', { agent: 'boss', at: day0 + 10 * minute }),
        modelCall({ run: 'r1', agent: 'worker', at: day0 + 20 * minute }),
        modelCall({ run: 'r1', agent: 'worker', model: 'small', at: day0 + 90 * minute }),
        runRecord('r2', 'start', { agent: 'boss', at: day0 + 30 * minute }),
        runRecord('r1', 'end', { at: day0 + 91 * minute, status: 'ok', stopReason: 'completed' }),
      ])
      const inFirstHour = { from: day0, to: day0 + hour }
      const answer = await store.ask(question({ measures: ['cost', 'runs', 'costPerRun'], by: ['agent'], ...inFirstHour }))
      expect(answer.rows).toEqual([
        { agent: 'worker', cost: '0.002800000000', runs: 0, costPerRun: null },
        { agent: 'boss', cost: '0.000000000000', runs: 2, costPerRun: '0.001505000000' },
      ])
      const byModel = await store.ask(question({ measures: ['runs', 'costPerRun'], by: ['model'], ...inFirstHour }))
      expect(byModel.rows).toEqual([
        { model: 'large', runs: 1, costPerRun: '0.002800000000' },
        { model: 'small', runs: 1, costPerRun: '0.000210000000' },
      ])
      expect(byModel.totals).toEqual({ runs: 1, costPerRun: '0.003010000000' })
      const byReason = await store.ask(question({ measures: ['runs', 'calls'], by: ['stopReason', 'runStatus'], ...inFirstHour }))
      expect(byReason.rows).toEqual([
        { stopReason: 'completed', runStatus: 'ok', runs: 1, calls: 1 },
        { stopReason: null, runStatus: null, runs: 1, calls: 0 },
      ])
    })

    test('percentiles of run cost are of the runs, by nearest rank', async () => {
      const store = await make()
      await store.append(Array.from({ length: 20 }, (_, index) => toolCall({ run: `r${index}`, cost: picoUsd(BigInt(index + 1)) })))
      expect((await store.ask(question({ measures: ['costP50', 'costP95', 'costP99'] }))).totals).toEqual({
        costP50: '0.000000000010',
        costP95: '0.000000000019',
        costP99: '0.000000000020',
      })
    })

    test('sums are exact past 64 bits', async () => {
      const store = await make()
      const dear = usd('9000000.000000000001')
      await store.append(Array.from({ length: 12 }, () => toolCall({ run: 'r', cost: dear })))
      await store.append([toolCall({ run: 'r', cost: usd('123456789012.000000000001') })])
      const total = '123564789012.000000000013'
      const answer = await store.ask(question({ measures: ['cost', 'costPerRun', 'costP50'], by: ['tool'] }))
      expect(answer.rows).toEqual([{ tool: 'web-search', cost: total, costPerRun: total, costP50: total }])
      expect((await store.run('r'))?.summary.toolCost).toBe(usd(total))
    })

    test('latency percentiles are within 0.4 % of the truth', async () => {
      const store = await make()
      await store.append(Array.from({ length: 100 }, (_, index) => modelCall({ durationMs: (index + 1) * 137 })))
      const { latencyP50, latencyP95 } = (await store.ask(question({ measures: ['latencyP50', 'latencyP95'] }))).totals
      expect(Math.abs(Number(latencyP50) / (50 * 137) - 1)).toBeLessThan(0.004)
      expect(Math.abs(Number(latencyP95) / (95 * 137) - 1)).toBeLessThan(0.004)
    })
  })
}
