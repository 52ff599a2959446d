import type { Answer } from '../core/answer.ts'
import type { Attribution } from '../core/attribution.ts'
import type { Charge } from '../core/charge.ts'
import type { Call, CallEntry, Entry, RunStatus, StopReason } from '../core/event.ts'
import type { PicoUsd } from '../core/money.ts'
import type { Filter, ListOrder, Question } from '../core/question.ts'

/**
 * The ledger's one interface. Every method is required; store.contract.ts is what each must do, whatever is underneath.
 *
 * Entries are only ever added. Writing an id again changes nothing. Of several entries with one call key the most
 * authoritative source is counted and the others add the attributes that it lacks (see join.ts); an entry that `corrects`
 * another takes its place in every total. What is no longer counted stays readable.
 */
export interface Store {
  /** Durable when it resolves. One outcome per entry, in order. Rejects as a whole (LEDGER_FAILED, LEDGER_BUSY) and then has kept nothing. */
  append(batch: readonly Entry[]): Promise<readonly Appended[]>
  /** Measures × breakdown × interval × filter × period. */
  ask(question: Question): Promise<Answer>
  runs(filter: RunFilter, page: Page): Promise<RunPage>
  run(id: string): Promise<RunDetail | undefined>
  /** The sessions that have a counted call in the period. What they cost is asked as a question. */
  sessions(filter: SessionFilter, page: Page): Promise<SessionPage>
  /** Counted entries from oldest to newest, by time and then id: for exports, repricing and raw checks. */
  entries(filter: EntryFilter, page: Page): Promise<EntryPage>
  /** The live tail: entries after a cursor in the order in which they were kept; waits for more until the signal aborts. */
  follow(after: Cursor, signal: AbortSignal): AsyncIterable<Followed>
  /** The cursor of the newest entry. */
  head(): Promise<Cursor>
  /** What the ledger is: engine, path, schema version, rows, bytes, settings: for `doctor` and `/readyz`. */
  describe(): Promise<StoreDescription>
  close(): Promise<void>
}

/**
 * `accepted`: counted. `duplicate`: this id, or this call by a source at least as authoritative, was there already.
 * `joined`: the call was there, and this entry changed what is known of it. `counted` and `uncounted` say what came into the
 * totals and what left them, so that running counters stay exact.
 */
export interface Appended {
  readonly id: string
  readonly outcome: 'accepted' | 'duplicate' | 'joined'
  readonly counted?: CallEntry
  readonly uncounted?: CallEntry
}

/** Opaque position in the order of keeping. */
export type Cursor = string

export interface Followed {
  readonly cursor: Cursor
  readonly entry: Entry
  /** False for a call that another entry stands for by now: it is in the tail and in no total. True for run records. */
  readonly isCounted: boolean
}

export interface Page {
  readonly limit: number
  readonly after?: string
}

export const pageLimitMax = 1_000

export interface RunFilter {
  readonly where: readonly Filter[]
  /** By the run's start, UTC ms. */
  readonly from: number
  readonly to: number
  readonly sort: ListOrder
}

export interface SessionFilter {
  /** Of calls: a session is listed when one of its calls passes, and ranked by those that do. */
  readonly where: readonly Filter[]
  readonly from: number
  readonly to: number
  readonly sort: ListOrder
}

export interface SessionPage {
  readonly sessions: readonly SessionTimes[]
  readonly next?: string
}

/** From its first to its last entry in the period, run records and uncounted reports included, whatever the filter. */
export interface SessionTimes {
  readonly session: string
  readonly startedAt: number
  readonly endedAt: number
}

/** One run with its totals, as kept beside the entries and updated with them. */
export interface RunSummary extends Omit<Attribution, 'run' | 'step' | 'tags'> {
  readonly run: string
  readonly parent?: string
  readonly startedAt: number
  /** Of the last call or the end record. */
  readonly endedAt: number
  readonly isOpen: boolean
  readonly status?: RunStatus
  readonly stopReason?: StopReason
  readonly budget?: PicoUsd
  readonly llmCost: PicoUsd
  readonly toolCost: PicoUsd
  readonly llmCalls: number
  readonly toolCalls: number
  readonly retries: number
  readonly errors: number
  readonly promptTokens: number
  readonly completionTokens: number
  /** Calls whose charge is `unpriced`: the cost is a lower bound when this is not 0. */
  readonly unpricedCalls: number
}

export interface RunPage {
  readonly runs: readonly RunSummary[]
  readonly next?: string
}

export interface RunDetail {
  readonly summary: RunSummary
  /** In the order in which they were made. At most `runCallsMax`; `hasMore` says that some are left out. */
  readonly calls: readonly { readonly call: Call; readonly charge: Charge }[]
  readonly hasMore: boolean
  readonly children: readonly RunSummary[]
}

export const runCallsMax = 10_000

export interface EntryFilter {
  readonly where: readonly Filter[]
  readonly from: number
  readonly to: number
  /** Also those that were corrected, joined or reported by a lesser source. */
  readonly withUncounted?: boolean
}

export interface EntryPage {
  readonly entries: readonly CallEntry[]
  readonly next?: string
}

export interface StoreDescription {
  readonly engine: string
  readonly version: string
  readonly place: string
  readonly schema: number
  readonly entries: number
  readonly bytes: number
  readonly settings: Readonly<Record<string, string>>
}
