import type { Unit } from './units.ts'
import type { Variant } from './variant.ts'

/**
 * The price book as it is written in `prices/`: dated rates per provider and model.
 *
 * Rates are decimal strings of US dollars for `per` of their unit (see units.ts). A period is only ever added, never rewritten:
 * a price change is another period with a later `from`, and what was charged before stays right.
 */
export interface BookJson {
  /** Names the rates: two books that differ in one have different versions. It is kept with every charge. */
  readonly version: string
  /** SHA-256 of the providers, hexadecimal, as scripts/prices wrote it. */
  readonly checksum?: string
  readonly providers: Readonly<Record<string, ProviderJson>>
}

export interface ProviderJson {
  readonly name: string
  /** The page on which the provider publishes its prices: the source of every period that names none of its own. */
  readonly source?: string
  /** The day on which the rates were last compared with what others publish. */
  readonly checked?: string
  /** Other names for the same provider, as price lists and telemetry write it ("x-ai", "aws.bedrock"). A provider of that very name goes first. */
  readonly alsoKnownAs?: readonly string[]
  /** Providers whose models are asked for next, in order (Azure sells OpenAI's). */
  readonly inherits?: readonly string[]
  /** Declared patterns: `[regular expression, model]`, tried in order after aliases, exact and normalised names. */
  readonly patterns?: readonly (readonly [string, string])[]
  /** Used for every model of the provider that is not listed (a local server, whose models are free until told otherwise). */
  readonly anyModel?: ModelJson
  readonly models: Readonly<Record<string, ModelJson>>
  /** What a contract takes off (or adds to) the list prices: of all models, those inherited included, or of one. They compound. */
  readonly discounts?: readonly DiscountJson[]
}

/** A contract: `multiply` applies to every unit of calls that start from `from` on and before `until`, where those are given. */
export interface DiscountJson {
  readonly model?: string
  readonly multiply: string
  readonly from?: string
  readonly until?: string
}

export interface ModelJson {
  readonly aliases?: readonly string[]
  /** The most tokens that one answer can have; what a budget sets aside when the caller names no limit. */
  readonly outputMax?: number
  readonly periods: readonly PeriodJson[]
}

export type RatesJson = Readonly<Partial<Record<Unit, string>>>

export const confidences = ['confirmed', 'single-source', 'decided'] as const
/** How a rate is known: two sources agree · one source alone says so · sources differ or lack it, and the provider's page decided. */
export type Confidence = (typeof confidences)[number]

export interface CardJson {
  readonly rates: RatesJson
  readonly tiers?: readonly TierJson[]
  /** Of a tier or a variant: where it is not that of the period. */
  readonly confidence?: Confidence
  /** The units whose rate is known in another way than `confidence` says. */
  readonly except?: Readonly<Partial<Record<Unit, Confidence>>>
}

/** Rates for a whole request whose prompt (all prompt units together) is over a threshold; units not named keep the card's rate. */
export interface TierJson extends Omit<CardJson, 'tiers'> {
  readonly basis: 'prompt'
  readonly scope: 'request'
  readonly op: 'gt' | 'gte'
  readonly threshold: number
}

/**
 * Rates for calls that start within hours of the day, UTC: `from` ("01:00") inclusive, `to` exclusive, over midnight if `to` is
 * the smaller. `days` are those of the week, 0 being Sunday; without them every day.
 */
export interface HoursJson extends CardJson {
  readonly from: string
  readonly to: string
  readonly days?: readonly number[]
}

export interface PeriodJson extends CardJson {
  /** First day on which the rates hold, UTC ("2025-04-14"), or their first minute ("2026-08-16T16:00Z"). Absent: for as long as anyone knows. */
  readonly from?: string
  readonly hours?: readonly HoursJson[]
  readonly variants?: readonly VariantJson[]
  /** The page that the rates are from, where it is not the provider's `source`. */
  readonly source?: string
  /** Why the rates are what they are, where that is not plain from the source. */
  readonly note?: string
}

/** Other rates for the same model: those named replace the period's, then `multiply` applies to every token rate. */
export interface VariantJson extends Partial<CardJson>, Variant {
  /** In place of `region`, where several have the same price. */
  readonly regions?: readonly string[]
  readonly multiply?: string
}
