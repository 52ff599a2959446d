/** Every maximum of the HTTP side. Each is tested at the limit and past it. */
export interface ServerLimits {
  /** One body, before and after it is decompressed. */
  readonly bodyBytesMax: number
  /** All bodies that are being read or worked on, together. */
  readonly bodiesBytesMax: number
  /** Events of one request. */
  readonly eventsMax: number
  /** One line of NDJSON. */
  readonly eventBytesMax: number
  /** Quotes of one request. */
  readonly quotesMax: number
  /** Live streams open at once. */
  readonly streamsMax: number
  /** Entries that a resumed stream tells again before it leaves a gap. */
  readonly streamReplayMax: number
  /** A comment goes down a quiet stream this often, so that neither side takes the other for dead. */
  readonly heartbeatMs: number
  /** A stream whose reader takes nothing for this long is closed. */
  readonly stalledMs: number
  /** Browsers that are signed in at once. */
  readonly sessionsMax: number
  readonly sessionMs: number
}

const mebibyte = 1_048_576

export const defaultLimits: ServerLimits = {
  bodyBytesMax: 16 * mebibyte,
  bodiesBytesMax: 128 * mebibyte,
  eventsMax: 10_000,
  eventBytesMax: 65_536,
  quotesMax: 10_000,
  streamsMax: 100,
  streamReplayMax: 10_000,
  heartbeatMs: 15_000,
  stalledMs: 60_000,
  sessionsMax: 1_000,
  sessionMs: 12 * 3_600_000,
}

/** Small bodies: a reservation, a settlement, a sign-in. */
export const smallBodyBytesMax = 65_536
export const runsPageMax = 1_000
export const sessionsMax = 500
export const pricesPageMax = 500
export const settlementsMax = 1_000
