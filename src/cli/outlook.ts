import type { Logger } from 'pino'
import type { Alerts } from '../guard/alerts/alerts.ts'
import type { Budgets } from '../guard/budget-guard.ts'
import type { Store } from '../ledger/store.ts'
import { alertJson } from '../server/alert-json.ts'
import { createForecasts, type Forecasts } from '../server/forecast.ts'
import { askSelfCheck } from '../server/self-check.ts'
import type { Services } from '../server/services.ts'
import { alertRulesOf } from './alerting.ts'
import type { Settled } from './settled.ts'

export interface OutlookOptions {
  readonly store: Pick<Store, 'ask' | 'runs' | 'entries'>
  readonly alerts: Alerts
  readonly budgets: Pick<Budgets, 'status'>
  readonly settled: () => Settled
  readonly zone: string
  readonly now: () => number
  readonly log: Logger
  readonly onError: (error: unknown) => void
}

export interface Outlook {
  readonly forecasts: Forecasts
  readonly services: Pick<Services, 'alerts' | 'alertRules' | 'forecast' | 'selfCheck'>
  close(): Promise<void>
}

/** Alerts of one answer: the open ones, then the latest. */
const alertsShownMax = 200

/** What lies ahead, and whether it would be noticed: forecasts, alerts with their rules, and the self-check, as the server asks for them. */
export const createOutlook = ({ store, alerts, budgets, settled, zone, now, log, onError }: OutlookOptions): Outlook => {
  const forecasts = createForecasts({ ask: store.ask, budgets: () => budgets.status(), zone, now, onError })
  const alertRules = alertRulesOf({ store, alerts, budgets: () => settled().budgets, zone, now, log })
  return {
    forecasts,
    services: {
      alerts: async () => ({ alerts: (await alerts.list(alertsShownMax)).map(alertJson) }),
      alertRules: alertRules.answer,
      forecast: forecasts.answer,
      selfCheck: () =>
        askSelfCheck({ ask: store.ask, now, rules: () => alerts.setup().rules, budgets: () => settled().chosenBudgets.length }),
    },
    close: async () => {
      await Promise.all([alertRules.close(), forecasts.close()])
    },
  }
}
