import { TaximeterError } from '../../core/errors.ts'
import { type Breakdown, type Filter, isBreakdown, isMeasure, type Measure, parseFilter } from '../../core/question.ts'
import { parseSpan } from '../../core/window.ts'
import type { Severity } from '../../ledger/alert-store.ts'

/** What a rule watches. Money thresholds are dollars, shares are fractions of one, spans are milliseconds. */
export type Condition =
  /** A measure of each segment over the last `windowMs` is above, or below, a value. */
  | {
      readonly kind: 'threshold'
      readonly measure: Measure
      readonly windowMs: number
      readonly above?: number
      readonly below?: number
      readonly callsMin: number
    }
  /** A measure of each segment rose by more than a share against the period of equal length before. */
  | { readonly kind: 'change'; readonly measure: Measure; readonly windowMs: number; readonly rise: number; readonly callsMin: number }
  /** A budget is spent faster than it lasts: a share of its limit within a long window, and still within a short one. */
  | { readonly kind: 'burn'; readonly pairs: readonly { readonly share: number; readonly longMs: number; readonly shortMs: number }[] }
  /** An hour far above the same hours of weeks before. */
  | { readonly kind: 'baseline'; readonly distance: number }
  /** A run costs more since the newest release than under the one before, by rank test. */
  | { readonly kind: 'release'; readonly windowMs: number; readonly rise: number; readonly runsMin: number }
  /** A value of an attribute that was not seen in the 30 days before. */
  | { readonly kind: 'new'; readonly attribute: 'model' | 'provider' | 'tool' | 'agent'; readonly windowMs: number }
  /** Calls without a price. */
  | { readonly kind: 'unpriced'; readonly windowMs: number }
  /** Less than a share of the calls has a cost that was reported or computed. */
  | { readonly kind: 'coverage'; readonly below: number; readonly windowMs: number; readonly callsMin: number }
  /** One call with more tokens than this. */
  | { readonly kind: 'request'; readonly tokensAbove: number }
  /** The same prompt so many times within a run, or within an agent's window. */
  | { readonly kind: 'repeat'; readonly times: number; readonly within: 'run' | 'agent'; readonly windowMs: number }
  /** Nothing from an agent that was busy in most hours of the day before. */
  | { readonly kind: 'silent'; readonly afterMs: number }

export interface Rule {
  readonly name: string
  readonly condition: Condition
  /** One alert per value of these; empty: one for all. */
  readonly by: readonly Breakdown[]
  readonly where: readonly Filter[]
  /** How long the condition has to hold before it fires, and not to hold before it is resolved. */
  readonly forMs: number
  readonly severity: Severity
  /** Below so many dollars at stake nothing fires: cents never page. */
  readonly floorUsd: number
  /** Names of notifiers; absent: all. */
  readonly notify?: readonly string[]
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A rule as configuration writes it → rule. Throws BAD_CONFIG with the path of what is wrong, what was expected and what came. */
export const parseRule = (value: unknown, path: string): Rule => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(path, 'a rule with "name" and "kind"', value)
  const json = { ...value } as Record<string, unknown>
  const read = reader(json, path)
  const name = read.text('name') ?? refuse(`${path}.name`, 'a name', json.name)
  const rule: Rule = {
    name,
    condition: conditionOf(read, path),
    by: read.list('by').map((each) => (isBreakdown(each) ? each : refuse(`${path}.by`, 'attributes such as agent or task', each))),
    where: read.list('where').map((each) => filterOf(each, `${path}.where`)),
    forMs: read.span('for') ?? 0,
    severity: read.oneOf('severity', ['info', 'warning', 'critical']) ?? 'warning',
    floorUsd: read.number('floorUsd') ?? 0.5,
    ...(json.notify !== undefined && { notify: read.list('notify') }),
  }
  read.end()
  return rule
}

/** How each kind is read, with its defaults: the one list of kinds. */
const conditions: { readonly [Kind in Condition['kind']]: (read: Reader, path: string) => Extract<Condition, { kind: Kind }> } = {
  threshold: (read, path) => {
    const [above, below] = [read.number('above'), read.number('below')]
    if ((above === undefined) === (below === undefined)) throw bad(path, 'either "above" or "below"', 'both or neither')
    return {
      kind: 'threshold',
      measure: measureOf(read, path),
      windowMs: read.span('window') ?? hourMs,
      callsMin: read.number('callsMin') ?? 1,
      ...(above !== undefined && { above }),
      ...(below !== undefined && { below }),
    }
  },
  change: (read, path) => ({
    kind: 'change',
    measure: measureOf(read, path),
    windowMs: read.span('window') ?? 30 * dayMs,
    rise: read.share('rise') ?? 0.3,
    callsMin: read.number('callsMin') ?? 20,
  }),
  burn: () => ({ kind: 'burn', pairs: burnPairs }),
  baseline: (read) => ({ kind: 'baseline', distance: read.number('distance') ?? 5 }),
  release: (read) => ({
    kind: 'release',
    windowMs: read.span('window') ?? 7 * dayMs,
    rise: read.share('rise') ?? 0.2,
    runsMin: read.number('runsMin') ?? 30,
  }),
  new: (read) => ({
    kind: 'new',
    attribute: read.oneOf('attribute', ['model', 'provider', 'tool', 'agent']) ?? 'model',
    windowMs: read.span('window') ?? hourMs,
  }),
  unpriced: (read) => ({ kind: 'unpriced', windowMs: read.span('window') ?? hourMs }),
  coverage: (read) => ({
    kind: 'coverage',
    below: read.share('below') ?? 0.95,
    windowMs: read.span('window') ?? dayMs,
    callsMin: read.number('callsMin') ?? 20,
  }),
  request: (read) => ({ kind: 'request', tokensAbove: read.number('tokensAbove') ?? 8_000 }),
  repeat: (read) => ({
    kind: 'repeat',
    times: read.number('times') ?? 5,
    within: read.oneOf('within', ['run', 'agent']) ?? 'run',
    windowMs: read.span('window') ?? hourMs,
  }),
  silent: (read) => ({ kind: 'silent', afterMs: read.span('after') ?? 3 * hourMs }),
}

