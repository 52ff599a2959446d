import type { Attribution } from '../core/attribution.ts'
import type { Refusal } from '../core/budget.ts'
import type { CallEntry } from '../core/event.ts'
import type { PicoUsd } from '../core/money.ts'
import type { Unit } from '../core/units.ts'
import type { Variant } from '../core/variant.ts'

/** What is known of a model call before it is sent. */
export interface CallAhead extends Attribution, Variant {
  readonly provider: string
  readonly model: string
  /**
   * The id of the event that will tell of this call. With it, what was set aside stays so until that very entry is observed, and
   * no instant lies between the two in which the money is neither reserved nor spent.
   */
  readonly event?: string
  /** Upper estimate of the prompt's tokens. */
  readonly promptTokens: number
  /** The caller's own limit on output tokens, times the answers asked for; absent: the model's limit from the price book. */
  readonly outputMax?: number
  /** The units that this call can be counted in, where the caller knows (no cache, no audio); absent: any that the model has a rate for. */
  readonly mayUse?: readonly Unit[]
  /** A run's own budget as its SDK declared it, decimal dollars; binds besides the configured ones. */
  readonly runBudgetUsd?: string
}

export type Decision =
  | {
      readonly allowed: true
      /** Absent when no budget binds the call. */
      readonly reservation: string | undefined
      /** Nobody could say what is left (`onUnavailable: 'allow'`), so nothing was set aside. */
      readonly because?: 'unavailable'
    }
  | { readonly allowed: false; readonly refusal: Refusal }

/**
 * What a finished call is known to have used, where that is known before its entry is kept. No cost and no tokens: it was never
 * sent, no entry is to come, and all of it is given back at once.
 */
export interface Used {
  readonly cost?: PicoUsd
  readonly tokens?: number
}

/**
 * Stops a call before it is sent. `reserve` sets the worst case aside across all binding budgets in one atomic step; `settle`
 * gives back what was not used. A reservation whose holder dies expires. Spending itself is learned from the ledger's entries
 * (`observe`), so that calls metered elsewhere count as well.
 */
export interface BudgetGuard {
  /** At once (no promise) unless the ledger must first be asked what a newly seen run or user has spent, or a lease be written. */
  reserve(call: CallAhead): Promise<Decision> | Decision
  /**
   * The call is over. If it named its `event`, what it used stays set aside until that entry is observed (at most as long as the
   * lease when `used` is given, a short grace when not); else everything is given back now, so settle after the entry is kept.
   * Unknown, expired and repeated ids are ignored and counted.
   */
  settle(reservation: string, used?: Used): void
  /** What came into the ledger's totals, and what left them. */
  observe(counted: CallEntry | undefined, uncounted: CallEntry | undefined): void
}
