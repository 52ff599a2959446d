import type { CallEntry } from '../core/event.ts'
import { joinOf } from './join.ts'

/** What a ledger already keeps of one call, when another entry for it arrives. */
export interface KnownCall {
  /** The one entry that stands in the totals. */
  readonly counted: CallEntry
  /** A correction is the last word: what sources report later is kept and changes nothing. */
  readonly isCorrected: boolean
  /** What sources said, in any order, the counted one included if it is one of them. */
  readonly originals: readonly CallEntry[]
}

/** What is to be done: the newcomer is always kept; `counted` replaces the entry that stood in the totals; `joined` is kept besides. */
export interface Admission {
  readonly outcome: 'accepted' | 'duplicate' | 'joined'
  readonly counted?: CallEntry
  readonly joined?: CallEntry
}

/** Another source's report of a call that is known. */
export const admitReport = (known: KnownCall, entry: CallEntry): Admission => {
  if (known.isCorrected) return { outcome: 'duplicate' }
  const counted = joinOf([...known.originals, entry])
  if (counted.event.id === known.counted.event.id) return { outcome: 'duplicate' }
  return counted.event.id === entry.event.id ? { outcome: 'joined', counted } : { outcome: 'joined', counted, joined: counted }
}

/**
 * A correction as it is kept: it belongs to the call of the entry that it names, so it has that call's key whatever it says.
 *
 * It must name the entry that is counted now. One that names an entry that is unknown, or that another stands for already, was
 * written from a stale view: it is not kept (`duplicate`), and whoever made it reads the ledger again.
 */
export const correctionOf = (target: CallEntry, correction: CallEntry): CallEntry | undefined => {
  if (target.event.kind !== correction.event.kind) return undefined
  const { callKey: _, ...event } = correction.event
  const callKey = target.event.callKey
  return { ...correction, event: callKey === undefined ? event : { ...event, callKey } }
}

/** Calls are joined by key and kind: a tool's key never meets a model's. */
export const joinKeyOf = (entry: CallEntry): string | undefined =>
  entry.event.callKey === undefined ? undefined : `${entry.event.kind} ${entry.event.callKey}`
