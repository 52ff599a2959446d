import type { Attribution } from '../core/attribution.ts'
import type { Refusal } from '../core/budget.ts'
import type { CallEntry, Variant } from '../core/event.ts'

/** What is known of a model call before it is sent. */
export interface CallAhead extends Attribution, Variant {
  readonly provider: string
  readonly model: string
  /** Upper estimate of the prompt's tokens. */
  readonly promptTokens: number
  /** The caller's own limit on output tokens; absent: the model's limit from the price book. */
  readonly outputMax?: number
  /** A run's own budget as its SDK declared it, decimal dollars; binds besides the configured ones. */
  readonly runBudgetUsd?: string
}

export type Decision =
  | { readonly allowed: true; readonly reservation: string | undefined }
  | { readonly allowed: false; readonly refusal: Refusal }

/**
 * Stops a call before it is sent. `reserve` sets the worst case aside across all binding budgets in one atomic step; `settle`
 * gives back what was not used. A reservation whose holder dies expires. Spending itself is learned from the ledger's entries
 * (`observe`), so that calls metered elsewhere count as well.
 */
export interface BudgetGuard {
  reserve(call: CallAhead): Promise<Decision> | Decision
  /** The call is over and its entry, if there is one, is in the ledger or on its way. Unknown or expired ids are ignored and counted. */
  settle(reservation: string): void
  /** What came into the ledger's totals, and what left them. */
  observe(counted: CallEntry | undefined, uncounted: CallEntry | undefined): void
}
