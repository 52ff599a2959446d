import type { CallEntry } from '../../core/event.ts'
import type { AlertRecord, AlertStore, Delivery } from '../../ledger/alert-store.ts'
import type { Notifier } from '../notifiers/notifier.ts'
import { type Finding, keyOf, type Step, stepRule } from './alert-states.ts'
import { type CallWatch, createCallWatch } from './call-watch.ts'
import { createClock } from './clock.ts'
import { findingsOf } from './conditions.ts'
import { createDeliveries, type NotifierCounters } from './deliveries.ts'
import { createEvidence, type Evidence, type EvidenceSources, NotYet } from './evidence.ts'
import { incidentOf } from './incidents.ts'
import type { Rule } from './rule.ts'
import { isSilenced, type Silence } from './silence.ts'

/** What configuration says of alerts. */
export interface AlertSetup {
  readonly rules: readonly Rule[]
  readonly silences: readonly Silence[]
  readonly notifiers: readonly Notifier[]
}

export interface AlertsOptions {
  readonly setup: AlertSetup
  readonly store: AlertStore
  readonly evidence: EvidenceSources
  /** UTC ms. */
  readonly now: () => number
  /** A number from 0 to 1: the jitter of retries. */
  readonly random: () => number
  readonly zone: string
  /** Absent: a round waits for everything. */
  readonly patience?: Patience
  /** Told of what failed inside: a rule that could not be evaluated, a store that could not be written. */
  readonly onError: (error: unknown, rule?: string) => void
}

/** How long a round waits, from its begin. What it does not wait for is there for a later one. */
export interface Patience {
  /** For what follows from long periods: four weeks of hours, two releases. */
  readonly learnMs: number
  /** For the cause of what fires: an alert without it is worth more than one that comes late. */
  readonly explainMs: number
}

export interface Alerts {
  /** A counted call, as intake tells of it. */
  observe(entry: CallEntry): void
  /** One round of all rules. Rounds never overlap: a call while one runs joins it. */
  evaluate(): Promise<void>
  /** Other rules, silences and notifiers from the next round on. The old notifiers are closed. */
  configure(setup: AlertSetup): Promise<void>
  setup(): AlertSetup
  /** Open alerts first, then the latest. */
  list(limit: number): Promise<readonly AlertRecord[]>
  /** Resolves when what rounds did not wait for is there. */
  learned(): Promise<void>
  /** Resolves when what is due at the notifiers has been tried. */
  delivered(): Promise<void>
  counters(): AlertCounters
  close(): Promise<void>
}

export interface AlertCounters {
  readonly rounds: number
  readonly failedRules: number
  /** Rules that the last round did not wait for. */
  readonly lateRules: number
  readonly fired: number
  readonly resolved: number
  readonly lastRoundMs: number
  /** Alerts that are firing now, by severity. */
  readonly firing: Readonly<Record<AlertRecord['severity'], number>>
  /** By the notifier's name. */
  readonly notifiers: Readonly<Record<string, NotifierCounters>>
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
  const { store, onError } = options
  const counts = { rounds: 0, failedRules: 0, lateRules: 0, fired: 0, resolved: 0, lastRoundMs: 0 }
  let { setup } = options
  let watch = createCallWatch(setup.rules, options.zone, options.now)
  const sources = createEvidence(options.evidence)
  const loaded = await store.load(options.now() - keptMs)
  const records = new Map(loaded.alerts.map((alert) => [alert.id, alert]))
  const alertOf = (id: string): AlertRecord | undefined => records.get(id)
  const holdingFor = (notifier: string): readonly AlertRecord[] => {
    const rules = new Map(setup.rules.map((rule) => [rule.name, rule]))
    return [...records.values()].filter(
      (alert) =>
        alert.state === 'firing' && alert.isSilenced !== true && alert.partOf === undefined && tells(rules.get(alert.rule), notifier),
    )
  }
  const deliveries = createDeliveries({ ...options, notifiers: () => setup.notifiers, owed: loaded.deliveries, alertOf, holdingFor })
  const clock = createClock(options.now, Math.max(0, ...loaded.alerts.map((alert) => alert.resolvedAt ?? alert.firedAt ?? alert.startedAt)))

