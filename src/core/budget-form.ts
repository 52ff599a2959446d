import type { Budget, BudgetScope, BudgetWindow } from './budget.ts'
import { sentenceOf, TaximeterError } from './errors.ts'
import { type PicoUsd, parseUsd } from './money.ts'
import { offsetAt } from './window.ts'

export const budgetsMax = 1_000
export const budgetNameCharsMax = 100
export const thresholdsMax = 10

export const plainScopes = ['all', 'agent', 'task', 'team', 'user', 'model', 'key', 'release', 'environment', 'run', 'session'] as const
/** What can be said of a budget; docs/reference/budgets.md has a row for each. */
export const budgetFields = ['name', 'scope', 'limit', 'per', 'zone', 'onExceed', 'thresholds', 'unpriced'] as const
const spans = ['1h', '24h', '7d', '30d'] as const
const calendars = ['hour', 'day', 'week', 'month'] as const

/**
 * A budget as it stands in configuration → Budget:
 * `{name: "support", scope: "agent:support-bot", limit: "$5", per: "day", zone: "Europe/Berlin"}`.
 *
 * `path` is where it stands ("budgets[0]") and begins every complaint; `zone` is for windows that name none.
 * Throws BAD_BUDGET with what was expected, what came and what to do.
 */
export const parseBudget = (value: unknown, path: string, zone = 'UTC'): Budget => {
  const form = objectOf(value, path)
  const { scope, value: bound } = parseScope(form.scope ?? 'all', `${path}.scope`)
  const onExceed = oneOf(form.onExceed ?? 'block', ['block', 'warn'] as const, `${path}.onExceed`)
  return {
    name: parseName(form.name, `${path}.name`),
    scope,
    ...(bound === undefined ? undefined : { value: bound }),
    window: parseWindow(form, scope, path, zone),
    limit: parseLimit(form.limit, `${path}.limit`),
    onExceed,
    thresholds: parseThresholds(form.thresholds, `${path}.thresholds`),
    unpriced: parseUnpriced(form.unpriced ?? (onExceed === 'block' ? 'block' : 'allow'), `${path}.unpriced`),
  }
}

/** The whole list, with names that are one of a kind. */
export const parseBudgets = (value: unknown, path = 'budgets', zone = 'UTC'): readonly Budget[] => {
  if (!Array.isArray(value)) return refuse(path, `should be a list of budgets, got ${say(value)}`)
  if (value.length > budgetsMax) refuse(path, `can have at most ${budgetsMax} budgets, got ${value.length}`)
  const places = new Map<string, number>()
  return value.map((each, index) => {
    const budget = parseBudget(each, `${path}[${index}]`, zone)
    const first = places.get(budget.name)
    if (first !== undefined) refuse(`${path}[${index}].name`, `"${budget.name}" is the name of ${path}[${first}] too; give each its own`)
    places.set(budget.name, index)
    return budget
  })
}

const objectOf = (value: unknown, path: string): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(path, `should be an object such as {name: support, limit: $5, per: day}, got ${say(value)}`)
  for (const field of Object.keys(value))
    if (!budgetFields.some((known) => known === field))
      refuse(`${path}.${field}`, `is not a setting of a budget; there are ${budgetFields.join(', ')}`)
  return value as Readonly<Record<string, unknown>>
}

const parseName = (value: unknown, path: string): string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= budgetNameCharsMax
    ? value
    : refuse(path, `should be a text of 1 to ${budgetNameCharsMax} characters, got ${say(value)}`)

const parseScope = (value: unknown, path: string): { readonly scope: BudgetScope; readonly value?: string } => {
  const expected = `should be "all", or ${plainScopes.slice(1).join(', ')} or tag.<key>, alone or with a value as in "agent:support-bot"`
  if (typeof value !== 'string') return refuse(path, `${expected}; got ${say(value)}`)
  const colon = value.indexOf(':')
  const scope = colon < 0 ? value : value.slice(0, colon)
  const bound = colon < 0 ? undefined : value.slice(colon + 1)
  if (!plainScopes.some((known) => known === scope) && !/^tag\.[\w.-]{1,64}$/.test(scope)) refuse(path, `${expected}; got ${say(value)}`)
  if (bound === '') refuse(path, `names no value after "${scope}:"; leave the colon out to give every ${scope} an allowance of its own`)
  if (scope === 'all' && bound !== undefined) refuse(path, `"all" has no value; got ${say(value)}`)
  return { scope: scope as BudgetScope, ...(bound === undefined ? undefined : { value: bound }) }
}

