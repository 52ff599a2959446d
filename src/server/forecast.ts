import { type Forecast, type SpendModel, spendModel } from '../analysis/forecast.ts'
import { type SpendAhead, spendAhead, whenWindowFull } from '../analysis/spend-ahead.ts'
import type { Ask } from '../analysis/spending.ts'
import type { BudgetScope } from '../core/budget.ts'
import { formatUsd, picoUsd } from '../core/money.ts'
import type { Breakdown, Filter } from '../core/question.ts'
import { nextStart, startOf } from '../core/window.ts'
import { keyOf } from '../guard/alerts/alert-states.ts'
import { isOfBudget } from '../guard/alerts/budget-conditions.ts'
import { askHours, historyMs, type UtcHours } from '../guard/alerts/hours.ts'
import type { BudgetForecastJson, BudgetJson, ExpectedJson, ForecastAnswer, PeriodForecastJson } from './api.ts'
import { instant } from './entry-json.ts'

export interface ForecastOptions {
  readonly ask: Ask
  readonly budgets: () => readonly BudgetJson[]
  readonly zone: string
  readonly now: () => number
  readonly onError?: (error: unknown) => void
}

export interface Forecasts {
  /** The forecast, at most five minutes old. */
  answer(): Promise<ForecastAnswer>
  /** The last one that was worked out, at once; a new one is begun when it is old. For a scrape, which must stay cheap. */
  latest(): ForecastAnswer | undefined
  /** Resolves when nothing is being worked out; nothing is begun any more. */
  close(): Promise<void>
}

const hourMs = 3_600_000
const freshMs = 5 * 60_000
/** Nobody acts on what may happen after. */
const horizonMs = 90 * 24 * hourMs
/** Allowances that are forecast, the fullest first. */
const budgetsMax = 200

export const createForecasts = (options: ForecastOptions): Forecasts => {
  let known: { readonly at: number; readonly answer: ForecastAnswer } | undefined
  let working: Promise<ForecastAnswer> | undefined
  let isClosed = false
  const work = (): Promise<ForecastAnswer> => {
    const at = options.now()
    working ??= forecastAt(options, at)
      .then((answer) => {
        known = { at, answer }
        return answer
      })
      .finally(() => {
        working = undefined
      })
    return working
  }
  const isFresh = (): boolean => known !== undefined && Math.abs(options.now() - known.at) < freshMs
  return {
    answer: async () => (isFresh() && known !== undefined ? known.answer : work()),
    latest: () => {
      if (!isFresh() && !isClosed) work().catch((error: unknown) => options.onError?.(error))
      return known?.answer
    },
    close: async () => {
      isClosed = true
      await working?.catch(() => undefined)
    },
  }
}

const forecastAt = async (options: ForecastOptions, now: number): Promise<ForecastAnswer> => ({
  at: instant(now),
  tz: options.zone,
  total: await totals(options, now),
  budgets: await budgetForecasts(options, now),
})

const totals = async ({ ask, zone }: ForecastOptions, now: number): Promise<readonly PeriodForecastJson[]> => {
  const begun = startOf('hour', now, zone)
  const { hourly } = seriesOf(await askHours(ask, { by: [], where: [] }, begun - historyMs, begun, zone), {})
  const model = spendModel(hourly)
  if (model === undefined) return []
  const ahead = spendAhead(model, begun, now)
  return Promise.all(
    (['day', 'week', 'month'] as const).map(async (period): Promise<PeriodForecastJson> => {
      const [from, to] = [startOf(period, now, zone), nextStart(period, now, zone)]
      const spent = (await ask({ measures: ['cost'], by: [], where: [], from, to: now + 1, zone })).totals.cost
      return {
        period,
        from: instant(from),
        to: instant(to),
        spent: String(spent),
        ...expectedJson(ahead.until(to), Number(spent), 'usd'),
      }
    }),
  )
}

/** The series of one segment, from its first spending on: hours in which nobody had begun say nothing about the next ones. */
const seriesOf = (
  hours: UtcHours,
  segment: Readonly<Record<string, string>>,
): { readonly hourly: readonly number[]; readonly all: readonly number[] } => {
  const all = hours.segments.get(keyOf(segment))?.hourly ?? []
  const begun = all.findIndex((value) => value > 0)
  return { all, hourly: begun < 0 ? [] : all.slice(begun) }
}

const expectedJson = ({ expected, low, high, season }: Forecast, spent: number, unit: 'usd' | 'tokens'): ExpectedJson => ({
  expected: amountText(spent + expected, unit),
  low: amountText(spent + low, unit),
  high: amountText(spent + high, unit),
  season,
})

const amountText = (amount: number, unit: 'usd' | 'tokens'): string =>
  unit === 'usd' ? formatUsd(picoUsd(BigInt(Math.round(amount * 1e12)))) : String(Math.round(amount))

