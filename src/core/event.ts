import type { Attribution } from './attribution.ts'
import type { Charge } from './charge.ts'
import type { PicoUsd } from './money.ts'
import type { Usage, UsageFlag, UsageQuality } from './usage.ts'
import type { Variant } from './variant.ts'

export const sources = ['gateway', 'sdk', 'otlp', 'import'] as const
/** Where a usage event came from, the most authoritative first: of several that tell of one call, the first is charged. */
export type Source = (typeof sources)[number]

export const callStatuses = ['ok', 'error', 'aborted'] as const
export type CallStatus = (typeof callStatuses)[number]

export const runStatuses = ['ok', 'error', 'cancelled'] as const
export type RunStatus = (typeof runStatuses)[number]

export const stopReasons = ['completed', 'max_steps', 'tool_error', 'llm_error', 'step_error', 'budget_exceeded', 'cancelled'] as const
export type StopReason = (typeof stopReasons)[number]

interface EventBase extends Attribution {
  /** A UUID in lower case, made by whoever saw the call; version 7, so that ids sort by time. */
  readonly id: string
  /** Start of the call, UTC milliseconds. */
  readonly at: number
  readonly source: Source
}

/** One attempt to have a model answer. */
export interface ModelCall extends EventBase, Variant {
  readonly kind: 'llm'
  readonly provider: string
  /** The model that was billed, which may differ from the one asked for. */
  readonly model: string
  readonly requestedModel?: string
  readonly operation?: string
  readonly usage: Usage
  readonly quality: UsageQuality
  readonly flags?: readonly UsageFlag[]
  readonly status: CallStatus
  /** A short code of what failed ("429", "overloaded_error"), never a provider's sentence: those can hold user text. */
  readonly error?: string
  readonly durationMs?: number
  /** Milliseconds to the first byte of the answer. */
  readonly firstByteMs?: number
  /** 0 for the first try; a retry is a call of its own. */
  readonly attempt: number
  /** Keyed hash of the prompt (HMAC-SHA-256, first 16 bytes, hexadecimal). */
  readonly promptHash?: string
  /** `provider:response id`: what several sources call the same call. */
  readonly callKey?: string
  /** What the provider says that the call cost. */
  readonly reportedCost?: PicoUsd
}

/** One use of a tool. Its price is the caller's to say; without one it is unpriced. */
export interface ToolCall extends EventBase {
  readonly kind: 'tool'
  readonly tool: string
  readonly cost?: PicoUsd
  /** How many of the tool's own unit (pages, megabytes) it used, for tools that are priced by one. */
  readonly units?: number
  readonly status: CallStatus
  readonly error?: string
  readonly durationMs?: number
  readonly attempt: number
  readonly callKey?: string
}

/** The start or the end of a run. Costs nothing; carries what the run's calls do not know. */
export interface RunRecord extends EventBase {
  readonly kind: 'run'
  readonly run: string
  readonly phase: 'start' | 'end'
  readonly parent?: string
  readonly status?: RunStatus
  readonly stopReason?: StopReason
  readonly budget?: PicoUsd
}

export type Call = ModelCall | ToolCall
export type UsageEvent = Call | RunRecord

/**
 * A usage event with its charge, as kept in the ledger; never rewritten.
 *
 * `corrects` names the entry that this one takes the place of: that one stays readable and is no longer counted.
 */
export type Entry = CallEntry | RunEntry

export interface CallEntry {
  readonly event: Call
  readonly charge: Charge
  readonly corrects?: string
  /** Who corrected and why, in the corrector's words. */
  readonly reason?: string
}

export interface RunEntry {
  readonly event: RunRecord
  readonly charge?: undefined
}
