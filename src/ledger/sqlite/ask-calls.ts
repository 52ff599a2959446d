import { isMoney } from '../../core/answer.ts'
import { asksForUnits } from '../../core/attribute-values.ts'
import { type Breakdown, type Question, segmentBreakdowns } from '../../core/question.ts'
import { tokenUnits, type Unit, unitNames } from '../../core/units.ts'
import { acceptorOf, dimOfBreakdown, type Values } from './axes.ts'
import { column, columnCount, dimOf, noUnit } from './block.ts'
import { type Chunk, parseChunk } from './chunk.ts'
import { chunkId, type Family, families, quarters, sealedBefore } from './cubes.ts'
import type { Database } from './database.ts'
import { type Buckets, type Plan, planOf } from './periods.ts'
import { type RawRows, rawDim, type Scan, tagOf } from './raw-rows.ts'
import type { Axis } from './row-groups.ts'
import { createRunFacts } from './run-facts.ts'
import { sliceOf, slicesTogether } from './slices.ts'
import { conditionOf, entryColumnOf } from './sql-filter.ts'
import { createSummer, createTimer, type RowFilter, type Summed, type TimedGroups } from './summing.ts'
import { type Span, spansOf } from './whereabouts.ts'

/** Sums over calls, by the question's breakdown and then by `flags`. */
export interface CallSums {
  readonly groups: Summed
  readonly flags: readonly Flag[]
  /** The same over everything, by all of `callFlags` alone; undefined when that is the sum of the groups. */
  readonly total: Summed | undefined
  readonly columns: readonly number[]
  /** Only when latencies are asked for. */
  readonly latencies: { readonly groups: TimedGroups; readonly total: TimedGroups | undefined } | undefined
}

export type Flag = 'kind' | 'error' | 'retry' | 'basis'

/** What groups are cut by besides: from it come calls and costs by kind, errors, retries and, of the total, coverage. */
const flagAxes: Readonly<Record<Flag, Axis>> = {
  kind: { dim: dimOf.kind },
  error: { dim: dimOf.status, map: (status) => (status === 1 ? 1 : 0) },
  retry: { dim: dimOf.retry },
  basis: { dim: dimOf.basis },
}
export const callFlags: readonly Flag[] = ['kind', 'error', 'retry', 'basis']

export interface CallSources {
  readonly database: Database
  readonly values: Values
  readonly raw: RawRows
}

export const sumCalls = (question: Question, buckets: Buckets, sources: CallSources): CallSums => {
  const shape = shapeOf(question, sources)
  const columns = columnsOf(question)
  // Where there are many groups each is cut only by what is asked for, and the total is summed beside them.
  const flags = shape.isWide ? flagsOf(question) : callFlags
  const axesOf = (names: readonly Flag[]): readonly Axis[] => names.map((name) => flagAxes[name])
  const groups = createSummer([...shape.axes, ...axesOf(flags)], shape.filters, columns)
  const total = createSummer(axesOf(callFlags), shape.filters, columns)
  collect(question, buckets, sources, shape, { columns, hasTimes: false }, feedOf(question, shape, columns, groups.add, total.add))
  const latencies = question.measures.some((measure) => measure.startsWith('latency'))
    ? timesFor(question, buckets, sources, shape)
    : undefined
  return { groups: groups.finish(), flags, total: hasTotal(shape) ? total.finish() : undefined, columns, latencies }
}

const hasTotal = (shape: Shape): boolean => shape.hasUnits || shape.isWide

const kindMeasures = /^(?:llm|tool|retry)Cost$|^(?:llm|tool)Calls$|^tokensPerCompletion$/

const flagsOf = ({ measures }: Question): readonly Flag[] => [
  ...(measures.some((measure) => kindMeasures.test(measure)) ? (['kind'] as const) : []),
  ...(measures.includes('errors') ? (['error'] as const) : []),
  ...(measures.includes('retries') || measures.includes('retryCost') ? (['retry'] as const) : []),
  ...(measures.some(isMoney) ? (['basis'] as const) : []),
]

