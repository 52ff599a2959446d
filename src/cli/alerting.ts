import type { Logger } from 'pino'
import type { LoadedConfig } from '../config/load-config.ts'
import type { Budget } from '../core/budget.ts'
import { TaximeterError } from '../core/errors.ts'
import { startOf } from '../core/window.ts'
import { type AlertSetup, type Alerts, createAlerts } from '../guard/alerts/alerts.ts'
import { defaultRules } from '../guard/alerts/default-rules.ts'
import type { EvidenceSources } from '../guard/alerts/evidence.ts'
import { pastBudgets } from '../guard/alerts/past-budgets.ts'
import { type Preview, previewRule } from '../guard/alerts/preview.ts'
import { parseRule, type Rule } from '../guard/alerts/rule.ts'
import { parseSilence } from '../guard/alerts/silence.ts'
import type { Budgets } from '../guard/budget-guard.ts'
import { type LogLine, logNotifier } from '../guard/notifiers/log/log-notifier.ts'
import type { Notifier } from '../guard/notifiers/notifier.ts'
import { parseNotifier } from '../guard/notifiers/notifiers.ts'
import type { AlertStore } from '../ledger/alert-store.ts'
import type { Store } from '../ledger/store.ts'
import { type AlertRules, createAlertRules } from '../server/alert-rules.ts'
import { located } from './settled.ts'

export interface AlertingOptions {
  readonly loaded: LoadedConfig
  readonly alertStore: AlertStore
  readonly store: Pick<Store, 'ask' | 'runs'>
  readonly budgets: Pick<Budgets, 'status'>
  readonly log: Logger
  readonly now: () => number
}

/** Rules, silences and notifiers of the configuration, read before anything starts. Throws BAD_CONFIG with the place of what is wrong. */
export const alertingOf = ({ config, locate }: LoadedConfig, log: Logger, now: () => number): AlertSetup => {
  const rules = rulesOf({ config, locate })
  const context = { log: logLine(log), now }
  const own = located(locate, () => config.notifiers.map((notifier, index) => parseNotifier(notifier, `notifiers[${index}]`, context)))
  const notifiers = [logNotifier('log', context.log), ...own].map((notifier) => linked(notifier, config.dashboardUrl))
  located(locate, () => refuseTwins('notifiers', own, ['log']))
  const names = notifiers.map(({ name }) => name)
  const ruleNames = rules.map(({ name }) => name)
  const silences = located(locate, () => {
    for (const [index, { notify = [] }] of rules.entries()) refuseUnknown(`alerts[${index}].notify`, 'notifier', names, notify)
    return config.silences.map((each, index) => {
      const silence = parseSilence(each, `silences[${index}]`)
      refuseUnknown(`silences[${index}].rule`, 'rule', ruleNames, silence.rule === undefined ? [] : [silence.rule])
      return silence
    })
  })
  return { rules: rules.map((rule) => withoutTwoLines(rule, names)), silences, notifiers }
}

/** The rules that the configuration names, and the default ones that it keeps. */
export const rulesOf = ({ config, locate }: Pick<LoadedConfig, 'config' | 'locate'>): readonly Rule[] =>
  located(locate, () => {
    const own = config.alerts.map((rule, index) => parseRule(rule, `alerts[${index}]`))
    refuseTwins('alerts', own)
    const ownNames = new Set(own.map(({ name }) => name))
    const { defaultAlerts } = config
    const defaults = defaultAlerts === 'none' ? [] : defaultRules(Number(config.dailyBudgetUsd))
    const kept = typeof defaultAlerts === 'string' ? defaults.map(({ name }) => name) : defaultAlerts
    refuseUnknown(
      'defaultAlerts',
      'default rule',
      defaults.map(({ name }) => name),
      kept,
    )
    return [...own, ...defaults.filter(({ name }) => kept.includes(name) && !ownNames.has(name))]
  })

/** The budgets themselves log each crossing at once: an alert of it goes to everyone but the log. */
const withoutTwoLines = (rule: Rule, names: readonly string[]): Rule =>
  rule.condition.kind === 'budget' && rule.notify === undefined ? { ...rule, notify: names.filter((name) => name !== 'log') } : rule

const linked = (notifier: Notifier, dashboardUrl: string | undefined): Notifier =>
  dashboardUrl === undefined ? notifier : { ...notifier, send: (notice, signal) => notifier.send({ ...notice, dashboardUrl }, signal) }

const refuseTwins = (what: string, named: readonly { readonly name: string }[], taken: readonly string[] = []): void => {
  const names = new Set(taken)
  named.forEach(({ name }, index) => {
    if (names.has(name)) throw new TaximeterError('BAD_CONFIG', `${what}[${index}].name should be a name of its own, got "${name}" again.`)
    names.add(name)
  })
}

