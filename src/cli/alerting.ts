import type { Logger } from 'pino'
import type { LoadedConfig } from '../config/load-config.ts'
import { TaximeterError } from '../core/errors.ts'
import { type Alerts, createAlerts } from '../guard/alerts/alerts.ts'
import { defaultRules, parseRule, type Rule } from '../guard/alerts/rule.ts'
import { parseSilence, type Silence } from '../guard/alerts/silence.ts'
import type { Budgets } from '../guard/budget-guard.ts'
import { type LogLine, logNotifier } from '../guard/notifiers/log/log-notifier.ts'
import type { Notifier } from '../guard/notifiers/notifier.ts'
import { parseNotifier } from '../guard/notifiers/notifiers.ts'
import type { AlertStore } from '../ledger/alert-store.ts'
import type { Store } from '../ledger/store.ts'

export interface AlertingOptions {
  readonly loaded: LoadedConfig
  readonly alertStore: AlertStore
  readonly store: Pick<Store, 'ask' | 'runs'>
  readonly budgets: Pick<Budgets, 'status'>
  readonly log: Logger
  readonly now: () => number
}

/** Rules, silences and notifiers of the configuration, read before anything starts. Throws BAD_CONFIG with the place of what is wrong. */
export const alertingOf = (
  { config, locate }: LoadedConfig,
  log: Logger,
  now: () => number,
): { readonly rules: readonly Rule[]; readonly silences: readonly Silence[]; readonly notifiers: readonly Notifier[] } => {
  const rules =
    config.alerts === undefined
      ? defaultRules(Number(config.dailyBudgetUsd))
      : config.alerts.map((rule, index) => parseRule(rule, locate(`alerts[${index}]`)))
  const silences = config.silences.map((silence, index) => parseSilence(silence, locate(`silences[${index}]`)))
  const context = { log: logLine(log), now }
  const notifiers = [
    logNotifier('log', context.log),
    ...config.notifiers.map((notifier, index) => parseNotifier(notifier, locate(`notifiers[${index}]`), context)),
  ]
  refuseTwins('alerts', rules)
  refuseTwins('notifiers', notifiers)
  const known = new Set(notifiers.map(({ name }) => name))
  for (const { name, notify = [] } of rules) {
    const unknown = notify.find((each) => !known.has(each))
    if (unknown !== undefined)
      throw new TaximeterError('BAD_CONFIG', `Alert "${name}" should notify one of ${[...known].join(', ')}, got "${unknown}".`)
  }
  return { rules, silences, notifiers }
}

const refuseTwins = (what: string, named: readonly { readonly name: string }[]): void => {
  const names = named.map(({ name }) => name)
  const twin = names.find((name, index) => names.indexOf(name) !== index)
  if (twin !== undefined) throw new TaximeterError('BAD_CONFIG', `${what} should have names of their own, got "${twin}" twice.`)
}

const logLine =
  (log: Logger): LogLine =>
  (severity, fields, text) =>
    log[severity === 'info' ? 'info' : 'warn'](fields, text)

/** Rounds follow new calls at this pace, so that an alert is at most a few seconds behind the call that raised it. */
const roundMs = 5_000
/** Without new calls too: an alert has to end, and silence has to be noticed. */
const idleRoundMs = 60_000

/** The engine on the ledger, with its rounds. `observe` has to be told of every counted call. */
export const startAlerting = async (options: AlertingOptions): Promise<Alerts> => {
  const { loaded, store, budgets, log, now } = options
  const { zone, dashboardUrl } = loaded.config
  const { rules, silences, notifiers } = alertingOf(loaded, log, now)
  const alerts = await createAlerts({
    rules,
    silences,
    notifiers: notifiers.map((notifier) => ({
      ...notifier,
      send: (notice, signal) => notifier.send({ ...notice, ...(dashboardUrl !== undefined && { dashboardUrl }) }, signal),
    })),
    store: options.alertStore,
    evidence: {
      ask: store.ask,
      runCosts: async (where, from, to) =>
        (await store.runs({ where, from, to, sort: 'newest' }, { limit: 1_000 })).runs.map(
          ({ llmCost, toolCost }) => Number(llmCost + toolCost) / 1e12,
        ),
      zone,
      budgets: () => budgets.status(),
    },
    now,
    random: Math.random,
    zone,
    onError: (error, rule) => log.error({ rule }, error instanceof Error ? error.message : 'an alert could not be evaluated'),
  })
  let hasNews = true
  let roundAt = Number.NEGATIVE_INFINITY
  const timer = setInterval(() => {
    if (!hasNews && now() - roundAt < idleRoundMs) return
    hasNews = false
    roundAt = now()
    void alerts.evaluate()
  }, roundMs)
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
