import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallEntry, Entry } from '../../core/event.ts'
import { picoUsd } from '../../core/money.ts'
import type { Breakdown, Filter, Measure, Question } from '../../core/question.ts'
import { memoryStore } from '../../ledger/memory/memory-store.ts'
import { askTogether } from './ask-together.ts'

const hour = 3_600_000
const begin = Date.parse('2026-10-01T00:00:00Z')

const agents = ['a', 'b', 'c', undefined] as const
const tasks = ['t', 'u'] as const
const models = ['one', 'two'] as const

const store = memoryStore()
const call = (index: number): CallEntry => {
  const [agent, task] = [agents[index % 4], tasks[(index >> 2) % 2]]
  return {
    event: {
      id: `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      at: begin + index * 97_000,
      source: 'sdk',
      kind: 'llm',
      provider: 'acme',
      model: models[(index >> 3) % 2] as string,
      usage: { input: 100 + index, output: index % 7 },
      quality: 'complete',
      status: index % 5 === 0 ? 'error' : 'ok',
      attempt: index % 3 === 0 ? 1 : 0,
      durationMs: index,
      run: `r-${index >> 4}-${index % 8}`,
      ...(agent !== undefined && { agent }),
      ...(task !== undefined && { task }),
    },
    charge: { basis: 'computed', total: picoUsd(BigInt(index) * 10n ** 9n), lines: [], book: 'test' } as unknown as CallEntry['charge'],
  }
}
await store.append(Array.from({ length: 400 }, (_, index): Entry => call(index)))

const recorded = () => {
  const asked: Question[] = []
  const rows = askTogether((question) => {
    asked.push(question)
    return store.ask(question)
  })
  return { asked, rows }
}
const question = (more: Partial<Question> = {}): Question => ({
  measures: ['cost', 'calls'],
  by: [],
  where: [],
  from: begin,
  to: begin + 9 * hour,
  zone: 'UTC',
  ...more,
})
const of = (by: Breakdown, value: string | null): Filter => ({ by, values: [value] })

describe('askTogether', () => {
  test('questions that differ in their measures are one', async () => {
    const { asked, rows } = recorded()
    await Promise.all([rows(question({ by: ['agent'] })), rows(question({ by: ['agent'], measures: ['errors', 'calls'] }))])
    expect(asked).toEqual([question({ by: ['agent'], measures: ['cost', 'calls', 'errors'] })])
  })

  test('questions that differ in the value of a filter are one, of those values alone', async () => {
    const { asked, rows } = recorded()
    const found = await Promise.all(['a', 'b', 'nobody'].map((agent) => rows(question({ where: [of('agent', agent)] }))))
    expect(asked).toEqual([question({ by: ['agent'], where: [{ by: 'agent', values: ['a', 'b', 'nobody'] }] })])
    // Of nobody too there is a row, as there would be alone.
    expect(found.map((each) => each.map(({ calls }) => calls))).toEqual([[84], [84], [0]])
  })

  test('one that asks for all values answers those that ask for one', async () => {
    const { asked, rows } = recorded()
    const [one, all] = await Promise.all([rows(question({ where: [of('agent', 'a')] })), rows(question({ by: ['agent'] }))])
    expect(asked).toEqual([question({ by: ['agent'] })])
    expect([one?.length, all?.length]).toEqual([1, 4])
  })

  test('what cannot be put together is not: another period, runs beside calls, the top ones', async () => {
    const { asked, rows } = recorded()
    const questions = [
      question({ by: ['agent'] }),
      question({ by: ['agent'], from: begin + 1 }),
      question({ by: ['agent'], measures: ['costPerRun'] }),
      question({ by: ['agent'], top: 1 }),
    ]
    await Promise.all(questions.map(rows))
    expect(asked).toEqual(questions)
  })

  test('more values than a filter can name are asked for in parts', async () => {
    const { asked, rows } = recorded()
    await Promise.all(Array.from({ length: 150 }, (_, index) => rows(question({ where: [of('agent', `agent-${index}`)] }))))
    expect(asked.map(({ where }) => where[0]?.values.length)).toEqual([100, 50])
  })

  test('where they cannot be answered together each is put by itself, and one that fails is no other’s failure', async () => {
    const rows = askTogether(async (asked) => {
      if (asked.where.some(({ values }) => values.length > 1 || values[0] === 'b')) throw new Error('Too many rows.')
      return store.ask(asked)
    })
    const [one, two] = await Promise.allSettled([
      rows(question({ where: [of('agent', 'a')] })),
      rows(question({ where: [of('agent', 'b')] })),
    ])
    expect(one).toEqual({ status: 'fulfilled', value: [expect.objectContaining({ agent: 'a', calls: 84 })] })
    expect(two).toMatchObject({ status: 'rejected' })
  })

  test('one is put after the other', async () => {
    let underWay = 0
    let most = 0
    const rows = askTogether(async (asked) => {
      underWay += 1
      most = Math.max(most, underWay)
      const answer = await store.ask(asked)
      underWay -= 1
      return answer
    })
    const first = rows(question({ by: ['agent'] }))
    await new Promise(setImmediate)
    await Promise.all([first, rows(question({ by: ['task'] })), rows(question({ by: ['model'] }))])
    expect(most).toBe(1)
  })

  test('whatever is put together, everyone is answered as if alone', async () => {
    const filter = fc.oneof(
      fc.constantFrom('a', 'b', 'nobody', null).map((value) => of('agent', value)),
      fc.constantFrom('t', 'u').map((value) => of('task', value)),
      fc.constantFrom('input', 'output').map((value) => of('unit', value)),
      fc.constant<Filter>({ by: 'model', values: ['one'], isNot: true }),
      fc.constant<Filter>({ by: 'model', values: ['one', 'two'] }),
    )
    const measure = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<Measure>('cost', 'calls', 'retries', 'tokens') },
      { weight: 1, arbitrary: fc.constantFrom<Measure>('runs', 'costPerRun', 'costP95', 'latencyP95') },
    )
    const base = fc.record(
      {
        by: fc.uniqueArray(fc.constantFrom<Breakdown>('agent', 'task', 'model', 'unit'), { maxLength: 2 }),
        interval: fc.constant('hour' as const),
        top: fc.constant(2),
        from: fc.constantFrom(begin, begin + 2 * hour),
      },
      { requiredKeys: ['by', 'from'] },
    )
    const variant = fc.record({
      measures: fc.uniqueArray(measure, { minLength: 1, maxLength: 3 }),
      where: fc.uniqueArray(filter, { maxLength: 2, selector: ({ by }) => by }),
    })
    let [asked, put] = [0, 0]
    await fc.assert(
      fc.asyncProperty(base, fc.array(variant, { minLength: 1, maxLength: 8 }), async (shared, variants) => {
        const questions = variants.map((each) => question({ ...shared, ...each, to: shared.from + 8 * hour }))
        const ledger = recorded()
        const together = await Promise.all(questions.map(ledger.rows))
        for (const [index, each] of questions.entries()) {
          const own = (await store.ask(each)).rows.map((row) => JSON.stringify(row, columnsOf(each))).toSorted()
          expect(together[index]?.map((row) => JSON.stringify(row, columnsOf(each))).toSorted()).toEqual(own)
        }
        asked += questions.length
        put += ledger.asked.length
      }),
      { numRuns: 150 },
    )
    expect(put).toBeLessThan(asked)
  })
})

const columnsOf = ({ measures, by }: Question): string[] => ['bucket', ...by, ...measures]
