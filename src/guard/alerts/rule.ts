import { type Breakdown, byMax, type Filter, isBreakdown, isMeasure, type Measure, measureNames, parseFilter } from '../../core/question.ts'
import type { Severity } from '../../ledger/alert-store.ts'
import { bad, createReader, type Reader, refuse } from './rule-reader.ts'

/** What a rule watches. Money thresholds are dollars, shares are fractions of one, spans are milliseconds. */
export type Condition =
  /** A measure of each segment over the last `windowMs` is above, or below, a value. `isShare`: what a counted measure is of the calls. */
  | {
      readonly kind: 'threshold'
      readonly measure: Measure
      readonly isShare?: true
      readonly windowMs: number
      readonly above?: number
      readonly below?: number
      readonly callsMin: number
    }
  /** A measure of each segment rose, or fell, by more than a share against the period of equal length before. Counted measures are compared as shares of the calls. */
  | {
      readonly kind: 'change'
      readonly measure: Measure
      readonly windowMs: number
      readonly direction: 'rise' | 'fall'
      readonly share: number
      readonly callsMin: number
      readonly runsMin: number
    }
  /** A budget is spent faster than it lasts: a share of its limit within a long window, and still within a short one. */
  | { readonly kind: 'burn'; readonly pairs: readonly BurnPair[] }
  /** A budget passed one of its thresholds, or its limit. */
  | { readonly kind: 'budget' }
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
  /** One call with more tokens than this, and than so many times what its agent usually sends to its model. */
  | { readonly kind: 'request'; readonly tokensAbove: number; readonly timesUsual: number }
  /** The same prompt so many times within a run, or within an agent's window. */
  | { readonly kind: 'repeat'; readonly times: number; readonly within: 'run' | 'agent'; readonly windowMs: number }
  /** Nothing from an agent that was busy in most hours of the day before. */
  | { readonly kind: 'silent'; readonly afterMs: number }

export interface BurnPair {
  readonly share: number
  readonly longMs: number
  readonly shortMs: number
}

export interface Rule {
  readonly name: string
  readonly condition: Condition
  /** One alert per value of these; empty: one for all. */
  readonly by: readonly Breakdown[]
  readonly where: readonly Filter[]
  /** How long the condition has to hold before it fires, and not to hold before it is resolved. */
  readonly forMs: number
  /** How long after its end nothing is told of the same segment again, so that a value on its threshold does not flap. */
  readonly quietMs: number
  readonly severity: Severity
  /** Below so many dollars at stake nothing fires: cents never page. */
  readonly floorUsd: number
  /** Names of notifiers; absent: all. */
  readonly notify?: readonly string[]
}

/** Counts of calls that say nothing by themselves: more traffic has more of them. */
export const countedMeasures: ReadonlySet<Measure> = new Set(['retries', 'errors'])

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A rule as configuration writes it → rule. Throws BAD_CONFIG with the path of what is wrong, what was expected and what came. */
export const parseRule = (value: unknown, path: string): Rule => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(path, 'a rule with "name" and "kind"', value)
  const json = { ...value } as Record<string, unknown>
  const read = createReader(json, path)
  const name = read.text('name') ?? refuse(`${path}.name`, 'a name', json.name)
  const condition = conditionOf(read, path)
  // A field that a kind does not look at is not asked for, and is refused as one that nobody knows.
  const by = segmented.has(condition.kind) ? byOf(read, path) : []
  // A release rule breaks down by the release besides.
  if (condition.kind === 'release' && by.length === byMax) throw bad(`${path}.by`, `at most ${byMax - 1} attributes`, json.by)
  const rule: Rule = {
    name,
    condition,
    by,
    where: ofBudgets.has(condition.kind) ? [] : read.list('where').map((each) => filterOf(each, `${path}.where`)),
    forMs: read.span('for') ?? 0,
    quietMs: read.span('quiet', '30m'),
    severity: read.oneOf('severity', severities, 'warning'),
    floorUsd: read.number('floorUsd', 0.5),
    ...(json.notify !== undefined && { notify: read.list('notify') }),
  }
  read.list('notify')
  read.end()
  return rule
}

/** Kinds that tell of each segment by itself. */
const segmented: ReadonlySet<Condition['kind']> = new Set(['threshold', 'change', 'baseline', 'release', 'unpriced', 'request'])
/** Kinds that look at budgets, which have a scope of their own. */
const ofBudgets: ReadonlySet<Condition['kind']> = new Set(['budget', 'burn'])

const severities = ['info', 'warning', 'critical'] as const

const byOf = (read: Reader, path: string): readonly Breakdown[] => {
  const by = read.list('by').map((each) => (isBreakdown(each) ? each : refuse(`${path}.by`, 'attributes such as agent or task', each)))
  if (by.length > byMax || new Set(by).size < by.length) throw bad(`${path}.by`, `at most ${byMax} different attributes`, by)
  return by
}

