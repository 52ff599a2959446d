import { createHash } from 'node:crypto'
import type { Why } from '../../analysis/why.ts'
import type { AlertRecord } from '../../ledger/alert-store.ts'
import type { Rule } from './rule.ts'

/** Attributes and their values; an empty value stands for none. */
export type Segment = Readonly<Record<string, string>>

/** A segment for which a rule's condition holds now. */
export interface Finding {
  readonly segment: Segment
  readonly value: string
  readonly threshold: string
  readonly message: string
  readonly query: string
  /** Names the window in which it may fire once: a day, an hour, a release. Absent: once until it is resolved. */
  readonly window?: string
  /** What made it so: asked for once, when the alert fires; `firing` are the segments of the rule that fire with it. */
  readonly why?: (firing: readonly Segment[]) => Promise<Why | undefined>
}

export interface Step {
  readonly changed: readonly AlertRecord[]
  readonly dropped: readonly string[]
  /** What has to be told, each exactly once. */
  readonly told: readonly { readonly alert: AlertRecord; readonly transition: 'firing' | 'resolved' }[]
}

/** A gap shorter than this is not the end of an alert. */
const clearMsMin = 5 * 60_000

export const keyOf = (segment: Segment): string =>
  JSON.stringify(Object.entries(segment).sort(([left], [right]) => (left < right ? -1 : 1)))

const idOf = (rule: string, key: string, since: string): string =>
  createHash('sha256')
    .update(JSON.stringify([rule, key, since]))
    .digest('hex')
    .slice(0, 32)

/**
 * One round of one rule: what is known of its alerts, and what holds now → what changes and what has to be told. Pure: the same
 * round again changes nothing. `known` are the rule's open alerts and the resolved ones that may still keep a window quiet.
 *
 * pending → firing once the condition has held for `forMs`; firing → resolved once it has not held for as long, five minutes at
 * least. A finding with a window fires once in that window; one without, not within `quietMs` of its last end.
 */
export const stepRule = (rule: Rule, known: readonly AlertRecord[], findings: readonly Finding[], now: number): Step => {
  const changed: AlertRecord[] = []
  const dropped: string[] = []
  const told: { alert: AlertRecord; transition: 'firing' | 'resolved' }[] = []
  const holding = new Map(findings.map((finding) => [keyOf(finding.segment), finding]))

  const fire = (alert: AlertRecord): AlertRecord => {
    const firing: AlertRecord = { ...alert, state: 'firing', firedAt: now }
    told.push({ alert: firing, transition: 'firing' })
    return firing
  }

  for (const alert of known.map((each) => notAhead(each, now))) {
    if (alert.state === 'resolved') continue
    const finding = holding.get(alert.key)
    const isNextWindow = finding?.window !== undefined && finding.window !== alert.window
    if (finding !== undefined && !isNextWindow) {
      const { clearSince: _, ...held } = alert
      const updated: AlertRecord = alert.state === 'firing' ? held : { ...held, message: finding.message, value: finding.value }
      if (alert.state === 'pending' && now - alert.startedAt >= rule.forMs) changed.push(fire(updated))
      else if (alert.clearSince !== undefined) changed.push(updated)
      holding.delete(alert.key)
      continue
    }
    if (alert.state === 'pending') {
      dropped.push(alert.id)
      continue
    }
    const clearSince = alert.clearSince ?? now
    if (isNextWindow || now - clearSince >= Math.max(rule.forMs, clearMsMin)) {
      const { clearSince: _, ...held } = alert
      const resolved: AlertRecord = { ...held, state: 'resolved', resolvedAt: now }
      changed.push(resolved)
      told.push({ alert: resolved, transition: 'resolved' })
    } else if (alert.clearSince === undefined) changed.push({ ...alert, clearSince })
  }

  for (const [key, finding] of holding) {
    if (isQuiet(rule, known, key, finding, now)) continue
    const begun: AlertRecord = {
      id: idOf(rule.name, key, finding.window ?? `since ${now}`),
      rule: rule.name,
      key,
      state: 'pending',
      severity: rule.severity,
      message: finding.message,
      segment: finding.segment,
      value: finding.value,
      threshold: finding.threshold,
      query: finding.query,
      startedAt: now,
      ...(finding.window !== undefined && { window: finding.window }),
    }
    changed.push(rule.forMs === 0 ? fire(begun) : begun)
  }
  return { changed, dropped, told }
}

/** After a clock was set back, what began in its future begins now: it must not wait until that future comes. */
const notAhead = (alert: AlertRecord, now: number): AlertRecord =>
  alert.startedAt <= now && (alert.clearSince ?? 0) <= now
    ? alert
    : {
        ...alert,
        startedAt: Math.min(alert.startedAt, now),
        ...(alert.clearSince !== undefined && { clearSince: Math.min(alert.clearSince, now) }),
      }

const isQuiet = (rule: Rule, known: readonly AlertRecord[], key: string, finding: Finding, now: number): boolean =>
  known.some(
    (alert) =>
      alert.key === key &&
      alert.state === 'resolved' &&
      (finding.window === undefined ? isWithin(rule.quietMs, alert.resolvedAt ?? 0, now) : alert.window === finding.window),
  )

const isWithin = (spanMs: number, since: number, now: number): boolean => since <= now && now - since < spanMs
