import type { Breakdown, Question } from '../../core/question.ts'
import { tokenUnits, type Unit, unitNames } from '../../core/units.ts'
import { asksForUnits } from '../attributes.ts'
import { acceptorOf, dimOfBreakdown, type Values } from './axes.ts'
import { column, dimOf, noUnit } from './block.ts'
import { type Chunk, parseChunk } from './chunk.ts'
import { chunkId, days, quarters } from './cubes.ts'
import type { Database } from './database.ts'
import { type Buckets, type Plan, planOf } from './periods.ts'
import { type RawRows, rawDim, type Scan, tagOf } from './raw-rows.ts'
import { quartersPerDay } from './rollup.ts'
import { sliceOf, slicesTogether } from './slices.ts'
import { conditionOf, entryColumnOf } from './sql-filter.ts'
import { type Axis, createSummer, createTimer, type RowFilter, type Summed, type TimedGroups } from './summing.ts'

/** Sums over calls, by the question's breakdown and then by `callFlags`. */
export interface CallSums {
  readonly groups: Summed
  /** The same over everything, by `callFlags` alone; undefined when that is the sum of the groups. */
  readonly total: Summed | undefined
  readonly columns: readonly number[]
  /** Only when latencies are asked for. */
  readonly latencies: { readonly groups: TimedGroups; readonly total: TimedGroups | undefined } | undefined
}

/** What every group is cut by besides: from it come calls and costs by kind, errors, retries and coverage. */
export const callFlags: readonly Axis[] = [
  { dim: dimOf.kind },
  { dim: dimOf.status, map: (status) => (status === 1 ? 1 : 0) },
  { dim: dimOf.retry },
  { dim: dimOf.basis },
]

export interface CallSources {
  readonly database: Database
  readonly values: Values
  readonly raw: RawRows
}

export const sumCalls = (question: Question, buckets: Buckets, sources: CallSources): CallSums => {
  const shape = shapeOf(question, sources)
  const columns = columnsOf(question)
  const groups = createSummer([...shape.axes, ...callFlags], shape.filters, columns)
  const total = createSummer(callFlags, shape.filters, columns)
  collect(question, buckets, sources, shape, { columns, hasTimes: false }, feedOf(question, shape, columns, groups.add, total.add))
  const latencies = question.measures.some((measure) => measure.startsWith('latency'))
    ? timesFor(question, buckets, sources, shape)
    : undefined
  return { groups: groups.finish(), total: shape.hasUnits ? total.finish() : undefined, columns, latencies }
}

const timesFor = (question: Question, buckets: Buckets, sources: CallSources, shape: Shape): CallSums['latencies'] => {
  const groups = createTimer(shape.axes, shape.filters)
  const total = createTimer([], shape.filters)
  // Which of a call's units took how long only its entry tells.
  const timed = { ...shape, isRolledUp: shape.isRolledUp && !shape.hasUnits }
  const feed = feedOf(question, timed, [column.calls], groups.add, total.add)
  collect(question, buckets, sources, timed, { columns: [column.calls], hasTimes: true }, feed)
  return { groups: groups.finish(), total: shape.hasUnits ? total.finish() : undefined }
}

interface Needs {
  readonly columns: readonly number[]
  readonly hasTimes: boolean
}

type Feed = (chunk: Chunk, bucket: number, sign: 1 | -1) => void

/** Gives the question's rows to `feed`: from roll-ups and, where the period cuts a quarter of an hour, from entries; or all from entries. */
const collect = (question: Question, buckets: Buckets, sources: CallSources, shape: Shape, needs: Needs, feed: Feed): void => {
  const { database, raw } = sources
  const scan = scanOf(question, shape, [...needs.columns, ...sliceColumns(shape)], sources.values)
  if (!shape.isRolledUp) {
    raw.scan(scan, question.from, question.to, buckets.indexOf, (chunk, bucket) => feed(chunk, bucket, 1))
    return
  }
  const plan = planFor(question, buckets, database, shape.isOfDays && !needs.hasTimes)
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
  /** True when roll-ups answer, and true when those of whole days do. */
  readonly isRolledUp: boolean
  readonly isOfDays: boolean
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
  return { axes, filters, tags, hasUnits, units, isRolledUp, isOfDays: dims.every((dim) => days.dims.includes(dim)) && !hasUnits }
}

/** One run or a few sessions are found by an index on the entries, with fewer looks than any roll-up. */
const hasIndex = (question: Question): boolean =>
  question.where.some(({ by, values, isNot }) => (by === 'run' || by === 'session') && !isNot && !values.includes(null))

/** Runs' stop reasons and statuses by the run's number: read when first asked for. */
const createRunFacts = (database: Database, { from, to }: Question) => {
  let facts: Map<number, readonly [number, number]> | undefined
  const load = (): Map<number, readonly [number, number]> => {
    facts = new Map()
    const select = database.prepare('SELECT id, stop_reason, status FROM runs WHERE started_at < ? AND ended_at >= ? AND ends > 0')
    for (const [id, reason, status] of select.iterate(to, from)) facts.set(Number(id), [Number(reason ?? 0), Number(status ?? 0)])
    return facts
  }
  return {
    stopReason: (run: number): number => (facts ?? load()).get(run)?.[0] ?? 0,
    runStatus: (run: number): number => (facts ?? load()).get(run)?.[1] ?? 0,
  }
}

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
  if (!shape.hasUnits) return addToGroups
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

const planFor = (question: Question, buckets: Buckets, database: Database, hasDays: boolean): Plan => {
  const first = database.prepare('SELECT min(at) FROM entries').get()?.[0]
  const last = database.prepare('SELECT max(at) FROM entries').get()?.[0]
  if (typeof first !== 'number' || typeof last !== 'number') return { stretches: [], edges: [] }
  const newest = Number(database.prepare("SELECT value FROM ledger WHERE name = 'newest'").get()?.[0] ?? 0)
  return planOf(question, buckets, { first, last }, hasDays ? Math.floor(newest / quartersPerDay) : 0)
}

const scanOf = (question: Question, shape: Shape, columns: readonly number[], values: Values): Scan => {
  const dims = [...shape.axes, ...callFlags, ...shape.filters.map(({ axis }) => axis)].map(({ dim }) => dim)
  const where = question.where.flatMap((filter) => {
    const name = entryColumnOf(filter.by)
    return name === undefined ? [] : [conditionOf(`e.${name}`, filter, values)]
  })
  return { dims: [...new Set(dims)].filter((dim) => dim !== rawDim.unit), columns, tags: shape.tags, hasSlices: shape.hasUnits, where }
}
