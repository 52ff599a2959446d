import type { Family } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'

/** The gateway's own counters, by their form. */
export interface MeteredGateway {
  counters(): {
    readonly requests: Readonly<Record<string, number>>
    readonly inFlight: number
    readonly bytesUp: number
    readonly bytesDown: number
    readonly events: Readonly<Record<'accepted' | 'duplicate' | 'rejected' | 'spooled' | 'lost', number>>
    readonly waitingEvents: number
    readonly spoolBytes: number
    readonly isLedgerFailing: boolean
  }
}

export const gaugeGateway = (family: (name: MetricName) => Family, gateway: MeteredGateway): void => {
  const counters = gateway.counters()
  for (const [outcome, count] of Object.entries(counters.requests))
    family('taximeter_gateway_requests_total').series(outcome).truth = BigInt(count)
  for (const outcome of ['accepted', 'duplicate', 'rejected', 'spooled', 'lost'] as const)
    family('taximeter_gateway_events_total').series(outcome).truth = BigInt(counters.events[outcome])
  family('taximeter_gateway_in_flight').series().truth = BigInt(counters.inFlight)
  family('taximeter_gateway_bytes_total').series('up').truth = BigInt(counters.bytesUp)
  family('taximeter_gateway_bytes_total').series('down').truth = BigInt(counters.bytesDown)
  family('taximeter_gateway_waiting_events').series().truth = BigInt(counters.waitingEvents)
  family('taximeter_gateway_spool_bytes').series().truth = BigInt(counters.spoolBytes)
  family('taximeter_gateway_ledger_failing').series().truth = counters.isLedgerFailing ? 1n : 0n
}
