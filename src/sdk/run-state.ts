import type { Attribution } from '../core/attribution.ts'
import type { StopReason } from '../core/event.ts'
import { type PicoUsd, parseUsd } from '../core/money.ts'
import type { ItemResult } from '../intake/event-json.ts'

/** A run's own allowance, as its caller set it. */
export interface RunBudget {
  readonly limit: PicoUsd
  /** `warn`: crossing it is told. `stop`: the next call is refused as well. */
  readonly onBudget: 'warn' | 'stop'
  /** What happens to a call while nobody can say what the run has spent. */
  readonly onMeterFailure: 'allow' | 'block'
}

/** A run while it goes on, in the agent's process. What its sub-runs spend counts here too. */
export interface RunState {
  readonly id: string
  readonly parent: RunState | undefined
  /** Of every call made in the run, the run's id included. */
  readonly attribution: Attribution
  readonly budget: RunBudget | undefined
  readonly stepsMax: number | undefined
  spent: bigint
  /** Events whose cost is not known yet. */
  unsettled: number
  isCrossed: boolean
  steps: number
  stopReason: StopReason | undefined
  /** How the latest model call ended, sub-runs included. */
  lastModelCall: 'ok' | 'error' | 'aborted' | undefined
  /** The latest error that came out of a tool or a step. */
  failure: { readonly error: unknown; readonly reason: 'tool_error' | 'step_error' } | undefined
}

/** A run and the runs that it is inside of, the innermost first. */
export function* withParents(run: RunState | undefined): Generator<RunState> {
  for (let each = run; each !== undefined; each = each.parent) yield each
}

/** What the ledger charged for one event of a run comes into the accounts of all runs around it. Returns the runs whose budget that crossed. */
export const settleInto = (run: RunState, result: ItemResult | undefined): readonly RunState[] => {
  const cost = result !== undefined && result.outcome !== 'rejected' && result.costUsd !== undefined ? parseUsd(result.costUsd) : undefined
  const crossed: RunState[] = []
  for (const each of withParents(run)) {
    each.unsettled -= 1
    each.spent += cost ?? 0n
    if (each.budget === undefined || each.isCrossed || each.spent < each.budget.limit) continue
    each.isCrossed = true
    crossed.push(each)
  }
  return crossed
}
