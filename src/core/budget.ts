import { formatUsd, type PicoUsd, picoPerUsd } from './money.ts'
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

/**
 * An allowance per scope and window.
 *
 * A call that has no value for the scope (no agent, no such tag) is not bound by it: to catch those too, add a budget of scope
 * `all`. Models are compared by the name under which the price book knows them, so that a dated snapshot is the same model.
 */
export interface Budget {
  /** One of a kind among the budgets of a process; what was spent is kept under it when the limit changes. */
  readonly name: string
  readonly scope: BudgetScope
  /** The one value that it binds; absent: every value of the scope has an allowance of its own. */
  readonly value?: string
  readonly window: BudgetWindow
  readonly limit: { readonly unit: 'usd'; readonly amount: PicoUsd } | { readonly unit: 'tokens'; readonly amount: number }
  readonly onExceed: 'block' | 'warn'
  /** Shares of the limit, rising (0.5, 0.8, 1), each crossed once per window. The limit itself (1) is one whether it is named or not. */
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

/** One allowance as it stands now, in its outside form. Amounts are decimal dollars, or tokens as a decimal string, by `unit`. */
export interface BudgetStatus {
  readonly name: string
  readonly scope: BudgetScope
  readonly value?: string
  readonly unit: 'usd' | 'tokens'
  readonly window: BudgetWindow
  readonly onExceed: 'block' | 'warn'
  readonly limit: string
  readonly spent: string
  readonly reserved: string
  /** Limit − spent − reserved, never below 0. */
  readonly remaining: string
  /** Spent ÷ limit. */
  readonly share: number
  /** What was spent in the last 60 minutes. */
  readonly burnRatePerHour: string
  /** When it will be spent at that rate; absent: not before it resets, or nothing is being spent. */
  readonly exhaustsAt?: string
  /** Calendar: the window's end. Rolling: when the oldest spending leaves it. Absent: it never resets. */
  readonly resetsAt?: string
  readonly thresholds: readonly { readonly share: number; readonly isCrossed: boolean }[]
  /** `warning`: a threshold is crossed. `exceeded`: nothing is left. */
  readonly status: 'ok' | 'warning' | 'exceeded'
}

/** The warning that is on unless it is turned off: all spending of a day, logged once when it passes the limit. */
export const dailyBudget = (zone = 'UTC', limit: PicoUsd = (5n * picoPerUsd) as PicoUsd): Budget => ({
  name: 'daily',
  scope: 'all',
  window: { kind: 'calendar', interval: 'day', zone },
  limit: { unit: 'usd', amount: limit },
  onExceed: 'warn',
  thresholds: [1],
  unpriced: { policy: 'allow' },
})

/** Pico-dollars or tokens in the outside form: "5.000000000000", "200000". */
export const formatAmount = (unit: 'usd' | 'tokens', amount: bigint): string => (unit === 'usd' ? formatUsd(amount) : amount.toString())

/** For a sentence: "$5.00", "$0.0004", "200000 tokens". Dollars are rounded up to the cent, small ones to two digits that matter. */
export const sayAmount = (unit: 'usd' | 'tokens', amount: bigint): string =>
  unit === 'tokens' ? `${amount} ${amount === 1n ? 'token' : 'tokens'}` : `$${sayDollars(amount)}`

const sayDollars = (amount: bigint): string => {
  let step = picoPerUsd / 100n
  while (step > 1n && amount > 0n && amount < step * 10n) step /= 10n
  const rounded = ((amount + step - 1n) / step) * step
  return formatUsd(rounded).replace(/(\.\d\d\d*?)0+$/, '$1')
}

/** "1h" · "day Europe/Berlin" · "total": what tells windows apart in keys and sentences. */
export const windowName = (window: BudgetWindow): string => {
  switch (window.kind) {
    case 'rolling':
      return window.span
    case 'calendar':
      return `${window.interval} ${window.zone}`
    case 'total':
      return 'total'
    default:
      return window satisfies never
  }
}
