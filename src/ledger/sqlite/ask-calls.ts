import type { Breakdown, Question } from '../../core/question.ts'
import { tokenUnits, type Unit, unitNames } from '../../core/units.ts'
import { asksForUnits } from '../attributes.ts'
import { acceptorOf, dimOfBreakdown, type Values } from './axes.ts'
import { column, dimOf, noUnit } from './block.ts'
import { type Chunk, parseChunk } from './chunk.ts'
import { bucketMs, type Cube, chunkId, cubes } from './cubes.ts'
import type { Database } from './database.ts'
import { type Buckets, type Plan, planOf } from './periods.ts'
import { type RawRows, rawDim, type Scan, tagOf } from './raw-rows.ts'
import { conditionOf, entryColumnOf } from './sql-filter.ts'
import { type Axis, createSummer, type RowFilter, type Summed, type Summer } from './summing.ts'

/** Sums over calls, by the question's breakdown and then by `callFlags`. */
export interface CallSums {
  readonly groups: Summed
  /** The same over everything, by `callFlags` alone; undefined when that is the sum of the groups. */
  readonly total: Summed | undefined
  readonly columns: readonly number[]
  /** Calls per bin of latency, by breakdown and bin; only when latencies are asked for. */
  readonly latencies: { readonly groups: Summed; readonly total: Summed | undefined } | undefined
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
  collect(question, buckets, sources, shape, shape.cube, columns, feedOf(question, shape, columns, groups, total))
  const latencies = latenciesOf(question, buckets, sources, shape)
  return { groups: groups.finish(), total: shape.hasUnits ? total.finish() : undefined, columns, latencies }
}

