import type { Refusal } from '../core/budget.ts'
import { formatUsd } from '../core/money.ts'
import type { EventQueue } from './event-queue.ts'
import { type RunBudget, type RunState, withParents } from './run-state.ts'
import type { Warn } from './warning.ts'

/** How long a call of a run with a budget may wait for the cost of the calls before it. */
export const settleWaitMs = 1_000

export interface RunBudgets {
  /** Why the run's next call may not be sent; undefined: it may. Without a budget that stops, known at once. */
  check(run: RunState | undefined): Refusal | undefined | Promise<Refusal | undefined>
  /** Calls that were let through although nobody could say what their run had spent. */
  readonly unchecked: number
}

/**
 * Holds the budgets of runs by what their calls were charged. Calls that run at the same time do not know each other's cost:
 * only budgets with reservations, which a guard holds, bind them together.
 */
export const createRunBudgets = ({ queue, warn }: { queue: EventQueue; warn: Warn }): RunBudgets => {
  let unchecked = 0
  /** How many events had been sent when the ledger last kept a call waiting in vain: until it takes more, no other call waits for it. */
  let stuckAt: number | undefined

  const isSettled = async (): Promise<boolean> => {
    const { sent } = queue.stats()
    if (!queue.isReachable || stuckAt === sent) return false
    const isDone = await queue.flush(settleWaitMs, false)
    stuckAt = isDone ? undefined : sent
    return isDone
  }

  const settled = async (runs: readonly EnforcedRun[]): Promise<Refusal | undefined> => {
    const spentBefore = exceeded(runs)
    if (spentBefore !== undefined) return spentBefore
    if (await isSettled()) return exceeded(runs)
    const refusal = exceeded(runs) ?? unavailable(runs)
    if (refusal === undefined) {
      unchecked += 1
      warn(
        'budget-unchecked',
        "The ledger did not say in time what a run has spent; its call goes on, as `onMeterFailure: 'allow'` has it.",
      )
    }
    return refusal
  }

  return {
    check(run) {
      if (run === undefined) return undefined
      const runs: EnforcedRun[] = []
      for (const each of withParents(run)) if (isEnforced(each)) runs.push(each)
      if (runs.length === 0) return undefined
      return runs.some((each) => each.unsettled > 0) ? settled(runs) : exceeded(runs)
    },
    get unchecked() {
      return unchecked
    },
  }
}

type EnforcedRun = RunState & { readonly budget: RunBudget }

const isEnforced = (run: RunState): run is EnforcedRun => run.budget?.onBudget === 'stop'

const exceeded = (runs: readonly EnforcedRun[]): Refusal | undefined => {
  const run = runs.find(({ spent, budget }) => spent >= budget.limit)
  return run && refusalOf(run, 'exceeded')
}

const unavailable = (runs: readonly EnforcedRun[]): Refusal | undefined => {
  const run = runs.find(({ budget }) => budget.onMeterFailure === 'block')
  return run && refusalOf(run, 'unavailable')
}

const refusalOf = (run: EnforcedRun, reason: 'exceeded' | 'unavailable'): Refusal => {
  const budget = `run ${run.id}`
  const amounts = `$${dollars(run.spent)} of $${dollars(run.budget.limit)}`
  return {
    budget,
    scope: 'run',
    value: run.id,
    unit: 'usd',
    limit: formatUsd(run.budget.limit),
    spent: formatUsd(run.spent),
    reserved: formatUsd(0n),
    asked: formatUsd(0n),
    reason,
    message:
      reason === 'exceeded'
        ? `Budget "${budget}" is spent: ${amounts}. Raise its budgetUsd or end the run.`
        : `Budget "${budget}" cannot be checked, at last ${amounts}: the ledger does not answer. Start it, or set onMeterFailure to "allow".`,
  }
}

/** Dollars as people write them: at least two decimals, no zeros after that. */
export const dollars = (amount: bigint): string => formatUsd(amount).replace(/(\.\d\d\d*?)0*$/, '$1')
