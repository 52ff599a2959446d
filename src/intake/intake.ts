import { amountOf, type Basis, bases } from '../core/charge.ts'
import type { CallEntry, Entry, RunRecord, UsageEvent } from '../core/event.ts'
import { formatUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price-book.ts'
import { settleCharge, type ToolPrices, toolCharge } from '../core/settle.ts'
import { type UsageFlag, usageFlags } from '../core/usage.ts'
import type { Appended, Store } from '../ledger/store.ts'
import { type ItemResult, type RejectionReason, rejections } from './event-json.ts'
import { type ParseContext, parseEvent, Rejection } from './parse-event.ts'
import { withRawUsage } from './raw-usage.ts'

export interface IntakeOptions {
  readonly store: Pick<Store, 'append'>
  /** Asked for at every batch, so that a reload of the configuration is a plain assignment. */
  readonly book: () => PriceBook
  readonly toolPrices?: () => ToolPrices
  /** UTC milliseconds. */
  readonly now: () => number
}

/** Counted since the process began; /metrics prints them. */
export interface IntakeCounters {
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: Readonly<Record<RejectionReason, number>>
  /** Counted calls by how sure their charge is. */
  readonly basis: Readonly<Record<Basis, number>>
  readonly missingUsage: number
  readonly flags: Readonly<Record<UsageFlag, number>>
  /** Batches that the ledger did not take; their events were not acknowledged. */
  readonly failedBatches: number
  /** Batches given to the ledger whose listeners have not all been told yet. */
  readonly inFlight: number
}

export type CountedListener = (counted: CallEntry | undefined, uncounted: CallEntry | undefined) => void

/** The one door to the ledger: every source's events are validated, priced and kept here, and nowhere else. */
export interface Intake {
  /**
   * One result per event, in order, once all of them are durable. A bad event is rejected by itself; it loses nothing else.
   * Rejects only when the ledger kept nothing of the batch: send the same events again, ids make that safe.
   */
  admit(events: readonly unknown[], from?: Omit<ParseContext, 'now'>): Promise<readonly ItemResult[]>
  /**
   * Calls that this process saw itself and has priced with the same book. To read, check and price them once more would cost
   * 2.4 µs each (on the machine of bench/gateway). Resolves and rejects as `admit` does.
   */
  keep(entries: readonly CallEntry[]): Promise<readonly Appended[]>
  /** Called after a batch is durable, for each call that came into the totals or left them. Returns how to stop listening. */
  onCounted(listener: CountedListener): () => void
  onRun(listener: (record: RunRecord) => void): () => void
  counters(): IntakeCounters
}

export const createIntake = (options: IntakeOptions): Intake => {
  const counters = emptyCounters()
  const countedListeners = new Set<CountedListener>()
  const runListeners = new Set<(record: RunRecord) => void>()

  const priced = (event: UsageEvent): Entry => {
    if (event.kind === 'run') return { event }
    if (event.kind === 'tool') return { event, charge: toolCharge(event, options.toolPrices?.()) }
    return { event, charge: settleCharge(event, options.book()) }
  }

  const tell = (appended: Appended): void => {
    if (appended.counted === undefined && appended.uncounted === undefined) return
    if (appended.counted !== undefined && appended.outcome === 'accepted') countCall(counters, appended.counted)
    for (const listener of countedListeners) listener(appended.counted, appended.uncounted)
  }

  const keep = async (entries: readonly Entry[]): Promise<readonly Appended[]> => {
    if (entries.length === 0) return []
    counters.inFlight += 1
    try {
      const appended = await appendCounting(options.store, entries, counters)
      appended.forEach((outcome, position) => {
        const event = entries[position]?.event
        counters[outcome.outcome === 'accepted' ? 'accepted' : 'duplicate'] += 1
        tell(outcome)
        if (event?.kind === 'run' && outcome.outcome === 'accepted') for (const listener of runListeners) listener(event)
      })
      return appended
    } finally {
      counters.inFlight -= 1
    }
  }

  const admit: Intake['admit'] = async (events, from = { source: 'sdk' }) => {
    const context = { ...from, now: options.now() }
    const results = new Array<ItemResult | undefined>(events.length)
    const entries: Entry[] = []
    /** Which result each entry belongs to: an answer with an advisor's model inside is two entries of one event. */
    const owners: number[] = []
    events.forEach((json, index) => {
      try {
        for (const event of withRawUsage(parseEvent(json, context), json)) {
          entries.push(priced(event))
          owners.push(index)
        }
      } catch (error) {
        if (!(error instanceof Rejection)) throw error
        counters.rejected[error.reason] += 1
        results[index] = rejected(json, error)
      }
    })
    const appended = await keep(entries)
    entries.forEach((entry, position) => {
      const owner = owners[position]
      const outcome = appended[position]
      if (owner !== undefined && outcome !== undefined) results[owner] ??= resultOf(entry, outcome)
    })
    return results as ItemResult[]
  }

  return {
    admit,
    keep,
    onCounted: (listener) => listening(countedListeners, listener),
    onRun: (listener) => listening(runListeners, listener),
    counters: () => counters,
  }
}

const listening = <Listener>(listeners: Set<Listener>, listener: Listener): (() => void) => {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

const appendCounting = async (
  store: Pick<Store, 'append'>,
  entries: readonly Entry[],
  counters: Counters,
): Promise<readonly Appended[]> => {
  try {
    return await store.append(entries)
  } catch (error) {
    counters.failedBatches += 1
    throw error
  }
}

const rejected = (json: unknown, error: Rejection): ItemResult => {
  const id = typeof json === 'object' && json !== null && 'id' in json && typeof json.id === 'string' ? json.id.slice(0, 36) : undefined
  return { ...(id === undefined ? undefined : { id }), outcome: 'rejected', reason: error.reason, message: error.message }
}

const resultOf = (entry: Entry, appended: Appended): ItemResult => {
  const outcome = appended.outcome === 'accepted' ? 'accepted' : 'duplicate'
  const id = entry.event.id
  if (entry.charge === undefined) return { id, outcome }
  if (entry.charge.basis === 'unpriced') return { id, outcome, basis: 'unpriced' }
  return { id, outcome, basis: entry.charge.basis, costUsd: formatUsd(amountOf(entry.charge)) }
}

interface Counters extends IntakeCounters {
  accepted: number
  duplicate: number
  readonly rejected: Record<RejectionReason, number>
  readonly basis: Record<Basis, number>
  missingUsage: number
  readonly flags: Record<UsageFlag, number>
  failedBatches: number
  inFlight: number
}

const zeros = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>

const emptyCounters = (): Counters => ({
  accepted: 0,
  duplicate: 0,
  rejected: zeros(rejections),
  basis: zeros(bases),
  missingUsage: 0,
  flags: zeros(usageFlags),
  failedBatches: 0,
  inFlight: 0,
})

const countCall = (counters: Counters, { event, charge }: CallEntry): void => {
  counters.basis[charge.basis] += 1
  if (event.kind !== 'llm') return
  if (event.quality === 'missing') counters.missingUsage += 1
  for (const flag of event.flags ?? []) counters.flags[flag] += 1
}