/** Scopes of few values are asked for together; of the others only a budget of one value can be forecast. */
const sharedScopes: ReadonlySet<string> = new Set(['agent', 'task', 'team', 'model', 'release', 'environment'])

const budgetForecasts = async (options: ForecastOptions, now: number): Promise<readonly BudgetForecastJson[]> => {
  const begun = startOf('hour', now, options.zone)
  const asked = new Map<string, Promise<UtcHours>>()
  const hoursFor = (budget: BudgetJson): Promise<UtcHours> => {
    const isShared = sharedScopes.has(budget.scope)
    const by = isShared ? [budget.scope as Breakdown] : []
    const where: readonly Filter[] =
      isShared || budget.scope === 'all' ? [] : [{ by: budget.scope as Breakdown, values: [budget.value ?? null] }]
    const of = { by, where, measure: budget.unit === 'usd' ? ('cost' as const) : ('tokens' as const) }
    const key = JSON.stringify(of)
    const hours = asked.get(key) ?? askHours(options.ask, of, begun - historyMs, begun, options.zone)
    asked.set(key, hours)
    return hours
  }
  const forecasts: BudgetForecastJson[] = []
  const budgets = options.budgets().filter(({ scope }) => sharedScopes.has(scope) || scope === 'all')
  for (const budget of budgets.slice(0, budgetsMax)) forecasts.push(budgetForecast(budget, await hoursFor(budget), begun, now))
  return forecasts
}

const budgetForecast = (budget: BudgetJson, hours: UtcHours, begun: number, now: number): BudgetForecastJson => {
  const { name, scope, value, unit, window, limit, spent } = budget
  const known = { name, scope, ...(value !== undefined && { value }), unit, window, limit, spent }
  const past = pastOf(budget, hours)
  const first = past.findIndex((amount) => amount > 0)
  const model = first < 0 ? undefined : spendModel(past.slice(first))
  if (model === undefined) return known
  const ahead = spendAhead(model, begun, now)
  return window.kind === 'rolling'
    ? { ...known, ...rollingForecast(budget, model, ahead, past, begun, now) }
    : { ...known, ...fixedForecast(budget, ahead, now) }
}

/** The hours of an allowance: of a model, those of its dated snapshots too. */
const pastOf = (budget: BudgetJson, { segments }: UtcHours): readonly number[] => {
  const { scope, value } = budget
  if (scope === 'all' || !sharedScopes.has(scope)) return segments.get(keyOf({}))?.hourly ?? []
  if (value === undefined) return []
  const mine = [...segments]
    .filter(([key]) => isOfBudget({ scope: scope as BudgetScope, value }, nameIn(key)))
    .map(([, { hourly }]) => hourly)
  return (mine[0] ?? []).map((_, hour) => mine.reduce((sum, hourly) => sum + (hourly[hour] ?? 0), 0))
}

/** The one value of a segment's key. */
const nameIn = (key: string): string => String((JSON.parse(key) as readonly (readonly [string, string])[])[0]?.[1] ?? '')

const spansHours = { '1h': 1, '24h': 24, '7d': 168, '30d': 720 } as const

type Ahead = Pick<BudgetForecastJson, 'atEnd' | 'exhaustsAt' | 'exhaustsEarliest'>

const fixedForecast = (budget: BudgetJson, ahead: SpendAhead, now: number): Ahead => {
  const end = budget.resetsAt === undefined ? undefined : Date.parse(budget.resetsAt)
  const horizon = end ?? now + horizonMs
  const left = Number(budget.limit) - Number(budget.spent)
  return {
    ...(end !== undefined && { atEnd: { at: instant(end), ...expectedJson(ahead.until(end), Number(budget.spent), budget.unit) } }),
    ...instants(ahead.whenSpent(left, horizon), ahead.earliestSpent(left, horizon)),
  }
}

/** A window that looks back holds, a whole window from now, what will have been spent until then. */
const rollingForecast = (
  { window, limit, spent, unit }: BudgetJson,
  model: SpendModel,
  ahead: SpendAhead,
  past: readonly number[],
  begun: number,
  now: number,
): Ahead => {
  const hours = window.kind === 'rolling' ? spansHours[window.span] : 0
  const end = now + hours * hourMs
  const isFull = Number(spent) >= Number(limit)
  const full = isFull ? now : whenWindowFull(model, past.slice(-hours), Number(limit), begun, Math.max(24, hours))
  return {
    atEnd: { at: instant(end), ...expectedJson(ahead.until(end), 0, unit) },
    ...instants(full === undefined ? undefined : Math.max(now, full), undefined),
  }
}

const instants = (expected: number | undefined, earliest: number | undefined): Ahead => ({
  ...(expected !== undefined && { exhaustsAt: instant(expected) }),
  ...(earliest !== undefined && { exhaustsEarliest: instant(earliest) }),
})
