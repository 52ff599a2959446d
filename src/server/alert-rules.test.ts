import { describe, expect, test } from 'vitest'
import { testServer } from '../../test/server/test-server.ts'
import { defaultRules } from '../guard/alerts/default-rules.ts'
import type { Preview } from '../guard/alerts/preview.ts'
import { parseRule, type Rule } from '../guard/alerts/rule.ts'
import { createAlertRules } from './alert-rules.ts'
import type { AlertRulesAnswer } from './api.ts'

const previewOf = (rule: Rule): Preview => ({
  rule: rule.name,
  from: 0,
  to: 3_600_000,
  isComplete: true,
  stepMs: 60_000,
  fired: [{ at: 60_000, resolvedAt: 120_000, segment: { task: 't' }, message: 'It was too much.', cause: 'traffic' }],
})

const turn = () => new Promise(setImmediate)

/** Previews that end when the test says so. */
const playground = (rules: readonly Rule[]) => {
  const state = { now: 0, rules, tried: [] as string[], failed: [] as string[] }
  const waiting: { readonly rule: Rule; end(preview?: Preview): void }[] = []
  const made = createAlertRules({
    rules: () => state.rules,
    preview: (rule, onProgress, signal) => {
      state.tried.push(rule.name)
      onProgress(0.5)
      return new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        waiting.push({ rule, end: (preview) => (preview === undefined ? reject(new Error('No answer.')) : resolve(preview)) })
      })
    },
    now: () => state.now,
    onError: (_, rule) => void state.failed.push(rule),
  })
  const end = async (isWell = true): Promise<void> => {
    await expect.poll(() => waiting.length).toBe(1)
    const [first] = waiting.splice(0)
    first?.end(isWell ? previewOf(first.rule) : undefined)
    await turn()
  }
  return { state, made, end, progress: () => made.answer().rules.map(({ progress }) => progress) }
}

const rule = (name: string, more: Record<string, unknown> = {}) => parseRule({ name, kind: 'threshold', above: 1, ...more }, '')

describe('createAlertRules', () => {
  test('previews are worked out one after the other, once somebody asks, and kept for hours', async () => {
    const { state, end, progress } = playground([rule('a'), rule('b')])
    expect(state.tried).toEqual([])
    expect(progress()).toEqual([0.5, 0])
    expect(state.tried).toEqual(['a'])
    await end()
    expect(progress()).toEqual([1, 0.5])
    await end()
    expect(progress()).toEqual([1, 1])
    state.now += 5 * 3_600_000
    progress()
    await turn()
    expect(state.tried).toEqual(['a', 'b'])
    state.now += 2 * 3_600_000
    progress()
    expect(state.tried).toEqual(['a', 'b', 'a'])
  })

  test('a rule that changes is tried anew, and what was known of the old one is not shown as its own', async () => {
    const { state, made, end } = playground([rule('a')])
    made.answer()
    await end()
    state.rules = [rule('a', { above: 2 })]
    expect(made.answer().rules[0]).toMatchObject({ condition: { above: 2 }, progress: 0.5 })
    expect(made.answer().rules[0]?.preview).toBeUndefined()
    await end()
    expect(made.answer().rules[0]).toMatchObject({ progress: 1, preview: { isComplete: true } })
  })

  test('one that fails is told and does not hold up the others', async () => {
    const { state, made, end } = playground([rule('a'), rule('b')])
    made.answer()
    await end(false)
    await end()
    expect(state.failed).toEqual(['a'])
    expect(made.answer().rules.map(({ preview }) => preview !== undefined)).toEqual([false, true])
  })

  test('closing ends the one that is under way', async () => {
    const { state, made } = playground([rule('a'), rule('b')])
    made.answer()
    await made.close()
    expect([state.tried, state.failed]).toEqual([['a'], []])
  })
})

test('GET /v1/alerts/rules shows every default rule as the API says', async () => {
  const { made, state } = playground(defaultRules(5))
  const { get } = await testServer({ alertRules: made.answer })
  const { body } = await get<AlertRulesAnswer>('/v1/alerts/rules')
  expect(body.rules.map(({ name }) => name)).toEqual(state.rules.map(({ name }) => name))
  expect(body.rules.find(({ name }) => name === 'agent-hour')).toMatchObject({
    kind: 'threshold',
    by: ['agent'],
    condition: { measure: 'cost', windowMs: 3_600_000 },
  })
  await made.close()
})
