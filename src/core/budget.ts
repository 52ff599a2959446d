import type { PicoUsd } from './money.ts'
import type { Breakdown } from './question.ts'

/** What may bind a call: everything (`all`), or calls that share a value of one attribute. */
export type BudgetScope =
  | 'all'
  | Extract<
      Breakdown,
      'agent' | 'task' | 'team' | 'user' | 'model' | 'key' | 'release' | 'environment' | 'run' | 'session' | `tag.${string}`
    >

/**
 * When a budget begins anew. `rolling` looks back from now; `calendar` is cut in the budget's time zone, daylight saving
 * included; `total` never resets. A budget of scope `run` lasts as long as its run.
 */
export type BudgetWindow =
  | { readonly kind: 'rolling'; readonly span: '1h' | '24h' | '7d' | '30d' }
  | { readonly kind: 'calendar'; readonly interval: 'hour' | 'day' | 'week' | 'month'; readonly zone: string }
  | { readonly kind: 'total' }

/** An allowance per scope and window. */
export interface Budget {
  readonly name: string
  readonly scope: BudgetScope
  /** The one value that it binds; absent: every value of the scope has an allowance of its own. */
  readonly value?: string
  readonly window: BudgetWindow
  readonly limit: { readonly unit: 'usd'; readonly amount: PicoUsd } | { readonly unit: 'tokens'; readonly amount: number }
  readonly onExceed: 'block' | 'warn'
  /** Shares of the limit, rising ("0.5", "0.8", "1"), each crossed exactly once per window. */
  readonly thresholds: readonly number[]
  /** What a call of a model without a price does to a budget in dollars. */
  readonly unpriced:
    | { readonly policy: 'block' }
    | { readonly policy: 'allow' }
    | { readonly policy: 'assume'; readonly perMillionTokens: PicoUsd }
}

/** Why a call was refused: all that a person needs to decide what to do. */
export interface Refusal {
  readonly budget: string
  readonly scope: BudgetScope
  readonly value?: string
  readonly unit: 'usd' | 'tokens'
  /** Decimal dollars, or a count of tokens as a decimal string. */
  readonly limit: string
  readonly spent: string
  readonly reserved: string
  readonly asked: string
  /** UTC ISO instant of the next reset; absent when the budget never resets. */
  readonly resetsAt?: string
  readonly reason: 'exceeded' | 'unpriced' | 'unavailable'
  readonly message: string
}
