import type { OutboxCounters } from './outbox.ts'

/** How requests to the gateway ended. `passed`: not a model call. `failed`: the gateway answered in place of the upstream. */
export const outcomes = ['ok', 'error', 'aborted', 'failed', 'refused', 'unauthorized', 'blocked', 'passed'] as const
export type Outcome = (typeof outcomes)[number]

export interface GatewayCounters {
  readonly requests: Readonly<Record<Outcome, number>>
  readonly inFlight: number
  /** Calls that could not be metered for a fault of ours. */
  readonly meterErrors: number
  /** Bodies of requests sent to upstreams, and of answers received from them. */
  readonly bytesUp: number
  readonly bytesDown: number
  readonly events: OutboxCounters
  /** Events in memory and bytes on disk that the ledger has not taken yet. */
  readonly waitingEvents: number
  readonly spoolBytes: number
  readonly isLedgerFailing: boolean
}

export interface MutableCounters {
  readonly requests: Record<Outcome, number>
  inFlight: number
  meterErrors: number
  bytesUp: number
  bytesDown: number
}

export const createCounters = (): MutableCounters => ({
  requests: { ok: 0, error: 0, aborted: 0, failed: 0, refused: 0, unauthorized: 0, blocked: 0, passed: 0 },
  inFlight: 0,
  meterErrors: 0,
  bytesUp: 0,
  bytesDown: 0,
})