  const keep = async (changes: Changes, now: number): Promise<void> => {
    if (changes.changed.length + changes.dropped.length + changes.owed.length === 0) return
    const { changed, dropped, owed } = changes
    await store.write({ alerts: changed, dropped, deliveries: owed, forgetBefore: now - keptMs })
    for (const id of dropped) records.delete(id)
    for (const alert of changed) records.set(alert.id, alert)
    for (const [id, { resolvedAt }] of records) if (resolvedAt !== undefined && resolvedAt < now - keptMs) records.delete(id)
    deliveries.add(owed)
  }

  const tell = async (rule: Rule, findings: readonly Finding[], evidence: Evidence, tooLate: Promise<never> | undefined): Promise<void> => {
    const { now } = evidence
    const known = [...records.values()].filter((alert) => alert.rule === rule.name)
    const step = await explained(stepRule(rule, known, findings, now), findings, records, {
      evidence,
      tooLate,
      onError: (error) => onError(error, rule.name),
    })
    await keep(changesOf(rule, step, known, setup, now), now)
    watch.taken(rule, findings)
    for (const { transition } of step.told) counts[transition === 'firing' ? 'fired' : 'resolved'] += 1
  }

  const round = async (): Promise<void> => {
    const begun = options.now()
    const [learning, explaining] = [createDeadline(options.patience?.learnMs), createDeadline(options.patience?.explainMs)]
    const evidence = sources.at(clock.now(), learning.passed)
    let lateRules = 0
    const rules = [...setup.rules, ...goneRules(records.values(), setup.rules)]
    // All at once, so that what they ask is put together; what they find is told in their order.
    const found = rules.map((rule) => (watch.watches(rule) ? Promise.resolve(watch.found(rule)) : findingsOf(rule, evidence)))
    for (const findings of found) findings.catch(() => undefined)
    for (const [index, rule] of rules.entries()) {
      try {
        await tell(rule, (await found[index]) ?? [], evidence, explaining.passed)
      } catch (error) {
        if (error instanceof NotYet) lateRules += 1
        else {
          counts.failedRules += 1
          onError(error, rule.name)
        }
      }
    }
    learning.end()
    explaining.end()
    counts.lateRules = lateRules
    // Not awaited: a notifier that hangs must not hold up the next round.
    void deliveries.send(evidence.now)
    counts.rounds += 1
    counts.lastRoundMs = Math.max(0, options.now() - begun)
  }

  let running: Promise<void> | undefined
  return {
    observe: (entry) => watch.observe(entry),
    evaluate: () => {
      running ??= round().finally(() => {
        running = undefined
      })
      return running
    },
    configure: async (next) => {
      await running
      const old = setup.notifiers
      setup = next
      watch = followUp(watch, createCallWatch(next.rules, options.zone, options.now))
      await deliveries.settled()
      await Promise.all(old.map((notifier) => notifier.close()))
    },
    setup: () => setup,
    list: async (limit) => {
      const open = [...records.values()].filter(({ state }) => state !== 'resolved').sort((left, right) => right.startedAt - left.startedAt)
      const past = (await store.history(limit)).filter(({ state }) => state === 'resolved')
      return [...open, ...past].slice(0, limit)
    },
    learned: sources.settled,
    delivered: () => deliveries.send(clock.now()),
    counters: () => ({ ...counts, firing: firingOf(records.values()), notifiers: deliveries.counters() }),
    close: async () => {
      await running
      await deliveries.settled()
      await Promise.all(setup.notifiers.map((notifier) => notifier.close()))
      await store.close()
    },
  }
}

interface Changes {
  readonly changed: readonly AlertRecord[]
  readonly dropped: readonly string[]
  readonly owed: readonly Delivery[]
}

interface Deadline {
  /** Rejects with NotYet when the time has passed. */
  readonly passed: Promise<never> | undefined
  end(): void
}

const createDeadline = (ms: number | undefined): Deadline => {
  if (ms === undefined) return { passed: undefined, end: () => {} }
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotYet()), ms)
  })
  // Nobody may be waiting when it passes.
  passed.catch(() => undefined)
  return { passed, end: () => clearTimeout(timer) }
}

interface Explaining {
  readonly evidence: Evidence
  readonly tooLate: Promise<never> | undefined
  readonly onError: (error: unknown) => void
}

