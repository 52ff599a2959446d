import { describe, expect, test } from 'vitest'
import { looksLikeId, type SelfCheckFacts, selfCheckIds, selfCheckOf } from './self-check.ts'

const complete: SelfCheckFacts = {
  since: '2026-11-15',
  calls: 1_000,
  callsWithoutRun: 0,
  callsWithoutAgentOrTask: 0,
  callsWithoutRelease: 0,
  hasDurations: true,
  toolCalls: 200,
  toolCallsUnpriced: 0,
  unpricedTools: [],
  unpricedModels: [],
  budgets: 1,
  hasTailRule: true,
  hasBurnRule: true,
  attributes: [{ name: 'agent', values: 5, idLike: 0 }],
}

const missing = (facts: Partial<SelfCheckFacts>): readonly string[] =>
  selfCheckOf({ ...complete, ...facts })
    .points.filter(({ isDone }) => !isDone)
    .map(({ id }) => id)

describe('selfCheckOf', () => {
  test('a project that has everything has nine of nine, and nothing to add', () => {
    const check = selfCheckOf(complete)
    expect([check.done, check.of]).toEqual([9, 9])
    expect(check.points.map(({ id }) => id)).toEqual([...selfCheckIds])
    expect(check.points.every(({ add }) => add === undefined)).toBe(true)
  })

  test.each<[string, Partial<SelfCheckFacts>, string]>([
    ['calls without a run', { callsWithoutRun: 60 }, 'runs'],
    ['calls without an agent or a task', { callsWithoutAgentOrTask: 60 }, 'events'],
    ['calls that nobody timed', { hasDurations: false }, 'events'],
    ['tools without a cost', { toolCallsUnpriced: 20 }, 'tools'],
    ['no tool at all', { toolCalls: 0 }, 'tools'],
    ['calls without a release', { callsWithoutRelease: 60 }, 'releases'],
    ['a model without a price', { unpricedModels: ['acme/acme-1'] }, 'models'],
    ['no budget but the default', { budgets: 0 }, 'budgets'],
    ['no rule on the dearest runs', { hasTailRule: false }, 'tail'],
    ['no rule on the burn rate', { hasBurnRule: false }, 'burn'],
    ['a label with too many values', { attributes: [{ name: 'release', values: 201, idLike: 0 }] }, 'labels'],
    ['ids in the place of names', { attributes: [{ name: 'task', values: 40, idLike: 30 }] }, 'labels'],
  ])('%s: one point is missing, with what to add', (_, facts, id) => {
    expect(missing(facts)).toEqual([id])
    const point = selfCheckOf({ ...complete, ...facts }).points.find((each) => each.id === id)
    expect(point?.add).toBeTruthy()
  })

  test('a few stray calls are no gap', () => {
    expect(missing({ callsWithoutRun: 50, callsWithoutRelease: 50, callsWithoutAgentOrTask: 50, toolCallsUnpriced: 10 })).toEqual([])
  })

  test('an empty ledger has nothing done that only calls can show', () => {
    const empty = { calls: 0, toolCalls: 0, hasDurations: false, attributes: [] }
    expect(missing(empty)).toEqual(['runs', 'events', 'tools', 'releases', 'models'])
    expect(selfCheckOf({ ...complete, ...empty }).points[0]?.says).toBe('No call was recorded in the last seven days.')
  })

  test('what is missing names the model and the attribute that it is about', () => {
    const { points } = selfCheckOf({
      ...complete,
      unpricedModels: ['acme/acme-1'],
      attributes: [{ name: 'release', values: 300, idLike: 0 }],
    })
    expect(points.find(({ id }) => id === 'models')).toMatchObject({ says: 'Calls of acme/acme-1 have none, and are in no total.' })
    expect(points.find(({ id }) => id === 'labels')?.says).toBe('release has more than 200 values.')
  })
})

test.each([
  ['019ab000-0000-7000-8000-000000000001', true],
  ['task-019ab000-0000-7000-8000-000000000001', true],
  ['66f1c0de66f1c0de66f1c0de', true],
  ['order-1234567890', true],
  ['support-bot', false],
  ['2026-11-22', false],
  ['20261122', false],
  ['gpt-4.1-2025-04-14', false],
  ['v2.14.0', false],
  ['9f8e7d6', false],
])('%s looks like an id: %s', (value, expected) => expect(looksLikeId(value)).toBe(expected))
