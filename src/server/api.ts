import type { Answer, AnswerRow, Value } from '../core/answer.ts'
import type { Refusal } from '../core/budget.ts'
import type { Basis, UnpricedReason } from '../core/charge.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { CallStatus, RunStatus, Source, StopReason } from '../core/event.ts'
import type { Unit } from '../core/units.ts'
import type { UsageFlag, UsageQuality } from '../core/usage.ts'
import type { EventJson, ItemResult, RejectionReason } from '../intake/event-json.ts'

/**
 * Every answer and request of the JSON API, as it travels.
 *
 * Types only, so that a dashboard or a client can import them and load nothing. Money is a string of decimal dollars (12 decimals
 * in answers), an instant an ISO 8601 string in UTC, a count a number. What is not known is absent or `null`, never 0.
 */
export type {
  Answer,
  AnswerRow,
  Basis,
  CallStatus,
  ErrorCode,
  EventJson,
  ItemResult,
  Refusal,
  RejectionReason,
  RunStatus,
  Source,
  StopReason,
  Unit,
  UnpricedReason,
  UsageFlag,
  UsageQuality,
  Value,
}

/** Decimal dollars: "0.000117650000". */
export type Usd = string
/** ISO 8601, UTC: "2026-11-22T10:00:00.000Z". */
export type Instant = string

/** Any answer whose status is 400 or above. */
export interface ErrorJson {
  readonly error: { readonly code: ErrorCode; readonly message: string }
}

/** `POST /v1/events`, `POST /v1/runs`: one result per item, in the order in which they came. */
export interface IngestAnswer {
  readonly results: readonly ItemResult[]
  readonly counts: { readonly accepted: number; readonly duplicate: number; readonly rejected: number }
}

/** `GET /v1/query`. With `compare=previous`, the same question put to the period of equal length just before. */
export interface QueryAnswer extends Answer {
  readonly previous?: Answer
}

/** The names of what a call or run belongs to; absent: not said. */
export interface AttributionJson {
  readonly agent?: string
  readonly session?: string
  readonly run?: string
  readonly step?: string
  readonly task?: string
  readonly release?: string
  readonly environment?: string
  readonly team?: string
  readonly user?: string
  /** The public id of the client key that the call came with. */
  readonly key?: string
  readonly tags?: Readonly<Record<string, string>>
}

/** One run with its totals. Its costs are a lower bound while `unpricedCalls` is not 0. */
export interface RunJson extends Omit<AttributionJson, 'run' | 'step' | 'tags'> {
  readonly run: string
  readonly parent?: string
  readonly startedAt: Instant
  /** Of the last call seen, or of the end record. */
  readonly endedAt: Instant
  readonly durationMs: number
  /** No end record has come yet. */
  readonly isOpen: boolean
  readonly status?: RunStatus
  readonly stopReason?: StopReason
  readonly budgetUsd?: Usd
  readonly costUsd: Usd
  readonly llmCostUsd: Usd
  readonly toolCostUsd: Usd
  readonly calls: number
  readonly llmCalls: number
  readonly toolCalls: number
  readonly retries: number
  readonly errors: number
  readonly tokens: number
  readonly promptTokens: number
  readonly completionTokens: number
  readonly unpricedCalls: number
}

export type RunSort = 'newest' | 'costliest' | 'longest' | 'tokens'

/** `GET /v1/runs`. `next` is the `after` of the following page; absent on the last one. */
export interface RunsAnswer {
  readonly from: Instant
  readonly to: Instant
  readonly runs: readonly RunJson[]
  readonly next?: string
}

/** `GET /v1/runs/:id`: the run, its calls in the order in which they were made, and its sub-runs. */
export interface RunDetailJson {
  readonly run: RunJson
  readonly calls: readonly RunCallJson[]
  /** More calls exist than one answer holds. */
  readonly hasMore: boolean
  readonly children: readonly RunJson[]
}

/** `costSoFarUsd`: what the run's own calls had cost once this one was over. */
export type RunCallJson = CallJson & { readonly costSoFarUsd: Usd }

interface CallBase extends AttributionJson {
  readonly id: string
  readonly at: Instant
  readonly source: Source
  readonly status: CallStatus
  readonly error?: string
  readonly durationMs?: number
  /** 0 for the first try; a retry is a call of its own. */
  readonly attempt: number
  readonly callKey?: string
  readonly charge: ChargeJson
  /** The entry that this one takes the place of, with the corrector's reason. */
  readonly corrects?: string
  readonly reason?: string
}

export interface ModelCallJson extends CallBase {
  readonly kind: 'llm'
  readonly provider: string
  readonly model: string
  readonly requestedModel?: string
  readonly operation?: string
  readonly tier?: string
  readonly speed?: string
  readonly region?: string
  readonly usage: Readonly<Partial<Record<Unit, number>>>
  readonly quality: UsageQuality
  readonly flags?: readonly UsageFlag[]
  readonly promptTokens: number
  readonly completionTokens: number
  readonly firstByteMs?: number
  readonly promptHash?: string
}

export interface ToolCallJson extends CallBase {
  readonly kind: 'tool'
  readonly tool: string
}

/** A call with its charge: one entry of the ledger. */
export type CallJson = ModelCallJson | ToolCallJson