const timesFor = (question: Question, buckets: Buckets, sources: CallSources, shape: Shape): CallSums['latencies'] => {
  const groups = createTimer(shape.axes, shape.filters)
  const total = createTimer([], shape.filters)
  // Which of a call's units took how long only its entry tells.
  const timed = { ...shape, isRolledUp: shape.isRolledUp && !shape.hasUnits }
  const feed = feedOf(question, timed, [column.calls], groups.add, total.add)
  collect(question, buckets, sources, timed, { columns: [column.calls], hasTimes: true }, feed)
  return { groups: groups.finish(), total: hasTotal(shape) ? total.finish() : undefined }
}

interface Needs {
  readonly columns: readonly number[]
  readonly hasTimes: boolean
}

type Feed = (chunk: Chunk, bucket: number, sign: 1 | -1) => void

/** Gives the question's rows to `feed`: from roll-ups and, where the period cuts a quarter of an hour, from entries; or all from entries. */
const collect = (question: Question, buckets: Buckets, sources: CallSources, shape: Shape, needs: Needs, feed: Feed): void => {
  const scan = scanOf(question, shape, needs, sources.values)
  const period = { from: question.from, to: question.to }
  for (const span of spansOf(sources.database, question.where, sources.values, period) ?? [period]) {
    if (shape.isRolledUp) collectRolled(planFor(span, buckets, sources.database, shape, needs), sources, shape, needs, scan, feed)
    else sources.raw.scan(scan, span.from, span.to, buckets.indexOf, (chunk, bucket) => feed(chunk, bucket, 1))
  }
}

const collectRolled = (plan: Plan, { database, raw }: CallSources, shape: Shape, needs: Needs, scan: Scan, feed: Feed): void => {
  const lines = shape.hasUnits ? 'lines' : 'NULL'
  const select = database.prepare(`SELECT data, ${lines}, ${needs.hasTimes ? 'times' : 'NULL'} FROM rollup WHERE id >= ? AND id < ?`)
  for (const { bucket, level, first, end } of plan.stretches) {
    for (const row of select.iterate(chunkId(level, first, 0), chunkId(level, end, 0))) {
      feed(parseChunk(...(row as [Uint8Array, Uint8Array | null, Uint8Array | null])), bucket, 1)
    }
  }
  for (const { bucket, from, to, sign } of plan.edges) {
    raw.scan(
      scan,
      from,
      to,
      () => bucket,
      (chunk) => feed(chunk, bucket, sign),
    )
  }
}

/** What a question asks of calls, in terms of rows. */
interface Shape {
  readonly axes: readonly Axis[]
  readonly filters: readonly RowFilter[]
  readonly tags: readonly string[]
  readonly hasUnits: boolean
  /** Units that pass the filters, by number. */
  readonly units: readonly number[]
  /** True when roll-ups answer. */
  readonly isRolledUp: boolean
  /** The narrowest coarse roll-ups that answer, where some do. */
  readonly family: Family | undefined
  /** True when there can be tens of thousands of groups. */
  readonly isWide: boolean
}

const shapeOf = (question: Question, { database, values }: CallSources): Shape => {
  const tags = [...new Set([...question.by, ...question.where.map(({ by }) => by)].map(tagOf).filter((tag) => tag !== undefined))]
  const runs = createRunFacts(database, question)
  const axisOf = (by: Breakdown): Axis => {
    if (by === 'unit') return { dim: rawDim.unit }
    if (by === 'step') return { dim: rawDim.step }
    if (by === 'stopReason' || by === 'runStatus') return { dim: dimOf.run, map: runs[by] }
    const tag = tagOf(by)
    return { dim: tag === undefined ? (dimOfBreakdown(by) ?? 0) : rawDim.tag + tags.indexOf(tag) }
  }
  const hasUnits = asksForUnits(question)
  const ofUnits = question.where.filter(({ by }) => by === 'unit').map((filter) => acceptorOf(filter, values))
  const units = [...unitNames.keys(), noUnit].filter((unit) => ofUnits.every((accepts) => accepts(unit)))
  const axes = question.by.map(axisOf)
  const filters = question.where
    .filter(({ by }) => by !== 'unit')
    .map((filter) => ({ axis: axisOf(filter.by), accepts: acceptorOf(filter, values) }))
  const dims = [...axes, ...filters.map(({ axis }) => axis)].map(({ dim }) => dim)
  // A call that passes by several units counts once, which only its entry tells.
  const isAmbiguous = ofUnits.length > 0 && units.length > 1
  const isRolledUp =
    question.interval !== 'minute' &&
    !hasIndex(question) &&
    !isAmbiguous &&
    dims.every((dim) => quarters.dims.includes(dim) || dim === rawDim.unit)
  const family = families.find((found) => dims.every((dim) => found.dims.includes(dim) || dim === rawDim.unit))
  const isWide = question.by.length > 2 || question.by.some((by) => !isOfFewValues(by))
  return { axes, filters, tags, hasUnits, units, isRolledUp, family, isWide }
}

