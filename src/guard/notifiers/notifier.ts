import type { AlertRecord } from '../../ledger/alert-store.ts'

/** What a notifier is told: alerts that changed in the same round, one message. */
export interface Notice {
  /** The same for every attempt: receivers that look at ids show it once. */
  readonly id: string
  readonly transition: 'firing' | 'resolved'
  /** One at least; grouped by rule. */
  readonly alerts: readonly AlertRecord[]
  /** Address of the dashboard, for links; absent when nobody said it. */
  readonly dashboardUrl?: string
}

/** Somewhere to tell people. `send` resolves when the receiver has taken the notice, and rejects with a reason that holds no secret. */
export interface Notifier {
  readonly name: string
  /** It takes an alert for ended when it has not heard of it for some time, and is told this often of what still holds. Absent: once is enough. */
  readonly remindMs?: number
  send(notice: Notice, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
