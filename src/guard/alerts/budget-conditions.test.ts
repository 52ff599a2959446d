import { describe, expect, test } from 'vitest'
import type { Answer } from '../../core/answer.ts'
import type { BudgetStatus } from '../../core/budget.ts'
import type { Question } from '../../core/question.ts'
import { budgetFindings, burnFindings } from './budget-conditions.ts'
import type { Evidence } from './evidence.ts'
import { parseRule } from './rule.ts'

const hour = 3_600_000
const now = Date.parse('2026-11-22T12:00:00Z')

const status = (more: Partial<BudgetStatus> = {}): BudgetStatus => ({
  name: 'month',
  scope: 'all',
  unit: 'usd',
  window: { kind: 'calendar', interval: 'month', zone: 'UTC' },
  onExceed: 'block',
  limit: '1000.000000000000',
  spent: '400.000000000000',
  reserved: '0',
  remaining: '600.000000000000',
  share: 0.4,
  burnRatePerHour: '1.000000000000',
  resetsAt: '2026-12-01T00:00:00.000Z',
  thresholds: [
    { share: 0.5, isCrossed: false },
    { share: 1, isCrossed: false },
  ],
  status: 'ok',
  ...more,
})

/** What was spent in so many hours before now, shared out among the values of a scope. */
const evidenceOf = (
  budgets: readonly BudgetStatus[],
  spentIn: (hours: number) => number,
  values: Readonly<Record<string, number>> = {},
): Evidence & { readonly asked: Question[] } => {
  const asked: Question[] = []
  const ask = async (question: Question): Promise<Answer> => {
    asked.push(question)
    const cost = spentIn((question.to - 1 - question.from) / hour)
    const rows = Object.entries(values).map(([value, share]) => ({ [question.by[0] ?? '']: value, cost: String(cost * share) }))
    return { from: '', to: '', tz: 'UTC', rows, totals: { cost: String(cost) }, coverage: {} as Answer['coverage'] }
  }
  const rows = async (question: Question) => (await ask(question)).rows
  return {
    asked,
    now,
    zone: 'UTC',
    ask,
    rows,
    settledRows: rows,
    runCosts: async () => [],
    budgets: async () => budgets,
    hours: async () => new Map(),
    once: (_, make) => make(),
  }
}

const rule = parseRule({ name: 'burn', kind: 'burn', floorUsd: 5 }, '')
const burn = async (evidence: Evidence) => (rule.condition.kind === 'burn' ? burnFindings(rule, rule.condition, evidence) : [])

describe('burnFindings', () => {
  test('a budget that lasts at its pace does not burn, and the ledger is not asked for it', async () => {
    const evidence = evidenceOf([status({ spent: '15.000000000000' })], () => 1)
    expect(await burn(evidence)).toEqual([])
    expect(evidence.asked).toEqual([])
  })

  test('two hundredths of a month in an hour, and still at it: a runaway', async () => {
    const [finding, ...others] = await burn(evidenceOf([status({ burnRatePerHour: '25.000000000000' })], (hours) => 25 * hours))
    expect(others).toEqual([])
    expect(finding?.segment).toEqual({ budget: 'month' })
    expect(finding?.message).toContain('2.5 % of its $1,000.00 went in the last hour, and it goes on.')
  })

  test('one that has stopped is over', async () => {
    const spentIn = (hours: number) => (hours < 1 ? 0 : hours < 6 ? 25 : 30)
    expect(await burn(evidenceOf([status({ burnRatePerHour: '25.000000000000' })], spentIn))).toEqual([])
  })

  test('a slower one is seen over six hours', async () => {
    const [finding] = await burn(evidenceOf([status({ burnRatePerHour: '10.000000000000' })], (hours) => 10 * hours))
    expect(finding?.message).toContain('6.0 % of its $1,000.00 went in the last 6 hours')
  })

  test('a busy hour of a daily budget is no runaway', async () => {
    const daily = {
      window: { kind: 'calendar', interval: 'day', zone: 'UTC' },
      limit: '100.000000000000',
      spent: '60.000000000000',
    } as const
    const at = (perHour: number) => evidenceOf([status({ ...daily, burnRatePerHour: String(perHour) })], (hours) => perHour * hours)
    expect(await burn(at(10))).toEqual([])
    expect((await burn(at(20)))[0]?.message).toContain('20 % of its $100.00 went in the last hour')
  })

  test('cents never page, tokens are no money, and a warning that is spent has been told', async () => {
    const small = status({ limit: '5.000000000000', spent: '4.000000000000', burnRatePerHour: '3.000000000000' })
    const tokens = status({ unit: 'tokens', limit: '1000', spent: '900', burnRatePerHour: '900' })
    const over = status({ onExceed: 'warn', status: 'exceeded', spent: '1200.000000000000', burnRatePerHour: '100.000000000000' })
    expect(await burn(evidenceOf([small, tokens, over], (hours) => 100 * hours))).toEqual([])
  })

  test('allowances of one scope share their questions, and a model counts its snapshots', async () => {
    const each = (value: string) => status({ name: 'models', scope: 'model', value, burnRatePerHour: '25.000000000000' })
    const values = { 'gpt-4.1': 0.5, 'gpt-4.1-2025-04-14': 0.5, 'gpt-4.1-mini': 0 }
    const evidence = evidenceOf([each('gpt-4.1'), each('gpt-4.1-mini')], (hours) => 25 * hours, values)
    expect((await burn(evidence)).map(({ segment }) => segment)).toEqual([{ budget: 'models', model: 'gpt-4.1' }])
    expect(evidence.asked.every(({ where }) => where.length === 0)).toBe(true)
  })
})

describe('budgetFindings', () => {
  test('every threshold that is passed, each in the window of the budget', async () => {
    const thresholds = [0.5, 0.8, 1].map((share) => ({ share, isCrossed: share < 1 }))
    const findings = await budgetFindings(evidenceOf([status({ spent: '810.500000000000', thresholds })], () => 0))
    expect(findings.map(({ segment, window }) => [segment.share, window])).toEqual([
      ['50 %', '2026-12-01T00:00:00.000Z'],
      ['80 %', '2026-12-01T00:00:00.000Z'],
    ])
    expect(findings[1]?.message).toBe('Budget “month” has passed 80 %: $810.50 of $1,000.00 until 2026-12-01T00:00Z.')
  })

  test('the limit itself, of one value, in tokens; a window that rolls has no end of its own', async () => {
    const tokens = {
      scope: 'agent',
      value: 'a',
      unit: 'tokens',
      limit: '1000',
      spent: '1200',
      window: { kind: 'rolling', span: '24h' },
    } as const
    const [finding] = await budgetFindings(evidenceOf([status({ ...tokens, thresholds: [{ share: 1, isCrossed: true }] })], () => 0))
    expect(finding?.message).toContain('Budget “month” of a is spent: 1200 tokens of 1000 tokens')
    expect(finding?.window).toBeUndefined()
  })
})
