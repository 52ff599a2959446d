import type { Refusal } from '../core/budget.ts'
import { formatUsd, type PicoUsd, parseUsd } from '../core/money.ts'
import type { BudgetGuard, CallAhead } from '../guard/guard.ts'
import type { Dialect, RequestReport } from '../providers/dialect.ts'
import { mayUseOf } from '../providers/may-use.ts'
import { mostTokens, promptBytesOf } from './prompt.ts'
import type { ReadBody } from './request.ts'
import type { RunBudgets } from './run-budgets.ts'
import { withParents } from './run-state.ts'
import type { Scope } from './runs.ts'
import type { Warn } from './warning.ts'

/** Holds budgets by reservation: in the same process, or over HTTP. What it throws counts as not being able to say. */
export type Guard = Pick<BudgetGuard, 'reserve' | 'settle'>

/** A call that may be sent. `settle` is told what it was charged; undefined: not known, or it was no call. */
export interface Passed {
  readonly id: string
  settle(costUsd: string | undefined): void
}

export interface CallGate {
  /** False: nothing binds the call, and it is sent without a moment's wait. */
  isNeeded(scope: Scope): boolean
  pass(
    call: { readonly provider: string; readonly dialect: Dialect; readonly body: ReadBody | undefined },
    scope: Scope,
  ): Promise<Passed | { readonly refusal: Refusal } | undefined>
}

export interface CallGateOptions {
  readonly budgets: RunBudgets
  readonly guard: Guard | undefined
  readonly onMeterFailure: 'allow' | 'block'
  readonly nextId: () => string
  readonly warn: Warn
}

/** What stands before every model call: the budgets of its runs, then the guard. */
export const createCallGate = ({ budgets, guard, onMeterFailure, nextId, warn }: CallGateOptions): CallGate => ({
  isNeeded: ({ run }) => {
    if (guard !== undefined) return true
    for (const each of withParents(run)) if (each.budget?.onBudget === 'stop') return true
    return false
  },
  async pass({ provider, dialect, body }, scope) {
    const refusal = await budgets.check(scope.run)
    if (refusal !== undefined) return { refusal }
    if (guard === undefined) return undefined
    const id = nextId()
    try {
      const decision = await guard.reserve({ ...aheadOf(id, provider, body, scope), ...unitsOf(dialect, body) })
      if (!decision.allowed) return { refusal: decision.refusal }
      const { reservation } = decision
      return reservation === undefined ? undefined : { id, settle: (costUsd) => guard.settle(reservation, usedOf(costUsd)) }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      warn('budget-unchecked', `The budgets could not be asked: ${message}`)
      return onMeterFailure === 'block' ? { refusal: unavailable } : undefined
    }
  },
})

const aheadOf = (event: string, provider: string, body: ReadBody | undefined, scope: Scope): CallAhead => {
  const { model = 'unknown', outputMax, isStream: _stream, operation: _operation, ...variant } = body?.report ?? unread
  const budget = scope.run?.budget
  return {
    ...scope.attribution,
    ...variant,
    event,
    provider,
    model,
    promptTokens: body?.prompt === undefined ? 0 : mostTokens(promptBytesOf(body.prompt)),
    ...(outputMax !== undefined && { outputMax }),
    // A budget that only warns must not become one that refuses. And a run's is small: what a model can write at most, where the caller
    // names no limit, would fit into few of them, so that such calls are held by what the run has spent, as without a server.
    ...(budget?.onBudget === 'stop' && outputMax !== undefined && { runBudgetUsd: formatUsd(budget.limit) }),
  }
}

const unitsOf = (dialect: Dialect, body: ReadBody | undefined): Pick<CallAhead, 'mayUse'> => {
  const mayUse = body && mayUseOf(dialect, (word) => body.text.includes(word))
  return mayUse === undefined ? {} : { mayUse }
}

const unread: RequestReport = { isStream: false, operation: 'unknown' }

const usedOf = (costUsd: string | undefined): { readonly cost: PicoUsd } | undefined => {
  const cost = costUsd === undefined ? undefined : parseUsd(costUsd)
  return cost === undefined ? undefined : { cost }
}

const unavailable: Refusal = {
  budget: 'all',
  scope: 'all',
  unit: 'usd',
  limit: '',
  spent: '',
  reserved: '',
  asked: '',
  reason: 'unavailable',
  message: 'The budgets cannot be asked just now, and onMeterFailure is "block".',
}