const refuseUnknown = (path: string, what: string, known: readonly string[], given: readonly string[]): void => {
  const unknown = given.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new TaximeterError('BAD_CONFIG', `${path} should be the name of a ${what} (${known.join(', ')}), got "${unknown}".`)
}

const logLine =
  (log: Logger): LogLine =>
  (severity, fields, text) =>
    log[severity === 'info' ? 'info' : 'warn'](fields, text)

export const pace = {
  /** Rounds follow new calls at this pace, so that an alert is at most a few seconds behind the call that raised it. */
  roundMs: 5_000,
  /** Without new calls too: an alert has to end, and silence has to be noticed. */
  idleRoundMs: 60_000,
  /** The share of one core that rounds may take: after a long one the next waits the longer. */
  shareMax: 0.05,
  /** So that a round tells within a few seconds what it can tell. */
  patience: { learnMs: 250, explainMs: 4_000 },
} as const

/** What conditions look at in a running server: the ledger, and the budgets as they stand. */
export const evidenceOf = (store: Pick<Store, 'ask' | 'runs'>, zone: string, budgets: EvidenceSources['budgets']): EvidenceSources => ({
  ask: store.ask,
  runCosts: async (where, from, to) =>
    (await store.runs({ where, from, to, sort: 'newest' }, { limit: 1_000 })).runs.map(
      ({ llmCost, toolCost }) => Number(llmCost + toolCost) / 1e12,
    ),
  zone,
  budgets,
})

const previewMs = 30 * 86_400_000
const previewStepMs = 3_600_000

export interface TryRuleOptions {
  readonly store: Pick<Store, 'ask' | 'runs' | 'entries'>
  readonly budgets: readonly Budget[]
  readonly zone: string
  readonly now: number
  /** What it is tried on; absent: the last 30 days. */
  readonly spanMs?: number
  readonly onProgress?: (done: number, of: number) => void
  readonly signal?: AbortSignal
}

/** When a rule would have told of something, had it been there. */
export const tryRule = (rule: Rule, { store, budgets, zone, now, spanMs = previewMs, ...watched }: TryRuleOptions): Promise<Preview> =>
  previewRule(rule, evidenceOf(store, zone, pastBudgets(budgets, store.ask, zone)), {
    from: startOf('hour', now - spanMs, zone),
    to: now,
    stepMs: previewStepMs,
    entries: store.entries,
    ...watched,
  })

/** The rules in force, with previews that are worked out when somebody asks. */
export const alertRulesOf = (options: {
  readonly store: TryRuleOptions['store']
  readonly alerts: Pick<Alerts, 'setup'>
  readonly budgets: () => readonly Budget[]
  readonly zone: string
  readonly now: () => number
  readonly log: Logger
}): AlertRules =>
  createAlertRules({
    rules: () => options.alerts.setup().rules,
    preview: (rule, onProgress, signal) =>
      tryRule(rule, {
        store: options.store,
        budgets: options.budgets(),
        zone: options.zone,
        now: options.now(),
        onProgress: (done, of) => onProgress(done / of),
        signal,
      }),
    now: options.now,
    onError: (error, rule) => options.log.error({ rule }, error instanceof Error ? error.message : 'a rule could not be tried'),
  })

/** The engine on the ledger, with its rounds. `observe` has to be told of every counted call. */
export const startAlerting = async (options: AlertingOptions): Promise<Alerts> => {
  const { loaded, store, budgets, log, now } = options
  const { zone } = loaded.config
  const alerts = await createAlerts({
    setup: alertingOf(loaded, log, now),
    store: options.alertStore,
    evidence: evidenceOf(store, zone, () => budgets.status()),
    now,
    random: Math.random,
    zone,
    patience: pace.patience,
    onError: (error, rule) => log.error({ rule }, error instanceof Error ? error.message : 'an alert could not be evaluated'),
  })
  let hasNews = true
  let roundAt = Number.NEGATIVE_INFINITY
  const timer = setInterval(() => {
    const since = Math.abs(now() - roundAt)
    // What a receiver did not take waits for no round.
    if (since < (hasNews ? alerts.counters().lastRoundMs / pace.shareMax : pace.idleRoundMs)) return void alerts.delivered()
    hasNews = false
    roundAt = now()
    void alerts.evaluate()
  }, pace.roundMs)
  timer.unref()
  return {
    ...alerts,
    observe: (entry) => {
      hasNews = true
      alerts.observe(entry)
    },
    close: async () => {
      clearInterval(timer)
      await alerts.close()
    },
  }
}
