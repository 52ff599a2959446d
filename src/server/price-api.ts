import type { Unit } from '../core/units.ts'
import type { Usd } from './json-forms.ts'

// The price book as it travels: a part of api.ts, which is where it is imported from.

export type RatesAnswer = Readonly<Partial<Record<Unit, Usd>>>

/** Rates for a whole request whose prompt is over `threshold` tokens; units not named keep the period's rate. */
export interface TierAnswer {
  readonly op: 'gt' | 'gte'
  readonly threshold: number
  readonly rates: RatesAnswer
}

export interface VariantAnswer {
  readonly tier?: string
  readonly speed?: string
  readonly region?: string
  /** In place of `region`, where several have the same price. */
  readonly regions?: readonly string[]
  readonly multiply?: string
  readonly rates?: RatesAnswer
  readonly tiers?: readonly TierAnswer[]
}

/** Rates for calls that start within hours of the day, UTC ("01:00"), over midnight if `to` is the smaller; of some days, 0 being Sunday. */
export interface HoursAnswer {
  readonly from: string
  readonly to: string
  readonly days?: readonly number[]
  readonly rates: RatesAnswer
  readonly tiers?: readonly TierAnswer[]
}

/** The rates of a model from a day on, dollars for the `per` of each unit (`units` of the answer says which). */
export interface PeriodAnswer {
  /** UTC day; absent: for as long as anyone knows. */
  readonly from?: string
  readonly source?: string
  readonly confidence?: 'confirmed' | 'single-source' | 'decided'
  readonly rates: RatesAnswer
  readonly tiers?: readonly TierAnswer[]
  readonly hours?: readonly HoursAnswer[]
  readonly variants?: readonly VariantAnswer[]
}

export interface PriceJson {
  readonly provider: string
  readonly providerName: string
  readonly model: string
  readonly aliases?: readonly string[]
  readonly outputMax?: number
  /** The period that holds now; absent: the model is not priced yet. */
  readonly current?: PeriodAnswer
  /** How many periods the model has; `GET /v1/prices/:provider/:model` shows them. */
  readonly periods: number
}

export type UnitsAnswer = Readonly<
  Record<Unit, { readonly title: string; readonly per: number; readonly side: 'prompt' | 'completion' | 'other' }>
>

/** `GET /v1/prices?search=…&provider=…`, by provider and name. */
export interface PricesAnswer {
  readonly version: string
  readonly units: UnitsAnswer
  readonly providers: readonly { readonly id: string; readonly name: string; readonly models: number }[]
  readonly prices: readonly PriceJson[]
  /** How many match in all. */
  readonly matches: number
  readonly next?: string
}

/** `GET /v1/prices/:provider/:model`: the whole history, newest first. */
export interface PriceDetailJson extends Omit<PriceJson, 'periods'> {
  readonly version: string
  readonly units: UnitsAnswer
  readonly periods: readonly PeriodAnswer[]
}
