import type { PicoUsd } from '../core/money.ts'
import type { Unit } from '../core/units.ts'
import type { Usage, UsageFlag, UsageQuality } from '../core/usage.ts'
import type { Variant } from '../core/variant.ts'

/** What one answer of a provider says of the call: the common form that every dialect reads its own bytes into. */
export interface UsageReport extends Variant {
  readonly usage: Usage
  readonly quality: UsageQuality
  readonly flags: readonly UsageFlag[]
  /** The model that the answer names: the one that is billed. */
  readonly model?: string
  /** The provider's id of the answer; with the provider's name it is the call key. */
  readonly responseId?: string
  /** What the provider says the call cost. */
  readonly reportedCost?: PicoUsd
  /** Milliseconds of a machine that the answer took, where a server says so; charged only for models that are priced by the hour. */
  readonly machineMs?: number
  /** A short code when the answer is an error or ends in one ("overloaded_error"). Never a sentence. */
  readonly error?: string
  /** Other models that were billed for inside the same answer (an advisor), each at its own rate. */
  readonly also?: readonly (UsageReport & { readonly model: string })[]
}

/** What a dialect needs to know of the provider it reads, where compatible servers differ. */
export interface ReadContext {
  readonly provider: string
  /**
   * The prompt's tokens as the caller estimates them, for streams that end without telling. Without it such a stream's input is
   * left out and flagged `unknown-input`, never taken for nothing.
   */
  readonly inputEstimate?: number
}

/**
 * Reads one streamed answer as its bytes go by. `push` never throws and never keeps the bytes; `isDone` is true from the
 * terminal marker on ("[DONE]", "message_stop", `done: true`), which may be before the connection closes.
 */
export interface StreamReader {
  push(chunk: Uint8Array): void
  readonly isDone: boolean
  /** The report of what was seen so far: `complete` after the terminal marker, else `partial`, `estimated` or `missing`. May be called once, at any time. */
  end(): UsageReport
}

/**
 * What a request says before it is sent: what a budget needs to reserve, and what must be added so that the answer tells its usage.
 * The variant is the one that is asked for; the answer says which one it was.
 */
export interface RequestReport extends Variant {
  readonly model?: string
  readonly isStream: boolean
  /** The caller's own limit on output tokens. */
  readonly outputMax?: number
  readonly operation: string
}

/** How one API reports usage. One file each; the list is dialects.ts. */
export interface Dialect {
  readonly name: string
  /** Where in an answer its usage object stands; empty where the counts are fields of the answer itself. */
  readonly usagePath: readonly string[]
  /** Units that a call is only counted in when one of some words stands in its request. Absent: there are none. */
  readonly onlyWith?: readonly { readonly units: readonly Unit[]; readonly words: readonly string[] }[]
  /** True when a request to this path speaks this dialect; the path has no host and no query. */
  matchesPath(path: string): boolean
  /** True when a parsed answer (or one parsed stream record) looks like this dialect. The first of the list that says so is taken. */
  matchesBody(body: Readonly<Record<string, unknown>>): boolean
  /** The parsed request body and its path → what is known before the call. */
  ofRequest(body: Readonly<Record<string, unknown>>, path: string): RequestReport
  /** A whole parsed answer → its report. Never throws: what is odd is clamped and flagged. */
  ofBody(body: unknown, context: ReadContext): UsageReport
  createReader(context: ReadContext): StreamReader
}