/** How each kind is read, with its defaults as configuration would write them: the one list of kinds. */
const conditions: { readonly [Kind in Condition['kind']]: (read: Reader, path: string) => Extract<Condition, { kind: Kind }> } = {
  threshold: (read, path) => {
    const [above, below] = [read.share('above'), read.share('below')]
    if ((above === undefined) === (below === undefined)) throw bad(path, 'either "above" or "below"', 'both or neither')
    const measure = measureOf(read, path)
    const percent = read.percent('above') ?? read.percent('below')
    if (percent !== undefined && !countedMeasures.has(measure) && measure !== 'cacheHitRate')
      throw bad(`${path}.${above === undefined ? 'below' : 'above'}`, `a number: ${measure} is no share`, percent)
    return {
      kind: 'threshold',
      measure,
      ...(percent !== undefined && countedMeasures.has(measure) && { isShare: true }),
      windowMs: read.span('window', '1h'),
      callsMin: read.number('callsMin', 1),
      ...(above !== undefined && { above }),
      ...(below !== undefined && { below }),
    }
  },
  change: (read, path) => {
    const fall = read.share('fall')
    const rise = read.share('rise')
    if (rise !== undefined && fall !== undefined) throw bad(path, 'either "rise" or "fall"', 'both')
    return {
      kind: 'change',
      measure: measureOf(read, path),
      windowMs: read.span('window', '30d'),
      direction: fall === undefined ? 'rise' : 'fall',
      share: fall ?? read.share('rise', '30%'),
      callsMin: read.number('callsMin', 100),
      runsMin: read.number('runsMin', 0),
    }
  },
  burn: () => ({ kind: 'burn', pairs: burnPairs }),
  budget: () => ({ kind: 'budget' }),
  baseline: (read) => ({ kind: 'baseline', distance: read.number('distance', 5) }),
  release: (read) => ({
    kind: 'release',
    windowMs: read.span('window', '7d'),
    rise: read.share('rise', '20%'),
    runsMin: read.number('runsMin', 30),
  }),
  new: (read) => ({
    kind: 'new',
    attribute: read.oneOf('attribute', ['model', 'provider', 'tool', 'agent'], 'model'),
    windowMs: read.span('window', '1h'),
  }),
  unpriced: (read) => ({ kind: 'unpriced', windowMs: read.span('window', '1h') }),
  coverage: (read) => ({
    kind: 'coverage',
    below: read.share('below', '95%'),
    windowMs: read.span('window', '1d'),
    callsMin: read.number('callsMin', 20),
  }),
  request: (read) => ({ kind: 'request', tokensAbove: read.number('tokensAbove', 8_000), timesUsual: read.number('timesUsual', 0) }),
  repeat: (read) => ({
    kind: 'repeat',
    times: read.number('times', 5),
    within: read.oneOf('within', ['run', 'agent'], 'run'),
    windowMs: read.span('window', '1h'),
  }),
  silent: (read) => ({ kind: 'silent', afterMs: read.span('after', '3h') }),
}

export const ruleKinds = Object.keys(conditions) as readonly Condition['kind'][]

const conditionOf = (read: Reader, path: string): Condition => {
  const kind = read.oneOf('kind', ruleKinds) ?? refuse(`${path}.kind`, ruleKinds.join(', '), undefined)
  return conditions[kind](read, path)
}

/** The fields of a kind with their defaults ("–": none), as docs/reference/alerts.md lists them. */
export const fieldsOf = (kind: Condition['kind']): Readonly<Record<string, string>> => {
  const path = 'rule'
  // A threshold is the one kind that cannot do without a field.
  const read = createReader(kind === 'threshold' ? { above: 1 } : {}, path)
  conditions[kind](read, path)
  return read.fields()
}

/** The fields that every rule has. */
export const commonFields = ['name', 'kind', 'by', 'where', 'for', 'quiet', 'severity', 'floorUsd', 'notify'] as const

/** Fast pairs as runaway detectors: so much of the budget within the long window, and the same pace within the short one. */
const burnPairs = [
  { share: 0.02, longMs: hourMs, shortMs: 5 * 60_000 },
  { share: 0.05, longMs: 6 * hourMs, shortMs: 30 * 60_000 },
  { share: 0.1, longMs: dayMs, shortMs: 2 * hourMs },
] as const satisfies readonly BurnPair[]

const measureOf = (read: Reader, path: string): Measure => {
  const name = read.text('measure', 'cost')
  return isMeasure(name) ? name : refuse(`${path}.measure`, `a measure: ${measureNames.join(', ')} or tokens.<unit>`, name)
}

const filterOf = (text: string, path: string): Filter => {
  try {
    return parseFilter(text)
  } catch {
    return refuse(path, 'filters such as task:refund', text)
  }
}