/** Gives the question's rows to `feed`: from a cube and, where the period cuts a quarter of an hour, from entries; or all from entries. */
const collect = (
  question: Question,
  buckets: Buckets,
  sources: CallSources,
  shape: Shape,
  cube: Cube | undefined,
  columns: readonly number[],
  feed: Feed,
): void => {
  const { database, raw, values } = sources
  const scan = scanOf(question, shape, [...columns, ...sliceColumns(shape)], values)
  if (cube === undefined) {
    raw.scan(scan, question.from, question.to, buckets.indexOf, (chunk, bucket) => feed(chunk, bucket, 1))
    return
  }
  const plan = planFor(question, buckets, database, cube)
  const select = database.prepare(`SELECT data${shape.hasUnits ? ', lines' : ''} FROM rollup WHERE id >= ? AND id < ?`)
  for (const { bucket, level, first, end } of plan.stretches) {
    for (const [data, lines] of select.iterate(chunkId(cube, level, first, 0), chunkId(cube, level, end, 0))) {
      feed(parseChunk(data as Uint8Array, lines as Uint8Array | null | undefined), bucket, 1)
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

interface Shape {
  readonly axes: readonly Axis[]
  readonly filters: readonly RowFilter[]
  readonly tags: readonly string[]
  readonly hasUnits: boolean
  /** Units that pass the filters, by number. */
  readonly units: readonly number[]
  /** The cheapest cube that answers; undefined when only the entries do. */
  readonly cube: Cube | undefined
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
  return { axes, filters, tags, hasUnits, units, cube: cubeFor(question, dims, hasUnits, units.length, ofUnits.length > 0) }
}

const cubeFor = (question: Question, dims: readonly number[], hasUnits: boolean, units: number, isFiltered: boolean): Cube | undefined => {
  if (question.interval === 'minute' || hasIndex(question)) return undefined
  // A call that passes by several units counts once, which only its entry tells.
  if (hasUnits && isFiltered && units > 1) return undefined
  const covers = (cube: Cube): boolean => dims.every((dim) => cube.dims.includes(dim) || (dim === rawDim.unit && cube === cubes.segments))
  if (covers(cubes.segments)) return cubes.segments
  return covers(cubes.owners) && !hasUnits ? cubes.owners : undefined
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

type Feed = (chunk: Chunk, bucket: number, sign: 1 | -1) => void

/** A chunk goes to the sums as it is, or, where units are asked for, once per unit as if the unit's slices were the calls. */
const feedOf = (question: Question, shape: Shape, columns: readonly number[], groups: Summer, total: Summer): Feed => {
  if (!shape.hasUnits) return groups.add
  const isByUnit = question.by.includes('unit')
  const isFiltered = shape.units.length <= noUnit
  return (chunk, bucket, sign) => {
    if (isByUnit)
      for (const unit of shape.units)
        if (chunk.columns[column.sliceCalls(unit)] !== undefined) groups.add(sliceOf(chunk, unit, columns), bucket, sign)
    const whole = isFiltered ? slicesTogether(chunk, shape.units, columns) : chunk
    if (!isByUnit) groups.add(whole, bucket, sign)
    total.add(whole, 0, sign)
  }
}

const sliceOf = (chunk: Chunk, unit: number, columns: readonly number[]): Chunk => {
  const dims = [...chunk.dims]
  dims[rawDim.unit] = { values: Int32Array.of(unit), places: undefined }
  const found = [...chunk.columns]
  found[column.calls] = chunk.columns[column.sliceCalls(unit)]
  found[column.cost] = chunk.columns[column.sliceCost(unit)]
  found[column.cost + 1] = chunk.columns[column.sliceCost(unit) + 1]
  for (const id of columns)
    if (id >= column.tokens(0) && id !== column.tokens(unit) && id !== column.tokens(unit) + 1) found[id] = undefined
  return { rows: chunk.rows, dims, columns: found }
}

/** What several units make together; of more than one only over entries, where a call is a row. */
const slicesTogether = (chunk: Chunk, units: readonly number[], columns: readonly number[]): Chunk => {
  const [only] = units
  if (units.length === 1 && only !== undefined) return sliceOf(chunk, only, columns)
  const found = [...chunk.columns]
  const sumOf = (ids: readonly number[]): Float64Array => {
    const sum = new Float64Array(chunk.rows)
    for (const id of ids) {
      const part = chunk.columns[id]
      if (part !== undefined)
        for (let row = 0; row < chunk.rows; row++) sum[row] = (sum[row] as number) + part.base + (part.data?.[row] ?? 0)
    }
    return sum
  }
  const calls = sumOf(units.map(column.sliceCalls)).map((count) => Math.min(count, 1))
  found[column.calls] = { base: 0, data: calls }
  for (const half of [0, 1]) found[column.cost + half] = { base: 0, data: sumOf(units.map((unit) => column.sliceCost(unit) + half)) }
  for (const unit of unitNames.keys()) if (!units.includes(unit)) for (const half of [0, 1]) found[column.tokens(unit) + half] = undefined
  return { rows: chunk.rows, dims: chunk.dims, columns: found }
}

const planFor = (question: Question, buckets: Buckets, database: Database, cube: Cube): Plan => {
  const first = database.prepare('SELECT min(at) FROM entries').get()?.[0]
  const last = database.prepare('SELECT max(at) FROM entries').get()?.[0]
  if (typeof first !== 'number' || typeof last !== 'number') return { stretches: [], edges: [] }
  const newest = Number(database.prepare("SELECT value FROM ledger WHERE name = 'newest'").get()?.[0] ?? 0)
  return planOf(question, buckets, { first, last }, cube.hasDays ? Math.floor(newest / (bucketMs[1] / bucketMs[0])) : 0)
}

const scanOf = (question: Question, shape: Shape, columns: readonly number[], values: Values): Scan => {
  const dims = [...shape.axes, ...callFlags, ...shape.filters.map(({ axis }) => axis)].map(({ dim }) => dim)
  const where = question.where.flatMap((filter) => {
    const name = entryColumnOf(filter.by)
    return name === undefined ? [] : [conditionOf(`e.${name}`, filter, values)]
  })
  return { dims: [...new Set(dims)].filter((dim) => dim !== rawDim.unit), columns, tags: shape.tags, hasSlices: shape.hasUnits, where }
}

const latenciesOf = (question: Question, buckets: Buckets, sources: CallSources, shape: Shape): CallSums['latencies'] => {
  if (!question.measures.some((measure) => measure.startsWith('latency'))) return undefined
  const axis = { dim: dimOf.latency }
  const isTimed: RowFilter = { axis, accepts: (bin) => bin >= 0 }
  const columns = [column.calls]
  const groups = createSummer([...shape.axes, axis], [...shape.filters, isTimed], columns)
  const total = createSummer([axis], [...shape.filters, isTimed], columns)
  const timed = { ...shape, filters: [...shape.filters, isTimed] }
  const cube = shape.cube === cubes.segments && !shape.hasUnits ? cubes.latencies : undefined
  collect(question, buckets, sources, timed, cube, columns, feedOf(question, timed, columns, groups, total))
  return { groups: groups.finish(), total: shape.hasUnits ? total.finish() : undefined }
}
