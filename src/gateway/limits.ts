/** Every limit of the gateway, its default and why. All can be set where the gateway is made; docs/reference/gateway.md lists them. */
export interface GatewayLimits {
  /** Calls under way at once; the next one is answered 503. */
  readonly inFlightMax: number
  /** Connections to one upstream; calls past it wait for a free one. */
  readonly connectionsMax: number
  /** Largest request body that passes. OpenAI takes files up to 512 MB. */
  readonly requestBytesMax: number
  /** A metered request is held back until it is whole or this long, so that a budget sees its model and its own output limit. */
  readonly requestHoldBytesMax: number
  /** A whole answer is held back up to this size, so that its headers can say what it cost. */
  readonly answerHoldBytesMax: number
  /** An answer that trickles in (a provider that sends blanks to keep the line alive) is passed on after this long. */
  readonly answerHoldMsMax: number
  /** Held bytes of all calls together; past it, bodies are passed on as they come. */
  readonly heldBytesMax: number
  /** How long, and for how many bytes, an answer is read on after its client has left, where the policy is `drain`. */
  readonly drainMsMax: number
  readonly drainBytesMax: number
  /** A client that takes nothing for this long is given up. */
  readonly clientStallMsMax: number
  /** Events waiting for the ledger in memory; more go to the spool. */
  readonly waitingEventsMax: number
  /** Events handed to the ledger at once. */
  readonly batchEventsMax: number
  /** The ledger counts as failing when it has not answered for this long. */
  readonly admitMsMax: number
  /** Events on disk that wait for the ledger; past it they are lost, and counted. About 500,000 calls. */
  readonly spoolBytesMax: number
}

const mebibyte = 1_048_576

export const gatewayLimits: GatewayLimits = {
  inFlightMax: 4_096,
  connectionsMax: 1_024,
  requestBytesMax: 600 * mebibyte,
  requestHoldBytesMax: 4 * mebibyte,
  answerHoldBytesMax: mebibyte,
  answerHoldMsMax: 2_000,
  heldBytesMax: 64 * mebibyte,
  drainMsMax: 300_000,
  drainBytesMax: 64 * mebibyte,
  clientStallMsMax: 300_000,
  waitingEventsMax: 20_000,
  batchEventsMax: 1_000,
  admitMsMax: 30_000,
  spoolBytesMax: 256 * mebibyte,
}
