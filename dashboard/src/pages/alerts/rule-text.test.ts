import { describe, expect, it } from 'vitest'
import { defaultRules } from '../../../../src/guard/alerts/default-rules.ts'
import { ruleText } from './rule-text.ts'

const text = (kind: string, condition: Readonly<Record<string, unknown>>, by: readonly string[] = []): string =>
  ruleText({ kind, condition, by })

describe('ruleText', () => {
  it.each([
    ['threshold', { measure: 'cost', windowMs: 3_600_000, above: 2.5 }, 'Cost of an hour is above $2.50'],
    ['threshold', { measure: 'cacheHitRate', windowMs: 86_400_000, below: 0.3 }, 'Cache hits of a day is below 30.0%'],
    ['threshold', { measure: 'errors', windowMs: 3_600_000, above: 0.05, isShare: true }, 'Errors of an hour is above 5% of the calls'],
    ['change', { measure: 'costP95', windowMs: 604_800_000, direction: 'rise', share: 0.75 }, 'p95 run of 7 days rose by more than 75%'],
    ['request', { tokensAbove: 8_000, timesUsual: 0 }, 'One call has more than 8,000 tokens'],
    ['repeat', { times: 5, within: 'agent', windowMs: 3_600_000 }, 'The same prompt is sent 5 times by an agent within an hour'],
    ['of-tomorrow', {}, 'of-tomorrow'],
  ])('%s %j: %s', (kind, condition, sentence) => {
    expect(text(kind, condition)).toBe(sentence)
  })

  it('says for what each alert is raised', () => {
    expect(text('unpriced', { windowMs: 3_600_000 }, ['agent', 'model'])).toBe('Calls have no price, for each agent and model')
  })

  it('has words for every rule that is on by default', () => {
    for (const { condition, by } of defaultRules(5)) {
      const { kind, ...rest } = condition
      expect(text(kind, rest, by)).not.toMatch(new RegExp(`^${kind}\\b|undefined|NaN|–`))
    }
  })
})
