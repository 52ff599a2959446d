export type Severity = 'info' | 'warning' | 'critical'

/** One alert: a rule that holds for one segment, from when it began to hold until it no longer does. */
export interface AlertRecord {
  /** Follows from the rule, the segment and the window or the instant at which it began: the same crossing has the same id, whatever restarts. */
  readonly id: string
  readonly rule: string
  /** The segment as one text, unique within the rule. */
  readonly key: string
  readonly state: 'pending' | 'firing' | 'resolved'
  readonly severity: Severity
  /** What happened, what was expected, and which part moved. */
  readonly message: string
  readonly segment: Readonly<Record<string, string>>
  readonly value: string
  readonly threshold: string
  /** The parameters of the question behind it. */
  readonly query: string
  readonly startedAt: number
  readonly firedAt?: number
  /** Since when the rule has not held, while it waits to be resolved. */
  readonly clearSince?: number
  readonly resolvedAt?: number
  /** The window that it fires once in; absent: once until it is resolved. */
  readonly window?: string
  /** What made it so, where that could be told: `traffic`, `price`, `prompt` … (analysis/explain.ts). */
  readonly cause?: string
  /** The model that carries the cause. */
  readonly model?: string
  /** The alert that has already told of the same incident: this one is kept and shown, and nobody is told. */
  readonly partOf?: string
  /** It fired in silence, and nobody has been told yet. */
  readonly isSilenced?: boolean
}

/** A message that is owed to one notifier. It is kept until it is delivered or given up, so that a restart neither loses nor repeats it. */
export interface Delivery {
  readonly alert: string
  readonly transition: 'firing' | 'resolved'
  readonly notifier: string
  readonly attempts: number
  readonly nextAt: number
  /** `grouped`: another alert has told of it. */
  readonly outcome?: 'delivered' | 'silenced' | 'grouped' | 'given-up'
}

export interface AlertChanges {
  /** Each written over the record of the same id. */
  readonly alerts: readonly AlertRecord[]
  /** Each written over the one of the same alert, transition and notifier. */
  readonly deliveries: readonly Delivery[]
  /** Pending alerts that came to nothing. */
  readonly dropped: readonly string[]
  /** Resolved alerts older than this instant may go. */
  readonly forgetBefore: number
}

/** Where alerts outlive the process: in the ledger's file. */
export interface AlertStore {
  /** Open alerts, those resolved since `since` (UTC ms), and the deliveries that are still owed. */
  load(since: number): Promise<{ readonly alerts: readonly AlertRecord[]; readonly deliveries: readonly Delivery[] }>
  /** All of it or nothing; outlives the process from the moment it resolves. */
  write(changes: AlertChanges): Promise<void>
  /** The latest first. */
  history(limit: number): Promise<readonly AlertRecord[]>
  close(): Promise<void>
}

/** Alerts in memory, for tests and for stores without a file. */
export const memoryAlerts = (): AlertStore => {
  const alerts = new Map<string, AlertRecord>()
  const deliveries = new Map<string, Delivery>()
  return {
    load: async (since) => ({
      alerts: [...alerts.values()].filter(({ resolvedAt }) => resolvedAt === undefined || resolvedAt >= since),
      deliveries: [...deliveries.values()].filter(({ outcome }) => outcome === undefined),
    }),
    write: async (changes) => {
      for (const id of changes.dropped) alerts.delete(id)
      for (const alert of changes.alerts) alerts.set(alert.id, alert)
      for (const delivery of changes.deliveries) deliveries.set(`${delivery.alert}\n${delivery.transition}\n${delivery.notifier}`, delivery)
      for (const [id, { resolvedAt }] of alerts) if (resolvedAt !== undefined && resolvedAt < changes.forgetBefore) alerts.delete(id)
    },
    history: async (limit) =>
      [...alerts.values()]
        .filter(({ state }) => state !== 'pending')
        .sort((left, right) => right.startedAt - left.startedAt)
        .slice(0, limit),
    close: async () => {},
  }
}
