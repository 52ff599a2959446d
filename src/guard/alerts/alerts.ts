import type { CallEntry } from '../../core/event.ts'
import type { AlertRecord, AlertStore, Delivery } from '../../ledger/alert-store.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import { stepRule } from './alert-states.ts'
import { createCallWatch } from './call-watch.ts'
import { findingsOf } from './conditions.ts'
import { createDeliveries } from './deliveries.ts'
import type { Evidence } from './evidence.ts'
import type { Rule } from './rule.ts'
import { isSilenced, type Silence } from './silence.ts'

export interface AlertsOptions {
  readonly rules: readonly Rule[]
  readonly silences: readonly Silence[]
  readonly notifiers: readonly Notifier[]
  readonly store: AlertStore
  readonly evidence: Omit<Evidence, 'now'>
  /** UTC ms. */
  readonly now: () => number
  /** A number from 0 to 1: the jitter of retries. */
  readonly random: () => number
  readonly zone: string
  /** Told of what failed inside: a rule that could not be evaluated, a store that could not be written. */
  readonly onError: (error: unknown, rule?: string) => void
}

export interface Alerts {
  /** A counted call, as intake tells of it. */
  observe(entry: CallEntry): void
  /** One round of all rules. Rounds never overlap: a call while one runs joins it. */
  evaluate(): Promise<void>
  /** Open alerts first, then the latest. */
  list(limit: number): Promise<readonly AlertRecord[]>
  /** Resolves when what is due at the notifiers has been tried. */
  delivered(): Promise<void>
  counters(): AlertCounters
  close(): Promise<void>
}

export interface AlertCounters {
  readonly rounds: number
  readonly failedRules: number
  readonly fired: number
  readonly resolved: number
  readonly delivered: number
  readonly deliveryFailures: number
  readonly givenUp: number
  readonly lastRoundMs: number
}

const dayMs = 86_400_000
/** Resolved alerts are kept this long: as history, and because they keep their window quiet. */
const keptMs = 90 * dayMs

/**
 * Evaluates rules and tells what they find. What is known of each alert and what is owed to each notifier is written before
 * anything is sent: after a crash nothing is lost, and what was told is not told again, but for a message whose answer was
 * still awaited (its id is the same, so that receivers that look at ids show it once).
 */
export const createAlerts = async (options: AlertsOptions): Promise<Alerts> => {
  const { rules, store, onError } = options
  const counters = { rounds: 0, failedRules: 0, fired: 0, resolved: 0, delivered: 0, deliveryFailures: 0, givenUp: 0, lastRoundMs: 0 }
  const watch = createCallWatch(rules, options.zone)
  const loaded = await store.load(options.now() - keptMs)
  const records = new Map(loaded.alerts.map((alert) => [alert.id, alert]))
  const deliveries = createDeliveries({ ...options, owed: loaded.deliveries, alertOf: (id) => records.get(id), counters })
  // A clock that jumps back must not end alerts or begin windows anew: time stands until it is reached again.
  let latest = Math.max(0, ...loaded.alerts.map((alert) => alert.resolvedAt ?? alert.firedAt ?? alert.startedAt))
  const nowForward = (): number => {
    latest = Math.max(latest, options.now())
    return latest
  }

  const keep = async (
    changed: readonly AlertRecord[],
    dropped: readonly string[],
    owed: readonly Delivery[],
    now: number,
  ): Promise<void> => {
    if (changed.length + dropped.length + owed.length === 0) return
    await store.write({ alerts: changed, dropped, deliveries: owed, forgetBefore: now - keptMs })
    for (const id of dropped) records.delete(id)
    for (const alert of changed) records.set(alert.id, alert)
    for (const [id, { resolvedAt }] of records) if (resolvedAt !== undefined && resolvedAt < now - keptMs) records.delete(id)
    deliveries.add(owed)
  }

  const evaluateRule = async (rule: Rule, now: number): Promise<void> => {
    const findings = watch.watches(rule) ? watch.take(rule) : await findingsOf(rule, { ...options.evidence, now })
    const step = stepRule(
      rule,
      [...records.values()].filter((alert) => alert.rule === rule.name),
      findings,
      now,
    )
    const owed = step.told.flatMap(({ alert, transition }) =>
      options.notifiers
        .filter(({ name }) => rule.notify === undefined || rule.notify.includes(name))
        .map(
          ({ name }): Delivery => ({
            alert: alert.id,
            transition,
            notifier: name,
            attempts: 0,
            nextAt: now,
            ...(isSilenced(options.silences, alert, now) && { outcome: 'silenced' }),
          }),
        ),
    )
    await keep(step.changed, step.dropped, owed, now)
    for (const { transition } of step.told) counters[transition === 'firing' ? 'fired' : 'resolved'] += 1
  }

  const round = async (): Promise<void> => {
    const now = nowForward()
    const begun = options.now()
    for (const rule of rules) {
      try {
        await evaluateRule(rule, now)
      } catch (error) {
        counters.failedRules += 1
        onError(error, rule.name)
      }
    }
    // Not awaited: a notifier that hangs must not hold up the next round.
    void deliveries.send(now)
    counters.rounds += 1
    counters.lastRoundMs = Math.max(0, options.now() - begun)
  }

  let running: Promise<void> | undefined
  return {
    observe: watch.observe,
    evaluate: () => {
      running ??= round().finally(() => {
        running = undefined
      })
      return running
    },
    list: async (limit) => {
      const open = [...records.values()].filter(({ state }) => state !== 'resolved').sort((left, right) => right.startedAt - left.startedAt)
      const past = (await store.history(limit)).filter(({ state }) => state === 'resolved')
      return [...open, ...past].slice(0, limit)
    },
    delivered: () => deliveries.send(nowForward()),
    counters: () => counters,
    close: async () => {
      await running
      await deliveries.close()
      await store.close()
    },
  }
}
