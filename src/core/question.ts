import { TaximeterError } from './errors.ts'
import { isUnit, type Unit } from './units.ts'
import { type Interval, intervals, offsetAt, parseSpan } from './window.ts'

export const measureNames = [
  'cost',
  'llmCost',
  'toolCost',
  'retryCost',
  'calls',
  'llmCalls',
  'toolCalls',
  'retries',
  'errors',
  'runs',
  'tokens',
  'promptTokens',
  'completionTokens',
  'costPerRun',
  'llmCostPerRun',
  'toolCostPerRun',
  'tokensPerRun',
  'costP50',
  'costP95',
  'costP99',
  'costPer1kRuns',
  'tokensPerCompletion',
  'efficiency',
  'cacheHitRate',
  'burnRatePerHour',
  'latencyP50',
  'latencyP95',
] as const
export type Measure = (typeof measureNames)[number] | `tokens.${Unit}`

/** Answered by roll-ups. */
export const segmentBreakdowns = [
  'agent',
  'task',
  'provider',
  'model',
  'tool',
  'release',
  'team',
  'environment',
  'kind',
  'status',
  'stopReason',
  'runStatus',
  'source',
  'unit',
  'basis',
] as const
/** Too many values for roll-ups: answered by indexes over raw entries. */
export const entryBreakdowns = ['session', 'run', 'user', 'key', 'step'] as const
export type Breakdown = (typeof segmentBreakdowns)[number] | (typeof entryBreakdowns)[number] | `tag.${string}`

/** What runs and sessions are listed by: their start, from either end, or what is largest first. */
export const listOrders = ['newest', 'oldest', 'costliest', 'longest', 'tokens'] as const
export type ListOrder = (typeof listOrders)[number]

/** An attribute is one of these values; `null` stands for "has none". */
export interface Filter {
  readonly by: Breakdown
  readonly values: readonly (string | null)[]
  readonly isNot?: boolean
}

/**
 * The one form of every analytical query: measures × breakdown × interval × filter × period.
 *
 * `from` is inside the period, `to` is not. A run belongs to the period, and to the bucket, in which it started, with all it
 * cost: so measures of runs (`runs`, `costPerRun`, percentiles) count every run once, wherever its calls lie, while `cost` and
 * `tokens` count the calls made in the period.
 */
export interface Question {
  readonly measures: readonly Measure[]
  readonly by: readonly Breakdown[]
  readonly interval?: Interval
  readonly where: readonly Filter[]
  readonly from: number
  readonly to: number
  readonly zone: string
  /** Keep this many rows per bucket, by the first measure, and fold the rest into one row `other`. */
  readonly top?: number
}

export const byMax = 3
export const filterValuesMax = 100
export const bucketsMax = 10_000
export const rowsMax = 50_000

const breakdowns: ReadonlySet<string> = new Set([...segmentBreakdowns, ...entryBreakdowns])
const measures: ReadonlySet<string> = new Set(measureNames)

export const isMeasure = (name: string): name is Measure => measures.has(name) || (name.startsWith('tokens.') && isUnit(name.slice(7)))
export const isBreakdown = (name: string): name is Breakdown => breakdowns.has(name) || /^tag\.[\w.-]{1,64}$/.test(name)

/** The parameters of a question as text, from a URL or a command line. `where` may repeat; values are separated by commas. */
export interface QuestionText {
  readonly measure?: string | undefined
  readonly by?: string | undefined
  readonly interval?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly last?: string | undefined
  readonly tz?: string | undefined
  readonly top?: string | undefined
  readonly where?: readonly string[] | undefined
}

/** Text → question; `now` in UTC ms stands for "the present". Throws BAD_QUESTION with what was expected, what came and what to do. */
export const parseQuestion = (text: QuestionText, now: number): Question => {
  const zone = text.tz ?? 'UTC'
  offsetAt(now, zone)
  const { from, to } = parsePeriod(text, now)
  const by = listOf(text.by).map((name) =>
    isBreakdown(name) ? name : refuse(`"${name}" is not a breakdown. Use ${[...breakdowns].join(', ')} or tag.<key>`),
  )
  if (by.length > byMax) refuse(`A question can be broken down by at most ${byMax} attributes, got ${by.length}`)
  if (new Set(by).size < by.length) refuse(`"by" names an attribute twice: ${by.join(', ')}`)
  const asked = listOf(text.measure ?? 'cost')
  const interval =
    text.interval === undefined || intervals.includes(text.interval as Interval)
      ? (text.interval as Interval | undefined)
      : refuse(`"${text.interval}" is not an interval. Use ${intervals.join(', ')}`)
  return {
    measures: asked.map((name) =>
      isMeasure(name) ? name : refuse(`"${name}" is not a measure. Use ${measureNames.join(', ')} or tokens.<unit>`),
    ),
    by,
    where: (text.where ?? []).map(parseFilter),
    from,
    to,
    zone,
    ...(interval && { interval }),
    ...(text.top !== undefined && { top: parseTop(text.top) }),
  }
}

const parsePeriod = (text: QuestionText, now: number): { from: number; to: number } => {
  if (text.last !== undefined) {
    if (text.from !== undefined || text.to !== undefined) refuse('Give either "last" or "from" and "to", not both')
    const span = parseSpan(text.last) ?? refuse(`"last" should be a span such as 1h, 24h or 7d, got "${text.last}"`)
    return { from: now - span, to: now + 1 }
  }
  const to = text.to === undefined ? now + 1 : parseInstant('to', text.to)
  const from = text.from === undefined ? to - 24 * 3_600_000 : parseInstant('from', text.from)
  if (from >= to) refuse(`"from" should be before "to", got ${new Date(from).toISOString()} and ${new Date(to).toISOString()}`)
  return { from, to }
}

const instant = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/

const parseInstant = (name: string, text: string): number => {
  const at = instant.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at)
    ? refuse(`"${name}" should be a day (2026-01-31) or an instant with its zone (2026-01-31T12:00:00Z), got "${text}"`)
    : at
}

/** `task:refund`, `model:a,b`, `-team:` (every team but none) → filter. A value is percent-decoded, so that commas can be written %2C. */
export const parseFilter = (text: string): Filter => {
  const match = /^(-?)([\w.-]+):(.*)$/s.exec(text)
  const by = match?.[2] ?? ''
  if (match === null || !isBreakdown(by)) return refuse(`A filter should look like task:refund or model:a,b, got "${text.slice(0, 100)}"`)
  const values = (match[3] ?? '').split(',').map((value) => (value === '' ? null : decodeValue(value)))
  if (values.length > filterValuesMax) refuse(`A filter can name at most ${filterValuesMax} values, got ${values.length}`)
  return { by, values, ...(match[1] && { isNot: true }) }
}

/** The same as text again. */
export const formatFilter = ({ by, values, isNot }: Filter): string =>
  `${isNot ? '-' : ''}${by}:${values.map((value) => encodeURIComponent(value ?? '')).join(',')}`

const decodeValue = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

const parseTop = (text: string): number => {
  const top = /^\d{1,4}$/.test(text) ? Number(text) : 0
  return top >= 1 && top <= 1_000 ? top : refuse(`"top" should be a number from 1 to 1000, got "${text}"`)
}

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

const refuse = (complaint: string): never => {
  throw new TaximeterError('BAD_QUESTION', `${complaint}.`)
}
