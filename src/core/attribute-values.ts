import type { AttributeName } from './attribution.ts'
import { amountOf, type Charge } from './charge.ts'
import type { CallEntry, Entry, ModelCall, RunStatus, StopReason, ToolCall } from './event.ts'
import type { Breakdown, Filter, Question } from './question.ts'
import type { Unit } from './units.ts'
import { usedUnits } from './usage.ts'

/**
 * Whose attribute a breakdown is, when runs are counted.
 *
 * A run has its own agent, task, release and so on. Everything else belongs to its calls: a run then counts in every segment
 * in which it has a counted call, with what it cost inside that segment.
 */
const runBreakdowns: ReadonlySet<string> = new Set([
  'agent',
  'session',
  'run',
  'task',
  'release',
  'environment',
  'team',
  'user',
  'key',
  'stopReason',
  'runStatus',
])

export const isOfRun = (by: Breakdown): boolean => runBreakdowns.has(by)

/** True when the question looks inside calls: then a call falls into one slice per unit. */
export const asksForUnits = (question: Pick<Question, 'by' | 'where'>): boolean =>
  question.by.includes('unit') || question.where.some((filter) => filter.by === 'unit')

/** A run as far as it is asked for its attributes. */
interface RunFacts extends Partial<Readonly<Record<Exclude<AttributeName, 'step'>, string>>> {
  readonly status?: RunStatus
  readonly stopReason?: StopReason
}

/** One call's attribute. Stop reason and status of a run are those of the run that the call belongs to. */
export const callValue = (entry: CallEntry, by: Breakdown, run: RunFacts | undefined): string | null => {
  const { event } = entry
  switch (by) {
    case 'provider':
    case 'model':
      return event.kind === 'llm' ? event[by] : null
    case 'tool':
      return event.kind === 'tool' ? event.tool : null
    case 'basis':
      return entry.charge.basis
    case 'stopReason':
      return run?.stopReason ?? null
    case 'runStatus':
      return run?.status ?? null
    case 'unit':
      throw new RangeError('A call has several units: ask its slices')
    default:
      if (by.startsWith('tag.')) return event.tags?.[by.slice(4)] ?? null
      return event[by as AttributeName | 'kind' | 'status' | 'source'] ?? null
  }
}

/** One run's attribute; only for those that `isOfRun`. */
export const runValue = (run: RunFacts, by: Breakdown): string | null =>
  (by === 'runStatus' ? run.status : run[by as Exclude<AttributeName, 'step'> | 'stopReason']) ?? null

export const accepts = (filter: Filter, value: string | null): boolean => filter.values.includes(value) !== (filter.isNot ?? false)

/**
 * Whether an entry passes filters by what it says itself, before anything is known of what comes later: a call has no stop reason
 * yet, a run record has no model. Of a call's units one has to pass.
 */
export const passes = (entry: Entry, where: readonly Filter[]): boolean =>
  where.every((filter) => {
    if (entry.charge === undefined) return accepts(filter, isOfRun(filter.by) ? runValue(entry.event, filter.by) : null)
    if (filter.by === 'unit') return slicesOf(entry).some(({ unit }) => accepts(filter, unit))
    return accepts(filter, callValue(entry, filter.by, undefined))
  })

/** The part of a call that belongs to one unit: its tokens and the cost of its price line. */
export interface Slice {
  readonly unit: Unit | null
  readonly cost: bigint
  readonly tokens: readonly (readonly [Unit, number])[]
}

/** Of a call what it used and what it cost. */
export interface Charged {
  readonly event: Pick<ModelCall, 'kind' | 'usage'> | Pick<ToolCall, 'kind'>
  readonly charge: Charge
}

/**
 * A call cut by unit. The slices' costs sum to the call's cost: what cannot be split by price lines (a cost that the provider
 * reported, the price of a tool) lies in the slice without a unit, as does a call that used nothing.
 */
export const slicesOf = (entry: Charged): readonly Slice[] => {
  const counts = countsOf(entry)
  const isSplit = counts.length > 0 && isSplitByLines(entry.charge, counts)
  const slices: Slice[] = counts.map((count) => ({
    unit: count[0],
    cost: isSplit ? lineTotalOf(entry.charge, count[0]) : 0n,
    tokens: [count],
  }))
  if (!isSplit) slices.push({ unit: null, cost: amountOf(entry.charge), tokens: [] })
  return slices
}

/** A call that is not cut. */
export const wholeOf = (entry: CallEntry): Slice => ({ unit: null, cost: amountOf(entry.charge), tokens: countsOf(entry) })

const countsOf = ({ event }: Charged): readonly (readonly [Unit, number])[] =>
  event.kind === 'llm' ? usedUnits(event.usage).map((unit) => [unit, event.usage[unit] ?? 0]) : []

const isSplitByLines = (charge: Charge, counts: readonly (readonly [Unit, number])[]): boolean => {
  if (charge.basis === 'unpriced') return true
  let sum = 0n
  for (const line of charge.lines) {
    if (!counts.some(([unit]) => unit === line.unit)) return false
    sum += line.total
  }
  return sum === charge.total
}

const lineTotalOf = (charge: Charge, unit: Unit): bigint => {
  let sum = 0n
  if (charge.basis !== 'unpriced') for (const line of charge.lines) if (line.unit === unit) sum += line.total
  return sum
}
