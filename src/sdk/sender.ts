import type { EventJson, ItemResult } from '../intake/event-json.ts'

/**
 * How the SDK reaches a ledger: over HTTP, or a ledger in the same process (`taximeter/embedded`).
 *
 * `send` resolves when the events are durable, with one result per event in order; it rejects when nothing is known to be
 * kept, and the same events are then sent again: ids make that safe.
 */
export interface Sender {
  send(events: readonly EventJson[], signal: AbortSignal): Promise<readonly ItemResult[]>
  close(): Promise<void>
}