const parseWindow = (form: Readonly<Record<string, unknown>>, scope: BudgetScope, path: string, zone: string): BudgetWindow => {
  const per = form.per ?? (scope === 'run' ? 'run' : undefined)
  const expected = `should be one of ${[...calendars, ...spans, 'total', 'run'].join(', ')}`
  if (scope === 'run' ? per !== 'run' && per !== 'total' : per === 'run')
    refuse(
      `${path}.per`,
      `"run" goes with scope "run" and with no other, because such a budget lasts as long as its run; got ${say(form.per)}`,
    )
  const interval = calendars.find((known) => known === per)
  if (interval !== undefined) return { kind: 'calendar', interval, zone: parseZone(form.zone ?? zone, `${path}.zone`) }
  if (form.zone !== undefined)
    refuse(`${path}.zone`, `only a window by the calendar (${calendars.join(', ')}) has a time zone; leave it out`)
  const span = spans.find((known) => known === per)
  if (span !== undefined) return { kind: 'rolling', span }
  return per === 'total' || per === 'run' ? { kind: 'total' } : refuse(`${path}.per`, `${expected}; got ${say(per)}`)
}

const parseZone = (value: unknown, path: string): string => {
  if (typeof value !== 'string') return refuse(path, `should be a time zone such as Europe/Berlin, got ${say(value)}`)
  try {
    offsetAt(0, value)
    return value
  } catch (cause) {
    throw new TaximeterError('BAD_BUDGET', `${path}: ${sentenceOf(cause)}`, { cause })
  }
}

/** More than any bill, and far inside what a sum of 64-bit parts can hold. */
const usdMax = 1_000_000_000_000_000_000_000n
const tokensMax = 1_000_000_000_000_000

const parseLimit = (value: unknown, path: string): Budget['limit'] => {
  const expected = 'should be dollars or tokens such as "$5", "2.50 USD", "200000 tokens" or "2M tokens"'
  if (typeof value !== 'string') return refuse(path, `${expected}; got ${say(value)}`)
  const text = value.trim().replace(/(?<=\d)[,_](?=\d{3})/g, '')
  const dollars = /^\$\s?(\S+)$/.exec(text)?.[1] ?? /^(\S+)\s?USD$/i.exec(text)?.[1]
  if (dollars !== undefined) {
    const amount = parseUsd(dollars)
    return amount !== undefined && amount > 0n && amount <= usdMax
      ? { unit: 'usd', amount }
      : refuse(path, `${expected}, above zero; got ${say(value)}`)
  }
  const tokens = /^(\d{1,15})(?:\.(\d{1,6}))?\s?([kM]?)\s?tokens?$/.exec(text)
  if (tokens === null) return refuse(path, `${expected}; got ${say(value)}`)
  const amount = Number(`${tokens[1]}.${tokens[2] ?? 0}`) * ({ '': 1, k: 1_000, M: 1_000_000 }[tokens[3] ?? ''] ?? 1)
  return Number.isInteger(amount) && amount > 0 && amount <= tokensMax
    ? { unit: 'tokens', amount }
    : refuse(path, `should be a whole number of tokens from 1 to ${tokensMax}, got ${say(value)}`)
}

const parseThresholds = (value: unknown, path: string): readonly number[] => {
  if (value === undefined) return [0.5, 0.8, 1]
  if (!Array.isArray(value) || value.length > thresholdsMax)
    return refuse(path, `should be a list of at most ${thresholdsMax} shares such as [50%, 80%, 100%], got ${say(value)}`)
  const shares = value.map((each, index) => parseShare(each, `${path}[${index}]`))
  return [...new Set(shares)].sort((left, right) => left - right)
}

const parseShare = (value: unknown, path: string): number => {
  const percent = typeof value === 'string' ? /^(\d{1,4}(?:\.\d{1,3})?)\s?%$/.exec(value.trim()) : null
  const share = percent === null ? value : Number(percent[1]) / 100
  return typeof share === 'number' && share > 0 && share <= 10
    ? share
    : refuse(path, `should be a share of the limit such as 0.8 or "80%", at most 10 ("1000%"), got ${say(value)}`)
}

const parseUnpriced = (value: unknown, path: string): Budget['unpriced'] => {
  if (value === 'block' || value === 'allow') return { policy: value }
  const text = typeof value === 'string' ? /^assume \$(\S+)(?: per million tokens)?$/.exec(value)?.[1] : undefined
  const perMillionTokens = text === undefined ? undefined : parseUsd(text)
  return perMillionTokens !== undefined && perMillionTokens > 0n
    ? { policy: 'assume', perMillionTokens: perMillionTokens as PicoUsd }
    : refuse(path, `should be block, allow, or a rate such as "assume $10 per million tokens", got ${say(value)}`)
}

const oneOf = <Name extends string>(value: unknown, names: readonly Name[], path: string): Name =>
  names.find((name) => name === value) ?? refuse(path, `should be ${names.join(' or ')}, got ${say(value)}`)

const say = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value)?.slice(0, 100) ?? typeof value))

const refuse = (path: string, complaint: string): never => {
  throw new TaximeterError('BAD_BUDGET', `${path}: ${complaint}.`)
}
