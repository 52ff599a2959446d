import { parseUsd } from '../core/money.ts'
import type { AlertCounters } from '../guard/alerts/alerts.ts'
import type { ForecastAnswer } from './api.ts'
import { shownScopes } from './budget-gauges.ts'
import type { Family } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'

/** The last forecast; asked at every scrape, so that it must be at hand. */
export interface MeteredForecasts {
  latest(): ForecastAnswer | undefined
}

const bounds = ['expected', 'low', 'high'] as const

export const gaugeForecast = (family: (name: MetricName) => Family, forecasts: MeteredForecasts): void => {
  const forecast = forecasts.latest()
  const [total, budgets, exhausts] = [
    family('taximeter_forecast_usd'),
    family('taximeter_budget_forecast_usd'),
    family('taximeter_budget_exhausts_timestamp_seconds'),
  ]
  for (const each of [total, budgets, exhausts]) each.clear()
  for (const period of forecast?.total ?? [])
    for (const bound of bounds) total.series(period.period, bound).truth = parseUsd(period[bound]) ?? 0n
  for (const { name, scope, value = '', unit, atEnd, exhaustsAt } of forecast?.budgets ?? []) {
    if (!shownScopes.has(scope)) continue
    if (unit === 'usd' && atEnd !== undefined)
      for (const bound of bounds) budgets.series(name, value, bound).truth += parseUsd(atEnd[bound]) ?? 0n
    if (exhaustsAt !== undefined) exhausts.series(name, value).truth = BigInt(Date.parse(exhaustsAt)) * 1_000n
  }
}

export const gaugeAlerts = (family: (name: MetricName) => Family, { counters }: { counters(): AlertCounters }): void => {
  const { rounds, failedRules, lateRules, lastRoundMs, firing, notifiers } = counters()
  family('taximeter_alert_rounds_total').series().truth = BigInt(rounds)
  family('taximeter_alert_rule_failures_total').series().truth = BigInt(failedRules)
  family('taximeter_alert_rules_late').series().truth = BigInt(lateRules)
  family('taximeter_alert_round_seconds').series().truth = BigInt(Math.round(lastRoundMs * 1_000))
  for (const [severity, count] of Object.entries(firing)) family('taximeter_alerts_firing').series(severity).truth = BigInt(count)
  for (const name of ['taximeter_notifier_messages_total', 'taximeter_notifier_waiting_alerts'] as const) family(name).clear()
  for (const [notifier, { delivered, failures, givenUp, waiting }] of Object.entries(notifiers)) {
    const messages = family('taximeter_notifier_messages_total')
    for (const [outcome, count] of Object.entries({ delivered, failed: failures, given_up: givenUp }))
      messages.series(notifier, outcome).truth = BigInt(count)
    family('taximeter_notifier_waiting_alerts').series(notifier).truth = BigInt(waiting)
  }
}
