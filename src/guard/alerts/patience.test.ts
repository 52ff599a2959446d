import { expect, test } from 'vitest'
import { answerOf, emptySums } from '../../core/answer.ts'
import type { Question } from '../../core/question.ts'
import { memoryAlerts } from '../../ledger/alert-store.ts'
import { createAlerts } from './alerts.ts'
import { parseRule, type Rule } from './rule.ts'

const now = Date.parse('2026-11-22T12:30:00Z')
const hour = 3_600_000

/** Spend of one task: a dollar an hour, and fifty in the present one. */
const spent = ({ from, to, interval, by, measures }: Question) => {
  const rows = []
  const present = Math.floor(now / hour) * hour
  for (let at = Math.ceil(from / hour) * hour; at < to; at += hour) {
    const cost = at === present ? '50' : '1'
    rows.push({ bucket: new Date(at).toISOString(), cost, calls: 1 })
  }
  const sum = rows.reduce((total, { cost }) => total + Number(cost), 0)
  const totals = { cost: String(sum), calls: rows.length, costP95: '1', runs: 0, toolCost: '0', retryCost: '0' }
  const named = Object.fromEntries(by.map((name) => [name, name === 'task' ? 't' : name === 'model' ? 'm' : 'input']))
  const isBroken = interval !== undefined && measures.includes('cost')
  return { rows: isBroken ? rows.map((row) => ({ ...row, ...named })) : [{ ...totals, ...named, tokens: '1', retries: 0 }], totals }
}

/** A ledger that answers at once, but for questions that are held until they are let go. */
const heldLedger = (isHeld: (question: Question) => boolean) => {
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const ask = async (question: Question) => {
    if (isHeld(question)) await held
    return { ...answerOf(question, [], emptySums()), ...spent(question) }
  }
  return { ask, letGo: () => letGo() }
}

const engine = async (rules: readonly Rule[], ledger: ReturnType<typeof heldLedger>) => {
  const told: string[] = []
  const alerts = await createAlerts({
    setup: {
      rules,
      silences: [],
      notifiers: [
        { name: 'test', send: async ({ alerts: each }) => void told.push(...each.map(({ message }) => message)), close: async () => {} },
      ],
    },
    store: memoryAlerts(),
    evidence: { ask: ledger.ask, runCosts: async () => [], budgets: () => [], zone: 'UTC' },
    now: () => now,
    random: () => 0,
    zone: 'UTC',
    patience: { learnMs: 1, explainMs: 1 },
    onError: (error) => {
      throw error
    },
  })
  const round = async (): Promise<readonly string[]> => {
    told.length = 0
    await alerts.evaluate()
    await alerts.delivered()
    return [...told]
  }
  return { alerts, round }
}

test('a rule that has four weeks to learn holds up no other, and tells in the round after it has', async () => {
  const isHistory = ({ interval, to, from }: Question): boolean => interval === 'hour' && to - from > 24 * hour
  const ledger = heldLedger(isHistory)
  const rules = [
    parseRule({ name: 'usual', kind: 'baseline', by: 'task' }, ''),
    parseRule({ name: 'dear', kind: 'threshold', measure: 'calls', above: 0, floorUsd: 0 }, ''),
  ]
  const { alerts, round } = await engine(rules, ledger)
  expect(await round()).toEqual([expect.stringMatching(/^All calls: calls was/)])
  expect(alerts.counters()).toMatchObject({ lateRules: 1, failedRules: 0 })
  ledger.letGo()
  await alerts.learned()
  expect(await round()).toEqual([expect.stringMatching(/^task “t”: the hour from 12:00 cost \$50\.00 so far; \$1\.00 ± /)])
  expect(alerts.counters()).toMatchObject({ lateRules: 0, failedRules: 0 })
})

test('an alert whose cause takes too long is told without it', async () => {
  const ledger = heldLedger(({ by }) => by.includes('unit'))
  const { alerts, round } = await engine([parseRule({ name: 'dear', kind: 'threshold', measure: 'cost', above: 10 }, '')], ledger)
  expect(await round()).toEqual(['All calls: cost was $50.00 in the last hour, above $10.00.'])
  expect((await alerts.list(1))[0]).not.toHaveProperty('cause')
  ledger.letGo()
})
