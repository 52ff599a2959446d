import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { dailyBudget, formatAmount, sayAmount, windowName } from './budget.ts'
import { budgetFields, budgetsMax, parseBudget, parseBudgets, plainScopes } from './budget-form.ts'

const form = (more: Readonly<Record<string, unknown>> = {}) => ({ name: 'support', limit: '$5', per: 'day', ...more })
const budget = (more: Readonly<Record<string, unknown>> = {}) => parseBudget(form(more), 'budgets[0]')

describe('a budget in configuration', () => {
  test('needs a name, a limit and a window, and holds firmly', () => {
    expect(budget()).toEqual({
      name: 'support',
      scope: 'all',
      window: { kind: 'calendar', interval: 'day', zone: 'UTC' },
      limit: { unit: 'usd', amount: 5_000_000_000_000n },
      onExceed: 'block',
      thresholds: [0.5, 0.8, 1],
      unpriced: { policy: 'block' },
    })
  })

  test('that only warns lets models without a price pass', () => {
    expect(budget({ onExceed: 'warn' })).toMatchObject({ onExceed: 'warn', unpriced: { policy: 'allow' } })
  })

  test.each([
    ['$5', { unit: 'usd', amount: 5_000_000_000_000n }],
    ['$0.000000000001', { unit: 'usd', amount: 1n }],
    ['2.50 USD', { unit: 'usd', amount: 2_500_000_000_000n }],
    ['$1,000,000', { unit: 'usd', amount: 1_000_000_000_000_000_000n }],
    ['$1_000', { unit: 'usd', amount: 1_000_000_000_000_000n }],
    ['200000 tokens', { unit: 'tokens', amount: 200_000 }],
    ['200,000 tokens', { unit: 'tokens', amount: 200_000 }],
    ['200k tokens', { unit: 'tokens', amount: 200_000 }],
    ['1.5M tokens', { unit: 'tokens', amount: 1_500_000 }],
    ['1 token', { unit: 'tokens', amount: 1 }],
  ])('the limit %s', (limit, expected) => {
    expect(budget({ limit }).limit).toEqual(expected)
  })

  test.each([
    ['all', 'all', undefined],
    ['agent', 'agent', undefined],
    ['agent:support-bot', 'agent', 'support-bot'],
    ['model:ns:large', 'model', 'ns:large'],
    ['tag.plan:pro', 'tag.plan', 'pro'],
    ['key', 'key', undefined],
  ])('the scope %s', (scope, expected, value) => {
    expect([budget({ scope }).scope, budget({ scope }).value]).toEqual([expected, value])
  })

  test.each([
    ['hour', { kind: 'calendar', interval: 'hour', zone: 'Asia/Kathmandu' }],
    ['month', { kind: 'calendar', interval: 'month', zone: 'Asia/Kathmandu' }],
  ])('the window %s in a zone', (per, expected) => {
    expect(budget({ per, zone: 'Asia/Kathmandu' }).window).toEqual(expected)
  })

  test.each([
    ['1h', { kind: 'rolling', span: '1h' }],
    ['30d', { kind: 'rolling', span: '30d' }],
    ['total', { kind: 'total' }],
  ])('the window %s', (per, expected) => {
    expect(budget({ per }).window).toEqual(expected)
  })

  test('a budget of runs lasts as long as its run, said or not', () => {
    expect(parseBudget({ name: 'r', scope: 'run', limit: '$1' }, 'b').window).toEqual({ kind: 'total' })
    expect(budget({ scope: 'run', per: 'run' }).window).toEqual({ kind: 'total' })
  })

  test('a window without a zone has the one of the configuration', () => {
    expect(parseBudget(form(), 'b', 'Europe/Berlin').window).toMatchObject({ zone: 'Europe/Berlin' })
  })

  test('thresholds are shares or percents, sorted, each once', () => {
    expect(budget({ thresholds: ['100%', 0.8, '50%', '80%', '150 %'] }).thresholds).toEqual([0.5, 0.8, 1, 1.5])
  })

  test('a rate can be assumed for models without a price', () => {
    const expected = { policy: 'assume', perMillionTokens: 10_000_000_000_000n }
    expect([budget({ unpriced: 'assume $10' }).unpriced, budget({ unpriced: 'assume $10 per million tokens' }).unpriced]).toEqual([
      expected,
      expected,
    ])
  })

  test.each([
    ['nothing', undefined, 'budgets[0]: should be an object such as {name: support, limit: $5, per: day}, got nothing.'],
    ['a list', [], 'got [].'],
    ['no name', form({ name: undefined }), 'budgets[0].name: should be a text of 1 to 100 characters, got nothing.'],
    ['an endless name', form({ name: 'x'.repeat(101) }), 'budgets[0].name: should be a text'],
    ['a setting that there is not', form({ limits: '$5' }), 'budgets[0].limits: is not a setting of a budget; there are name, scope,'],
    ['a bare number', form({ limit: 5 }), 'budgets[0].limit: should be dollars or tokens such as "$5", "2.50 USD", "200000 tokens"'],
    ['another currency', form({ limit: '5 EUR' }), 'got "5 EUR"'],
    ['nothing to spend', form({ limit: '$0' }), 'above zero; got "$0"'],
    ['a negative limit', form({ limit: '$-5' }), 'above zero'],
    ['a limit beyond all money', form({ limit: '$9999999999' }), 'above zero'],
    ['half a token', form({ limit: '1.5 tokens' }), 'should be a whole number of tokens'],
    ['no tokens', form({ limit: '0 tokens' }), 'should be a whole number of tokens'],
    ['a scope that there is not', form({ scope: 'planet' }), 'budgets[0].scope: should be "all", or agent, task,'],
    ['a value for all', form({ scope: 'all:x' }), '"all" has no value'],
    ['a scope with an empty value', form({ scope: 'agent:' }), 'names no value after "agent:"'],
    ['no window', form({ per: undefined }), 'budgets[0].per: should be one of hour, day, week, month, 1h, 24h, 7d, 30d, total, run'],
    ['a window that there is not', form({ per: 'fortnight' }), 'got "fortnight"'],
    ['a run without runs', form({ per: 'run' }), 'budgets[0].per: "run" goes with scope "run"'],
    ['a day of a run', form({ scope: 'run', per: 'day' }), '"run" goes with scope "run"'],
    ['a zone that there is not', form({ zone: 'Europe/Atlantis' }), 'budgets[0].zone: "Europe/Atlantis" is not a time zone'],
    ['a zone where none is used', form({ per: '24h', zone: 'UTC' }), 'budgets[0].zone: only a window by the calendar'],
    ['another answer to excess', form({ onExceed: 'shout' }), 'budgets[0].onExceed: should be block or warn, got "shout"'],
    [
      'a share as a percentage',
      form({ thresholds: [50] }),
      'budgets[0].thresholds[0]: should be a share of the limit such as 0.8 or "80%"',
    ],
    ['too many thresholds', form({ thresholds: Array(11).fill(0.5) }), 'at most 10 shares'],
    ['a price without dollars', form({ unpriced: 'assume 10' }), 'budgets[0].unpriced: should be block, allow, or a rate'],
  ])('%s is refused with its place', (_name, value, complaint) => {
    expect(() => parseBudget(value, 'budgets[0]')).toThrow(complaint)
    expect(() => parseBudget(value, 'budgets[0]')).toThrow(/^BAD_BUDGET: budgets\[0\]/)
  })
})

