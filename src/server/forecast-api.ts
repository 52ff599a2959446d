import type { BudgetWindowJson } from './guard-api.ts'
import type { Instant } from './json-forms.ts'

// Forecasts, the rules of alerts and the self-check as they travel: a part of api.ts, which is where they are imported from.

/** What is expected to be spent by the end of a period: four times in five it lies from `low` to `high`. */
export interface ExpectedJson {
  readonly expected: string
  readonly low: string
  readonly high: string
  /** What was found to repeat in the hours before: nothing yet, the hours of a day, or those of a week. */
  readonly season: 'none' | 'day' | 'week'
}

export interface PeriodForecastJson extends ExpectedJson {
  readonly period: 'day' | 'week' | 'month'
  readonly from: Instant
  readonly to: Instant
  /** Decimal dollars, like the amounts that are expected. */
  readonly spent: string
}

/** One allowance; amounts are decimal dollars, or tokens as a decimal string, by `unit`. */
export interface BudgetForecastJson {
  readonly name: string
  readonly scope: string
  readonly value?: string
  readonly unit: 'usd' | 'tokens'
  readonly window: BudgetWindowJson
  readonly limit: string
  readonly spent: string
  /** At the end of the window; of one that rolls, a whole window from now. Absent: it has no end, or too little is known. */
  readonly atEnd?: ExpectedJson & { readonly at: Instant }
  /** When it is expected to be spent; absent: not before it begins anew, or not within 90 days. */
  readonly exhaustsAt?: Instant
  /** As early as that one time in ten. */
  readonly exhaustsEarliest?: Instant
}

/** `GET /v1/forecast`: worked out at most every five minutes. */
export interface ForecastAnswer {
  readonly at: Instant
  readonly tz: string
  /** Everything that is spent, by the end of the day, the week and the month. Empty while less than six hours are known. */
  readonly total: readonly PeriodForecastJson[]
  readonly budgets: readonly BudgetForecastJson[]
}

/** A rule with when it would have told of something in the last 30 days, worked out in the background once somebody asks. */
export interface AlertRuleJson {
  readonly name: string
  readonly kind: string
  readonly severity: 'info' | 'warning' | 'critical'
  readonly by: readonly string[]
  readonly where: readonly string[]
  readonly forMs: number
  readonly floorUsd: number
  /** Absent: every notifier. */
  readonly notify?: readonly string[]
  /** What its kind asks for: `{"measure":"cost","windowMs":3600000,"above":2}`. */
  readonly condition: Readonly<Record<string, unknown>>
  /** From 0 to 1. */
  readonly progress: number
  /** Absent: not worked out yet. */
  readonly preview?: PreviewJson
}

export interface PreviewJson {
  readonly from: Instant
  /** How far it was tried: before now where a limit was reached, and then it is not complete. */
  readonly to: Instant
  readonly isComplete: boolean
  readonly stepMs: number
  /** At most 100. */
  readonly fired: readonly {
    readonly at: Instant
    readonly resolvedAt?: Instant
    readonly segment: Readonly<Record<string, string>>
    readonly message: string
    readonly cause?: string
  }[]
}

/** `GET /v1/alerts/rules`. */
export interface AlertRulesAnswer {
  readonly rules: readonly AlertRuleJson[]
}

/** `GET /v1/self-check`: the nine points of a project's cost monitoring, over the last seven days. */
export interface SelfCheckAnswer {
  readonly done: number
  readonly of: number
  readonly points: readonly {
    readonly id: string
    readonly title: string
    readonly isDone: boolean
    readonly says: string
    /** What to add. */
    readonly add?: string
  }[]
}