const kinds = Object.keys(conditions) as readonly Condition['kind'][]

const conditionOf = (read: Reader, path: string): Condition => {
  const kind = read.oneOf('kind', kinds) ?? refuse(`${path}.kind`, kinds.join(', '), undefined)
  return conditions[kind](read, path)
}

/** Fast pairs as runaway detectors: so much of the budget within the long window, and the same pace within the short one. */
const burnPairs = [
  { share: 0.02, longMs: hourMs, shortMs: 5 * 60_000 },
  { share: 0.05, longMs: 6 * hourMs, shortMs: 30 * 60_000 },
  { share: 0.1, longMs: dayMs, shortMs: 2 * hourMs },
] as const

const measureOf = (read: Reader, path: string): Measure => {
  const name = read.text('measure') ?? 'cost'
  return isMeasure(name)
    ? name
    : refuse(`${path}.measure`, 'a measure such as cost, costP95 or retries (docs/reference/questions.md)', name)
}

const filterOf = (text: string, path: string): Filter => {
  try {
    return parseFilter(text)
  } catch {
    return refuse(path, 'filters such as task:refund', text)
  }
}

type Reader = ReturnType<typeof reader>

/** Reads fields by name and form, and complains of those that nobody asked for. */
const reader = (json: Record<string, unknown>, path: string) => {
  const used = new Set<string>()
  const take = (name: string): unknown => {
    used.add(name)
    return json[name]
  }
  const text = (name: string): string | undefined => {
    const value = take(name)
    return value === undefined
      ? undefined
      : typeof value === 'string' && value !== '' && value.length <= 100
        ? value
        : refuse(`${path}.${name}`, 'a text of at most 100 characters', value)
  }
  const number = (name: string): number | undefined => {
    const value = take(name)
    const parsed = typeof value === 'string' ? Number(value.replace(/^\$/, '')) : value
    return value === undefined
      ? undefined
      : typeof parsed === 'number' && Number.isFinite(parsed) && parsed >= 0
        ? parsed
        : refuse(`${path}.${name}`, 'a number that is not negative', value)
  }
  return {
    text,
    number,
    share: (name: string): number | undefined => {
      const value = take(name)
      const percent = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*%$/.exec(value)?.[1] : undefined
      return percent === undefined ? number(name) : Number(percent) / 100
    },
    span: (name: string): number | undefined => {
      const value = text(name)
      return value === undefined ? undefined : (parseSpan(value) ?? refuse(`${path}.${name}`, 'a span such as 5m, 1h or 7d', value))
    },
    oneOf: <Name extends string>(name: string, names: readonly Name[]): Name | undefined => {
      const value = text(name)
      return value === undefined ? undefined : (names.find((each) => each === value) ?? refuse(`${path}.${name}`, names.join(', '), value))
    },
    list: (name: string): readonly string[] => {
      const value = take(name)
      const list = value === undefined ? [] : Array.isArray(value) ? value : [value]
      return list.every((each) => typeof each === 'string') && list.length <= 20
        ? list
        : refuse(`${path}.${name}`, 'a text or a list of at most 20 texts', value)
    },
    end: (): void => {
      const unknown = Object.keys(json).find((name) => !used.has(name))
      if (unknown !== undefined) throw bad(`${path}.${unknown}`, `one of ${[...used].join(', ')}`, unknown)
    },
  }
}

const refuse = (path: string, expected: string, got: unknown): never => {
  throw bad(path, expected, got)
}

const bad = (path: string, expected: string, got: unknown) =>
  new TaximeterError('BAD_CONFIG', `${path} should be ${expected}, got ${JSON.stringify(got)?.slice(0, 80)}.`)

/**
 * The rules that are on when none are configured: those that every fleet wants, with values that stay quiet until something is
 * wrong. `dailyUsd` is the daily budget that an agent's hour is measured against.
 */
export const defaultRules = (dailyUsd: number): readonly Rule[] =>
  [
    { name: 'large-request', kind: 'request', tokensAbove: 8_000, by: ['agent', 'model'], severity: 'info', floorUsd: 0.05 },
    ...(dailyUsd > 0
      ? [{ name: 'agent-hour', kind: 'threshold', measure: 'cost', window: '1h', above: dailyUsd / 24, by: 'agent', severity: 'warning' }]
      : []),
    { name: 'tokens-per-task', kind: 'change', measure: 'tokensPerRun', window: '30d', rise: '30%', by: 'task', severity: 'warning' },
    { name: 'repeated-prompt', kind: 'repeat', times: 5, within: 'run', window: '1h', severity: 'warning', floorUsd: 0 },
    { name: 'budget-burn', kind: 'burn', severity: 'critical' },
    { name: 'unusual-hour', kind: 'baseline', by: 'task', severity: 'warning', floorUsd: 1 },
    { name: 'dearer-release', kind: 'release', by: 'task', severity: 'warning' },
    { name: 'new-model', kind: 'new', attribute: 'model', severity: 'info', floorUsd: 0 },
    { name: 'unpriced-model', kind: 'unpriced', by: 'model', severity: 'warning', floorUsd: 0 },
    { name: 'low-coverage', kind: 'coverage', below: '90%', severity: 'warning', floorUsd: 0 },
  ].map((rule) => parseRule(rule, `default rule ${rule.name}`))