describe('the list of budgets', () => {
  test('has names that are one of a kind', () => {
    expect(() => parseBudgets([form(), form({ limit: '$6' })])).toThrow('budgets[1].name: "support" is the name of budgets[0] too')
  })

  test('has a limit', () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => form({ name: `b${index}` }))
    expect(parseBudgets(many(budgetsMax))).toHaveLength(budgetsMax)
    expect(() => parseBudgets(many(budgetsMax + 1))).toThrow('at most 1000 budgets, got 1001')
    expect(() => parseBudgets({})).toThrow('should be a list')
  })
})

test('the budget that is on by default warns at five dollars a day and blocks nothing', () => {
  expect(dailyBudget('Europe/Berlin')).toMatchObject({
    scope: 'all',
    limit: { unit: 'usd', amount: 5_000_000_000_000n },
    window: { kind: 'calendar', interval: 'day', zone: 'Europe/Berlin' },
    onExceed: 'warn',
    thresholds: [1],
  })
})

test.each([
  [5_000_000_000_000n, '$5.00'],
  [5_012_345_678_901n, '$5.02'],
  [120_000_000_000n, '$0.12'],
  [300_000_000n, '$0.0003'],
  [123_456n, '$0.00000013'],
  [1n, '$0.000000000001'],
  [0n, '$0.00'],
])('%d pico-dollars are said as %s', (amount, said) => {
  expect(sayAmount('usd', amount)).toBe(said)
})

test('amounts and windows have one outside form', () => {
  expect([formatAmount('usd', 1n), formatAmount('tokens', 12n), sayAmount('tokens', 1n), sayAmount('tokens', 2n)]).toEqual([
    '0.000000000001',
    '12',
    '1 token',
    '2 tokens',
  ])
  expect([windowName({ kind: 'total' }), windowName({ kind: 'rolling', span: '7d' }), windowName(budget().window)]).toEqual([
    'total',
    '7d',
    'day UTC',
  ])
})

describe('docs/reference/budgets.md', () => {
  const page = readFileSync(new URL('../../docs/reference/budgets.md', import.meta.url), 'utf8')

  test('has a row for every setting, and none that there is not', () => {
    const table = /\| setting \|[\s\S]*?\n\n/.exec(page)?.[0] ?? ''
    expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)).toEqual([...budgetFields])
  })

  test('names every scope', () => {
    const row = /^\| `scope` \|.*$/m.exec(page)?.[0] ?? ''
    expect(plainScopes.filter((scope) => !row.includes(`\`${scope}\``))).toEqual([])
  })
})
