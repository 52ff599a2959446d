import type { BudgetScope, Refusal } from '../core/budget.ts'
import type { Unit } from '../core/units.ts'
import type { LeaseAnswer, LeaseGrant, LeaseJson, LeaseSettleJson } from '../guard/lease-json.ts'
import type { AttributionJson, ErrorJson, Instant, Usd } from './json-forms.ts'

// Budgets, alerts and readings as they travel: a part of api.ts, which is where they are imported from.

export type { LeaseAnswer, LeaseGrant, LeaseJson, LeaseSettleJson }

export type BudgetWindowJson =
  | { readonly kind: 'rolling'; readonly span: '1h' | '24h' | '7d' | '30d' }
  | { readonly kind: 'calendar'; readonly interval: 'hour' | 'day' | 'week' | 'month'; readonly zone: string }
  | { readonly kind: 'total' }

/**
 * One allowance: a budget, or one value of a budget that gives each value its own. Amounts are decimal dollars, or tokens as a
 * decimal string, by `unit`.
 */
export interface BudgetJson {
  readonly name: string
  readonly scope: string
  readonly value?: string
  readonly unit: 'usd' | 'tokens'
  readonly window: BudgetWindowJson
  readonly onExceed: 'block' | 'warn'
  readonly limit: string
  readonly spent: string
  readonly reserved: string
  /** Never below 0. */
  readonly remaining: string
  /** Spent ÷ limit. */
  readonly share: number
  readonly burnRatePerHour?: string
  /** When it will be spent at the present rate; absent: not before it resets. */
  readonly exhaustsAt?: Instant
  /** Absent: it never resets. */
  readonly resetsAt?: Instant
  readonly thresholds: readonly { readonly share: number; readonly isCrossed: boolean }[]
  /** `warning`: a threshold is crossed. `exceeded`: nothing is left. */
  readonly status: 'ok' | 'warning' | 'exceeded'
}

/** `GET /v1/budgets`. */
export interface BudgetsAnswer {
  readonly budgets: readonly BudgetJson[]
  /** More allowances exist than one answer holds; the fullest are shown. */
  readonly hasMore: boolean
}

/** `POST /v1/budgets/reserve`: what is known of a call before it is sent. */
export interface ReserveRequest extends Omit<AttributionJson, 'key'> {
  readonly provider: string
  readonly model: string
  /** The id of the event that will tell of the call: what is set aside then stays so until that entry is counted. */
  readonly event?: string
  readonly promptTokens: number
  readonly outputMax?: number
  /** The units that the call can be counted in; absent: any that its model has a rate for. */
  readonly mayUse?: readonly Unit[]
  readonly tier?: string
  readonly speed?: string
  readonly region?: string
  readonly runBudgetUsd?: string
  /** Asks for an allowance for several such calls instead; the answer is a `LeaseAnswer`. */
  readonly lease?: LeaseJson
}

/**
 * Status 200 when allowed, 402 when refused. `reservation` is absent where no budget binds the call, or where nobody could say
 * what is left and the budget lets calls pass then (`because`).
 */
export type ReserveAnswer =
  | { readonly allowed: true; readonly reservation?: string; readonly because?: 'unavailable' }
  | {
      readonly allowed: false
      readonly refusal: Refusal
      /** Of a lease: see `LeaseAnswer`. */
      readonly scopes?: readonly BudgetScope[]
      readonly error: ErrorJson['error']
    }

/** `POST /v1/budgets/settle`. Ids that are unknown or expired are ignored. */
export interface SettleRequest {
  readonly reservations?: readonly string[]
  readonly lease?: LeaseSettleJson
}
export interface SettleAnswer {
  readonly settled: number
}

export interface AlertJson {
  readonly id: string
  readonly rule: string
  readonly state: 'pending' | 'firing' | 'resolved'
  readonly severity: 'info' | 'warning' | 'critical'
  /** What happened, what was expected and which part moved, in one or two sentences. */
  readonly message: string
  readonly segment: Readonly<Record<string, string>>
  readonly value?: string
  readonly threshold?: string
  readonly startedAt: Instant
  readonly firedAt?: Instant
  readonly resolvedAt?: Instant
  /** The parameters of the question behind it, for `GET /v1/query`. */
  readonly query?: string
  /** What made it so, where that could be told: `traffic`, `price`, `prompt` … */
  readonly cause?: string
  /** The alert that told of the same incident before: nobody was told of this one. */
  readonly partOf?: string
}

/** `GET /v1/alerts`: the ones that are open first, then the latest. */
export interface AlertsAnswer {
  readonly alerts: readonly AlertJson[]
}

export type SegmentStatus = 'ok' | 'warning' | 'critical'

/** One row of the segment table. */
export interface SegmentJson {
  readonly segment: Readonly<Record<string, string | null>>
  readonly runs: number
  readonly costUsd: Usd
  readonly costPerRunUsd: Usd | null
  readonly costP95Usd: Usd | null
  readonly burnRatePerHourUsd: Usd | null
  readonly status: SegmentStatus
  readonly reason: string
}

/** One sentence about what the numbers say, with the question that shows it. */
export interface ReadingJson {
  readonly kind: string
  readonly severity: 'info' | 'warning' | 'critical'
  readonly sentence: string
  readonly segment: Readonly<Record<string, string | null>>
  /** The parts of a change; they sum to it. */
  readonly parts: readonly { readonly name: string; readonly amountUsd: Usd }[]
  /** The parameters of the question behind it, for `GET /v1/query`. */
  readonly query: string
}

/** `GET /v1/readings`. */
export interface ReadingsAnswer {
  readonly from: Instant
  readonly to: Instant
  readonly segments: readonly SegmentJson[]
  readonly readings: readonly ReadingJson[]
}