/** The start or the end of a run, as the live stream tells of it. */
export interface RunRecordJson extends AttributionJson {
  readonly kind: 'run'
  readonly id: string
  readonly at: Instant
  readonly source: Source
  readonly run: string
  readonly phase: 'start' | 'end'
  readonly parent?: string
  readonly status?: RunStatus
  readonly stopReason?: StopReason
  readonly budgetUsd?: Usd
}

/** What one call cost. `totalUsd` is the sum of the lines, but for `reported`, whose total is the provider's word. */
export type ChargeJson =
  | {
      readonly basis: Exclude<Basis, 'unpriced'>
      readonly totalUsd: Usd
      readonly lines: readonly LineJson[]
      /** Version of the price book; absent where none was needed. */
      readonly book?: string
      /** With a reported total: what the book makes of the same usage. */
      readonly computedUsd?: Usd
      /** Units that were used and have no rate: the total is a lower bound. */
      readonly unpricedUnits?: readonly Unit[]
    }
  | { readonly basis: 'unpriced'; readonly reason: UnpricedReason }

/** `totalUsd` = `count` × `rateUsd` ÷ `per` (× `multiplier`). */
export interface LineJson {
  readonly unit: Unit
  readonly count: number
  readonly rateUsd: Usd
  readonly per: number
  /** An exact decimal such as "1.1". */
  readonly multiplier?: string
  /** The unit whose rate was used, where the model lists none for this one. */
  readonly pricedAs?: Unit
  readonly totalUsd: Usd
}

/** `GET /v1/entries`: raw counted entries from oldest to newest. */
export interface EntriesAnswer {
  readonly from: Instant
  readonly to: Instant
  readonly entries: readonly CallJson[]
  readonly next?: string
}

export interface SessionJson {
  readonly session: string
  readonly runs: number
  readonly calls: number
  readonly retries: number
  readonly errors: number
  readonly costUsd: Usd
  readonly tokens: number | string
  readonly promptTokens: number | string
  readonly completionTokens: number | string
}

/** `GET /v1/sessions`: the costliest of the period. `hasMore`: some are left out by `limit`. */
export interface SessionsAnswer {
  readonly from: Instant
  readonly to: Instant
  readonly sessions: readonly SessionJson[]
  readonly hasMore: boolean
}

/** `GET /v1/sessions/:id`: one session over the period, and its runs, newest first. */
export interface SessionDetailJson {
  readonly from: Instant
  readonly to: Instant
  readonly session: SessionJson
  readonly runs: readonly RunJson[]
  readonly next?: string
}

/** A message of `GET /v1/stream`: the `data` of a server-sent event whose `event` is its `type` and whose `id` is its cursor. */
export type StreamMessage =
  /** First of all: from where the stream tells, and the clock of the server. */
  | { readonly type: 'open'; readonly cursor: string; readonly now: Instant }
  | { readonly type: 'call'; readonly call: CallJson }
  | { readonly type: 'run'; readonly run: RunRecordJson }
  /** The reader was too slow and entries were left out: ask again for what is shown, then go on. */
  | { readonly type: 'gap'; readonly cursor: string }

/** One line of `POST /v1/quote`: what a provider answered, or usage as counts. */
export interface QuoteRequest {
  readonly dialect?: string
  readonly provider?: string
  readonly model?: string
  readonly at?: string | number
  readonly body?: unknown
  readonly stream?: string
  readonly usage?: Readonly<Partial<Record<Unit, number>>>
}

export interface QuoteAnswer {
  readonly provider?: string
  readonly model?: string
  readonly dialect?: string
  readonly usage: Readonly<Partial<Record<Unit, number>>>
  readonly quality?: UsageQuality
  readonly flags?: readonly UsageFlag[]
  readonly charge: ChargeJson
}

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
  readonly promptTokens: number
  readonly outputMax?: number
  readonly tier?: string
  readonly speed?: string
  readonly region?: string
  readonly runBudgetUsd?: string
}

/** Status 200 when allowed, 402 when refused. `reservation` is absent where no budget binds the call. */
export type ReserveAnswer =
  | { readonly allowed: true; readonly reservation?: string }
  | { readonly allowed: false; readonly refusal: Refusal; readonly error: ErrorJson['error'] }

/** `POST /v1/budgets/settle`. Ids that are unknown or expired are ignored. */
export interface SettleRequest {
  readonly reservations: readonly string[]
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
  readonly multiply?: string
  readonly rates?: RatesAnswer
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

/** `GET /v1/about`: what runs here, for a first page and for support. */
export interface AboutAnswer {
  readonly version: string
  readonly now: Instant
  readonly startedAt: Instant
  readonly book: string
  readonly needsKey: boolean
  readonly ledger: {
    readonly engine: string
    readonly version: string
    readonly schema: number
    readonly entries: number
    readonly bytes: number
  }
  /** Which optional parts are wired. */
  readonly has: {
    readonly budgets: boolean
    readonly alerts: boolean
    readonly readings: boolean
    readonly prices: boolean
    readonly gateway: boolean
  }
}

/** `GET /healthz`: the process answers. */
export interface HealthAnswer {
  readonly status: 'ok'
  readonly version: string
}

/** `GET /readyz`: 200 when the ledger answers, else 503. */
export interface ReadyAnswer {
  readonly status: 'ready' | 'not-ready'
  readonly reason?: string
}