/** What fires in this step is told with its cause, and as part of the incident that was told already, if there is one. */
const explained = async (
  step: Step,
  findings: readonly Finding[],
  records: ReadonlyMap<string, AlertRecord>,
  { evidence, tooLate, onError }: Explaining,
): Promise<Step> => {
  const firing = step.told.filter(({ transition }) => transition === 'firing')
  if (firing.length === 0) return step
  const latest = new Map([...records, ...step.changed.map((alert) => [alert.id, alert] as const)])
  const told = new Map<string, AlertRecord>()
  const segments = firing.map(({ alert }) => alert.segment)
  for (const { alert } of firing) {
    const finding = findings.find((each) => keyOf(each.segment) === alert.key)
    const known = [...latest.values()]
    const why = withWhy(alert, finding?.why?.(segments), known, evidence)
    const fired = await (tooLate === undefined ? why : Promise.race([why, tooLate])).catch((error: unknown) => {
      // An alert without its cause is worth more than none.
      if (!(error instanceof NotYet)) onError(error)
      return alert
    })
    latest.set(fired.id, fired)
    told.set(fired.id, fired)
  }
  const named = (alert: AlertRecord): AlertRecord => (alert.state === 'firing' ? (told.get(alert.id) ?? alert) : alert)
  return {
    changed: step.changed.map(named),
    dropped: step.dropped,
    told: step.told.map(({ alert, transition }) => ({ alert: named(alert), transition })),
  }
}

const withWhy = async (
  alert: AlertRecord,
  asked: ReturnType<NonNullable<Finding['why']>> | undefined,
  known: readonly AlertRecord[],
  evidence: Evidence,
): Promise<AlertRecord> => {
  const why = await asked
  if (why === undefined) return alert
  const message = why.sentence === '' ? alert.message : `${alert.message} ${why.sentence}`
  const explainedAlert = { ...alert, message, cause: why.cause, ...(why.model !== undefined && { model: why.model }) }
  const partOf = await incidentOf(explainedAlert, known, evidence, evidence.now)
  return { ...explainedAlert, ...(partOf !== undefined && { partOf }) }
}

/** What a step changes, and whom it has to be told. An alert that fired in silence is told when the silence ends and it still holds. */
const changesOf = (rule: Rule, step: Step, known: readonly AlertRecord[], setup: AlertSetup, now: number): Changes => {
  const changed = new Map(step.changed.map((alert) => [alert.id, alert]))
  const owed: Delivery[] = []
  const owe = (alert: AlertRecord, transition: Delivery['transition'], outcome: Delivery['outcome']): void => {
    for (const { name } of setup.notifiers.filter((each) => tells(rule, each.name)))
      owed.push({ alert: alert.id, transition, notifier: name, attempts: 0, nextAt: now, ...(outcome && { outcome }) })
  }
  for (const { alert, transition } of step.told) {
    const isQuiet = transition === 'firing' ? isSilenced(setup.silences, alert, now) : alert.isSilenced === true
    if (transition === 'firing' && isQuiet) changed.set(alert.id, { ...alert, isSilenced: true })
    owe(alert, transition, alert.partOf !== undefined ? 'grouped' : isQuiet ? 'silenced' : undefined)
  }
  for (const before of known) {
    const alert = changed.get(before.id) ?? before
    if (alert.state !== 'firing' || alert.isSilenced !== true || isSilenced(setup.silences, alert, now)) continue
    const { isSilenced: _, ...heard } = alert
    changed.set(alert.id, heard)
    owe(heard, 'firing', alert.partOf !== undefined ? 'grouped' : undefined)
  }
  return { changed: [...changed.values()], dropped: step.dropped, owed }
}

const tells = (rule: Rule | undefined, notifier: string): boolean => rule?.notify === undefined || rule.notify.includes(notifier)

/** Rules that configuration no longer has, while alerts of theirs are open: they find nothing any more, so that those end. */
const goneRules = (records: Iterable<AlertRecord>, rules: readonly Rule[]): readonly Rule[] => {
  const names = new Set(rules.map(({ name }) => name))
  const gone = new Map<string, Rule>()
  for (const { rule: name, state, severity } of records) {
    if (state === 'resolved' || names.has(name)) continue
    gone.set(name, {
      name,
      severity,
      condition: { kind: 'request', tokensAbove: 0, timesUsual: 0 },
      by: [],
      where: [],
      forMs: 0,
      quietMs: 0,
      floorUsd: 0,
    })
  }
  return [...gone.values()]
}

const firingOf = (records: Iterable<AlertRecord>): AlertCounters['firing'] => {
  const firing = { info: 0, warning: 0, critical: 0 }
  for (const { state, severity } of records) if (state === 'firing') firing[severity] += 1
  return firing
}

/** What the old watch found and nobody took yet is taken with the new one's. */
const followUp = (old: CallWatch, next: CallWatch): CallWatch => {
  next.inherit(old)
  return next
}
