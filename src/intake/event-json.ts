/**
 * A usage event as any client may send it. Only `id`, `at`, `kind` and what was used are required; `rawUsage` with `dialect` may
 * stand for `usage`, so that a client in any language passes on what its provider said. Unknown fields are ignored and counted.
 */
export interface EventJson {
  readonly id: string
  /** ISO 8601 with a zone, or UTC milliseconds. */
  readonly at: string | number
  readonly kind: 'llm' | 'tool' | 'run'
  readonly source?: 'sdk' | 'otlp' | 'import'

  readonly agent?: string
  readonly session?: string
  readonly run?: string
  readonly step?: string
  readonly task?: string
  readonly release?: string
  readonly environment?: string
  readonly team?: string
  readonly user?: string
  readonly tags?: Readonly<Record<string, string>>

  readonly status?: string
  readonly error?: string
  readonly durationMs?: number
  readonly attempt?: number
  readonly callKey?: string

  readonly provider?: string
  readonly model?: string
  readonly requestedModel?: string
  readonly operation?: string
  readonly usage?: Readonly<Record<string, number>>
  readonly quality?: string
  readonly flags?: readonly string[]
  readonly dialect?: string
  readonly rawUsage?: unknown
  readonly tier?: string
  readonly speed?: string
  readonly region?: string
  readonly firstByteMs?: number
  readonly promptHash?: string
  /** Decimal dollars: what the provider says the call cost. */
  readonly reportedCostUsd?: string

  readonly tool?: string
  /** How many of the tool's own unit it used, for tools that are priced by one. */
  readonly units?: number
  /** Decimal dollars: what a tool call cost. */
  readonly costUsd?: string

  readonly phase?: 'start' | 'end'
  readonly parent?: string
  readonly stopReason?: string
  readonly budgetUsd?: string
}

export const rejections = [
  'malformed-json',
  'not-an-object',
  'bad-id',
  'bad-time',
  'time-out-of-range',
  'bad-kind',
  'bad-field',
  'bad-usage',
  'unknown-unit',
  'negative-count',
  'fractional-count',
  'count-too-large',
  'unknown-dialect',
  'bad-money',
  'event-too-large',
] as const
export type RejectionReason = (typeof rejections)[number]

/** The outcome of one event, in the order in which they came. A rejected one has lost nothing else of its batch. */
export type ItemResult =
  | {
      readonly id: string
      readonly outcome: 'accepted' | 'duplicate'
      /** What the call was charged, decimal dollars; absent for run records and for calls whose basis is `unpriced`. */
      readonly costUsd?: string
      readonly basis?: string
    }
  | { readonly id?: string; readonly outcome: 'rejected'; readonly reason: RejectionReason; readonly message: string }
