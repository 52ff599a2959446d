import type { Answer, AnswerRow, Value } from '../core/answer.ts'
import type { Refusal } from '../core/budget.ts'
import type { Basis, UnpricedReason } from '../core/charge.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { CallStatus, RunStatus, Source, StopReason } from '../core/event.ts'
import type { ListOrder } from '../core/question.ts'
import type { Unit } from '../core/units.ts'
import type { UsageFlag, UsageQuality } from '../core/usage.ts'
import type { EventJson, ItemResult, RejectionReason } from '../intake/event-json.ts'
import type { AttributionJson, Instant, Usd } from './json-forms.ts'

export type * from './forecast-api.ts'
export type * from './guard-api.ts'
export type * from './json-forms.ts'
export type * from './price-api.ts'

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

/** `POST /v1/events`, `POST /v1/runs`: one result per item, in the order in which they came. */
export interface IngestAnswer {
  readonly results: readonly ItemResult[]
  readonly counts: { readonly accepted: number; readonly duplicate: number; readonly rejected: number }
}

/** `GET /v1/query`. With `compare=previous` (or a period, or `release:<name>`), the same question put to what it is compared with. */
export interface QueryAnswer extends Answer {
  readonly previous?: Answer
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

export type RunSort = ListOrder

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
  /** Its first entry in the period, and its last. */
  readonly startedAt: Instant
  readonly endedAt: Instant
  readonly durationMs: number
  readonly runs: number
  readonly calls: number
  readonly retries: number
  readonly errors: number
  /** `null`: no call of it has a price. */
  readonly costUsd: Usd | null
  readonly tokens: number | string
  readonly promptTokens: number | string
  readonly completionTokens: number | string
  /** The cost is a lower bound while this or the next is not 0. */
  readonly unpricedCalls: number
  readonly partialCalls: number
  /** The cost is an estimate while this is not 0. */
  readonly estimatedCalls: number
}

/** `GET /v1/sessions`: those that have calls in the period, and what these cost. `next` is the `after` of the following page. */
export interface SessionsAnswer {
  readonly from: Instant
  readonly to: Instant
  readonly sessions: readonly SessionJson[]
  readonly next?: string
}

/** `GET /v1/sessions/:id`: one session over the period, and its runs in the order in which they began. */
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
  /** `isCounted` is false for a report that another one of the same call stands for: it is in no total. */
  | { readonly type: 'call'; readonly call: CallJson; readonly isCounted: boolean }
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
  /** True when nobody named the dialect and the answer's form told it. */
  readonly recognised?: boolean
  readonly usage: Readonly<Partial<Record<Unit, number>>>
  readonly quality?: UsageQuality
  readonly flags?: readonly UsageFlag[]
  readonly charge: ChargeJson
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
    readonly alertRules: boolean
    readonly forecast: boolean
    readonly selfCheck: boolean
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