const isOfFewValues = (by: Breakdown): boolean => (segmentBreakdowns as readonly string[]).includes(by)

/** A run's calls are found by an index on the entries, with fewer looks than any roll-up. */
const hasIndex = (question: Question): boolean =>
  question.where.some(({ by, values, isNot }) => by === 'run' && !isNot && !values.includes(null))

const tokenMeasures = /^(?:tokens|promptTokens|completionTokens|tokensPerCompletion|efficiency|cacheHitRate)$/

/** Calls and cost, which coverage needs in any case, and the tokens that the measures are made of. */
const columnsOf = (question: Question): readonly number[] => {
  const units = new Set<Unit>()
  for (const measure of question.measures) {
    if (tokenMeasures.test(measure)) for (const unit of tokenUnits) units.add(unit)
    else if (measure.startsWith('tokens.')) units.add(measure.slice(7) as Unit)
  }
  const columns = [column.calls, column.cost, column.cost + 1]
  for (const [index, unit] of unitNames.entries()) if (units.has(unit)) columns.push(column.tokens(index), column.tokens(index) + 1)
  return columns
}

const sliceColumns = (shape: Shape): readonly number[] =>
  shape.hasUnits
    ? [...unitNames.keys(), noUnit].flatMap((unit) => [column.sliceCalls(unit), column.sliceCost(unit), column.sliceCost(unit) + 1])
    : []

/** A chunk goes to the sums as it is, or, where units are asked for, once per unit as if the unit's slices were the calls. */
const feedOf = (question: Question, shape: Shape, columns: readonly number[], addToGroups: Feed, addToTotal: Feed): Feed => {
  if (!shape.hasUnits) {
    if (!shape.isWide) return addToGroups
    return (chunk, bucket, sign) => {
      addToGroups(chunk, bucket, sign)
      addToTotal(chunk, 0, sign)
    }
  }
  const isByUnit = question.by.includes('unit')
  const isFiltered = shape.units.length <= noUnit
  return (chunk, bucket, sign) => {
    const whole = isFiltered ? slicesTogether(chunk, shape.units, columns) : chunk
    addToTotal(whole, 0, sign)
    if (!isByUnit) addToGroups(whole, bucket, sign)
    else
      for (const unit of shape.units)
        if (chunk.columns[column.sliceCalls(unit)] !== undefined) addToGroups(sliceOf(chunk, unit, columns), bucket, sign)
  }
}

const planFor = (span: Span, buckets: Buckets, database: Database, { family, hasUnits }: Shape, { hasTimes }: Needs): Plan => {
  const first = database.prepare('SELECT min(at) FROM entries').get()?.[0]
  const last = database.prepare('SELECT max(at) FROM entries').get()?.[0]
  if (typeof first !== 'number' || typeof last !== 'number') return { stretches: [], edges: [] }
  const newest = Number(database.prepare("SELECT value FROM ledger WHERE name = 'newest'").get()?.[0] ?? 0)
  const levels = (family?.levels ?? [])
    .filter((level) => (!hasUnits || level.columnEnd === columnCount) && (!hasTimes || level.hasTimes))
    .map((level) => ({ level, sealed: sealedBefore(level, newest) }))
  return planOf(span, buckets, { first, last }, levels)
}

const scanOf = (question: Question, shape: Shape, needs: Needs, values: Values): Scan => {
  const dims = [...shape.axes, ...Object.values(flagAxes), ...shape.filters.map(({ axis }) => axis)].map(({ dim }) => dim)
  const where = question.where.flatMap((filter) => {
    const name = entryColumnOf(filter.by)
    return name === undefined ? [] : [conditionOf(`e.${name}`, filter, values)]
  })
  return {
    dims: [...new Set(dims)].filter((dim) => dim !== rawDim.unit),
    columns: [...needs.columns, ...sliceColumns(shape)],
    tags: shape.tags,
    hasSlices: shape.hasUnits,
    hasTimes: needs.hasTimes,
    where,
  }
}
