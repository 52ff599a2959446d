import type { AlertRecord } from '../ledger/alert-store.ts'
import type { AlertJson } from './api.ts'
import { instant } from './entry-json.ts'

/** An alert in its outside form. */
export const alertJson = (alert: AlertRecord): AlertJson => ({
  id: alert.id,
  rule: alert.rule,
  state: alert.state,
  severity: alert.severity,
  message: alert.message,
  segment: alert.segment,
  value: alert.value,
  threshold: alert.threshold,
  startedAt: instant(alert.startedAt),
  ...(alert.firedAt !== undefined && { firedAt: instant(alert.firedAt) }),
  ...(alert.resolvedAt !== undefined && { resolvedAt: instant(alert.resolvedAt) }),
  query: alert.query,
  ...(alert.cause !== undefined && { cause: alert.cause }),
  ...(alert.partOf !== undefined && { partOf: alert.partOf }),
})
