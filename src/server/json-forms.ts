import type { Attribution } from '../core/attribution.ts'
import type { ErrorCode } from '../core/errors.ts'

// What the forms of api.ts are made of; they are told there.

/** Decimal dollars: "0.000117650000". */
export type Usd = string
/** ISO 8601, UTC: "2026-11-22T10:00:00.000Z". */
export type Instant = string

/** Any answer whose status is 400 or above. */
export interface ErrorJson {
  readonly error: { readonly code: ErrorCode; readonly message: string }
}

/** The names of what a call or run belongs to; absent: not said. */
export type AttributionJson = Attribution
