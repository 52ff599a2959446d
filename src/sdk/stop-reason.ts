import type { RunStatus, StopReason } from '../core/event.ts'
import { BudgetExceededError, chainOf, messageOf } from './budget-exceeded-error.ts'
import type { RunState } from './run-state.ts'

/** Why a run whose function threw has stopped. A reason that the agent gave with `run.stop` comes first, then the failure nearest to the error. */
export const stopReasonOf = (run: RunState, error: unknown): StopReason => {
  if (run.stopReason !== undefined) return run.stopReason
  if (BudgetExceededError.of(error) !== undefined) return 'budget_exceeded'
  if (isAbort(error)) return 'cancelled'
  const thrown = cameFrom(run, error)
  if (thrown === 'tool_error') return 'tool_error'
  // The clients wrap what fetch gave them, so that only the order of things tells that their error is the model's.
  if (run.lastModelCall === 'error' || run.lastModelCall === 'aborted') return 'llm_error'
  return 'step_error'
}

export const runStatusOf = (reason: StopReason): RunStatus =>
  reason === 'completed' ? 'ok' : reason === 'cancelled' ? 'cancelled' : 'error'

const cameFrom = (run: RunState, error: unknown): 'tool_error' | 'step_error' | undefined => {
  if (run.failure === undefined) return undefined
  if (run.failure.error === error) return run.failure.reason
  for (const each of chainOf(error)) if (each === run.failure.error) return run.failure.reason
  return undefined
}

/** An abort by the caller, in the forms that the platform and the clients give it: by name, by class, or by what they say. Running out of time is none. */
const isAbort = (error: unknown): boolean => {
  for (const each of chainOf(error)) {
    const names = `${'name' in each ? String(each.name) : ''} ${each.constructor?.name ?? ''}`
    if (/Timeout/.test(names)) return false
    if (/Abort/.test(names) || /^(request|this operation) was aborted/i.test(messageOf(each))) return true
  }
  return false
}
