import { describe, expect, test } from 'vitest'
import { picoUsd } from '../core/money.ts'
import { createRunBudgets, dollars } from './run-budgets.ts'
import type { RunBudget, RunState } from './run-state.ts'

const runWith = (budget: Partial<RunBudget>, more: Partial<RunState> = {}): RunState => ({
  id: 'r-1',
  parent: undefined,
  attribution: {},
  budget: { limit: picoUsd(100n), onBudget: 'stop', onMeterFailure: 'allow', ...budget },
  stepsMax: undefined,
  spent: 0n,
  unsettled: 1,
  isCrossed: false,
  steps: 0,
  stopReason: undefined,
  lastModelCall: undefined,
  failure: undefined,
  ...more,
})

/** A queue whose flushes end as planned; `sent` rises with those that succeed. */
const queueWith = (...plan: boolean[]) => {
  const queue = {
    flushes: 0,
    sent: 0,
    isReachable: true,
    stats: () => ({ queued: 0, sent: queue.sent, rejected: 0, dropped: 0, sendFailures: 0 }),
    flush: async () => {
      queue.flushes += 1
      const isDone = plan.shift() ?? true
      if (isDone) queue.sent += 1
      return isDone
    },
  }
  return queue
}

const budgetsWith = (queue: ReturnType<typeof queueWith>) =>
  createRunBudgets({
    queue: { ...queue, push: () => undefined, close: async () => undefined, stats: queue.stats, flush: queue.flush },
    warn: () => undefined,
  })

describe("what a run's budget waits for", () => {
  test('nothing, where it only warns or nothing is on its way', () => {
    const queue = queueWith()
    const budgets = budgetsWith(queue)
    expect(budgets.check(undefined)).toBeUndefined()
    expect(budgets.check(runWith({ onBudget: 'warn' }))).toBeUndefined()
    expect(budgets.check(runWith({}, { unsettled: 0 }))).toBeUndefined()
    expect(budgets.check(runWith({}, { unsettled: 0, spent: 100n }))).toMatchObject({ reason: 'exceeded' })
    expect(queue.flushes).toBe(0)
  })

  test('the calls before, unless it is spent without them', async () => {
    const queue = queueWith()
    const budgets = budgetsWith(queue)
    expect(await budgets.check(runWith({}))).toBeUndefined()
    expect(queue.flushes).toBe(1)
    expect(await budgets.check(runWith({}, { spent: 100n }))).toMatchObject({
      reason: 'exceeded',
      limit: '0.000000000100',
      spent: '0.000000000100',
    })
    expect(queue.flushes).toBe(1)
  })

  test('a ledger that says nothing, once, until it has taken something again', async () => {
    const queue = queueWith(false, true)
    const budgets = budgetsWith(queue)
    for (let call = 0; call < 5; call++) expect(await budgets.check(runWith({}))).toBeUndefined()
    expect([queue.flushes, budgets.unchecked]).toEqual([1, 5])
    queue.sent += 1
    await budgets.check(runWith({}))
    await budgets.check(runWith({}))
    expect([queue.flushes, budgets.unchecked]).toEqual([3, 5])
  })

  test("with onMeterFailure: 'block' a ledger that says nothing refuses", async () => {
    const budgets = budgetsWith(queueWith(false))
    expect(await budgets.check(runWith({ onMeterFailure: 'block' }))).toMatchObject({ reason: 'unavailable', budget: 'run r-1' })
    expect(budgets.unchecked).toBe(0)
  })
})

test.each([
  [5_020_000_000_000n, '5.02'],
  [5_000_000_000_000n, '5.00'],
  [117_650_000n, '0.00011765'],
  [0n, '0.00'],
])('%i pico-dollars are said as $%s', (amount, said) => {
  expect(dollars(amount)).toBe(said)
})
