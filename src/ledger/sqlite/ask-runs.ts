import { asksForUnits, isOfRun } from '../../core/attribute-values.ts'
import type { Breakdown, Filter, Question } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { acceptorOf, dimOfBreakdown, type Values } from './axes.ts'
import { column, noUnit, two32 } from './block.ts'
import { type Chunk, type ChunkColumn, parseChunk } from './chunk.ts'
import { listed } from './chunk-builder.ts'
import { chunkId, quarters } from './cubes.ts'
import type { Database, Row } from './database.ts'
import type { Buckets } from './periods.ts'
import { rawDim } from './raw-rows.ts'
import { type Axis, createRowGroups } from './row-groups.ts'
import type { KeptEntry } from './rows.ts'
import { createRunCells, type RunColumn } from './run-cells.ts'
import { eachRunChunk } from './run-chunks.ts'
import { type RunNumber, runDims, runNumbers } from './run-columns.ts'
import { createRunEntries } from './run-entries.ts'
import {
  type Amounts,
  createRunParts,
  highMax,
  type RunParts,
  type RunPartsBuilder,
  type RunSegment,
  runsByGroup,
  wholeUnit,
} from './run-parts.ts'
import { sliceOf } from './slices.ts'
import { runColumnOf } from './sql-filter.ts'
import { applyFilter, isRefused, type RowFilter } from './summing.ts'

/** True when the sums need a look inside the runs, because a call's attribute is asked for. */
const looksInside = (question: Question): boolean => [...question.by, ...question.where.map(({ by }) => by)].some((by) => !isOfRun(by))

/** True when roll-ups know every attribute that is asked for. */
const isRolledUp = (question: Question): boolean =>
  [...question.by, ...question.where.map(({ by }) => by)].every((by) => isOfRun(by) || by === 'unit' || dimOfBreakdown(by) !== undefined)

/** Runs that started in the period, in columns. */
interface Runs {
  readonly ids: Int32Array
  /** Which of `groups` each is in: the bucket of its start and the breakdown's values that are its own. */
  readonly groupOf: Int32Array
  readonly groups: readonly RunSegment[]
  readonly lastEnd: number
  readonly llm: Money
  readonly tool: Money
  readonly tokens: Float64Array
}

interface Money {
  readonly low: Float64Array
  readonly high: Float64Array
}

const moneyNumbers = ['llm_low', 'llm_high', 'tool_low', 'tool_high'] as const

/** No more than are needed, because what is not in columns yet takes as long to read as it is wide. */
const numbersOf = (question: Question): readonly RunNumber[] => [
  'started_at',
  ...(looksInside(question) ? (['id', 'ended_at'] as const) : moneyNumbers),
  ...(!looksInside(question) && question.measures.includes('tokensPerRun') ? (['tokens'] as const) : []),
]

/** Dimensions that are made of a chunk's numbers: the bucket of the start, and the run itself. */
const bucketDim = runDims.length
const idDim = runDims.length + 1

const runDimOf = (by: Breakdown): number => (by === 'run' ? idDim : runDims.indexOf(runColumnOf(by) as (typeof runDims)[number]))

const runsIn = (database: Database, question: Question, buckets: Buckets, values: Values): Runs => {
  const axes: readonly Axis[] = [bucketDim, ...question.by.filter(isOfRun).map(runDimOf)].map((dim) => ({ dim }))
  const filters = question.where
    .filter(({ by }) => isOfRun(by))
    .map((filter): RowFilter => ({ axis: { dim: runDimOf(filter.by) }, accepts: acceptorOf(filter, values) }))
  const asked = [...axes, ...filters.map(({ axis }) => axis)].map(({ dim }) => dim)
  const hasIds = asked.includes(idDim)
  const numbers = [...new Set<RunNumber>([...numbersOf(question), ...(hasIds ? (['id'] as const) : [])])]
  const dims = [...new Set(asked.filter((dim) => dim < runDims.length))]
  const groups = createRowGroups(axes.length)
  const found = createRunList(numbers)
  let target = new Int32Array(1024)
  eachRunChunk(database, { from: question.from, to: question.to, endedFrom: 0, dims, numbers }, (chunk) => {
    if (target.length < chunk.rows) target = new Int32Array(chunk.rows * 2)
    const startedAt = numberAt(chunk, 'started_at')
    const made = [...chunk.dims]
    made[bucketDim] = question.interval === undefined ? undefined : listed(chunk.rows, (row) => buckets.indexOf(startedAt(row)))
    if (hasIds) made[idDim] = listed(chunk.rows, numberAt(chunk, 'id'))
    const whole = { ...chunk, dims: made }
    if (filters.some((filter) => isRefused(whole, filter))) return
    groups.resolve(whole, 0, axes, target)
    for (const filter of filters) applyFilter(whole, filter, target)
    for (let row = 0; row < chunk.rows; row++) {
      const at = startedAt(row)
      if (at < question.from || at >= question.to) target[row] = 0
    }
    found.add(chunk, target)
  })
  return runsOf(found, groups.keys().slice(1))
}

/** Runs that were found, number by number. */
const createRunList = (numbers: readonly RunNumber[]) => {
  const lists = new Map(numbers.map((name) => [name, new Float64Array(1024)]))
  let groupOf = new Int32Array(1024)
  let count = 0
  return {
    groups: () => groupOf.subarray(0, count),
    of: (name: RunNumber): Float64Array => lists.get(name)?.subarray(0, count) ?? new Float64Array(count),
    /** Takes the rows of a chunk that are in a group. */
    add(chunk: Chunk, target: Int32Array): void {
      const rows = new Int32Array(chunk.rows)
      let kept = 0
      for (let row = 0; row < chunk.rows; row++) if (target[row] !== 0) rows[kept++] = row
      if (groupOf.length < count + kept) {
        groupOf = lengthened(groupOf, new Int32Array((count + kept) * 2))
        for (const [name, list] of lists) lists.set(name, lengthened(list, new Float64Array((count + kept) * 2)))
      }
      for (let index = 0; index < kept; index++) groupOf[count + index] = target[rows[index] as number] as number
      for (const [name, list] of lists) {
        const { base, data } = chunk.columns[runNumbers.indexOf(name)] ?? noColumn
        if (data === undefined) list.fill(base, count, count + kept)
        else for (let index = 0; index < kept; index++) list[count + index] = base + (data[rows[index] as number] as number)
      }
      count += kept
    },
  }
}

const noColumn: ChunkColumn = { base: 0, data: undefined }

const lengthened = <List extends Int32Array | Float64Array>(from: List, to: List): List => {
  to.set(from)
  return to
}

const numberAt = (chunk: Chunk, name: RunNumber): ((row: number) => number) => {
  const { base, data } = chunk.columns[runNumbers.indexOf(name)] ?? noColumn
  return data === undefined ? () => base : (row) => base + (data[row] as number)
}

/** Groups of which no run was kept are left out. `keys` are the bucket and the values of each group. */
const runsOf = (found: ReturnType<typeof createRunList>, keys: readonly Int32Array[]): Runs => {
  const groups: RunSegment[] = []
  const placeOf = new Map<number, number>()
  const groupOf = found.groups().map((group) => {
    let place = placeOf.get(group)
    if (place === undefined) {
      const [bucket = 0, ...values] = keys.map((key) => key[group] ?? 0)
      place = groups.push({ bucket, values }) - 1
      placeOf.set(group, place)
    }
    return place
  })
  return {
    ids: Int32Array.from(found.of('id')),
    groupOf,
    groups,
    lastEnd: found.of('ended_at').reduce((latest, at) => Math.max(latest, at), 0),
    llm: { low: found.of('llm_low'), high: found.of('llm_high') },
    tool: { low: found.of('tool_low'), high: found.of('tool_high') },
    tokens: found.of('tokens'),
  }
}

export interface RunSources {
  readonly database: Database
  readonly values: Values
  readonly readRow: (row: Row) => KeptEntry
}

export interface RunSums {
  readonly parts: RunParts
  /** How many runs started in the period. */
  readonly runs: number
}

export const sumRuns = (question: Question, buckets: Buckets, sources: RunSources): RunSums => {
  const runs = runsIn(sources.database, question, buckets, sources.values)
  const parts = looksInside(question)
    ? isRolledUp(question)
      ? partsOfCalls(question, runs, sources)
      : partsOfEntries(question, runs, sources)
    : wholeRuns(runs)
  return { parts, runs: runs.ids.length }
}

/** Runs by their own attributes alone: the totals that each has in its row. */
const wholeRuns = ({ groupOf, groups, llm, tool, tokens }: Runs): RunParts => {
  const parts = createRunParts(true)
  const { starts, runs } = runsByGroup(groupOf, groups.length)
  const kinds = {
    llm: amountsOf(runs, llm),
    tool: amountsOf(runs, tool),
    tokens: { rest: gathered(tokens, runs), whole: undefined },
  } as const
  const cost = amountsOf(runs, { low: added(llm.low, tool.low), high: added(llm.high, tool.high) })
  for (const [group, { bucket, values }] of groups.entries()) {
    const [start, end] = [starts[group] as number, starts[group + 1] as number]
    const segment = parts.segmentFor(bucket, values)
    parts.add(segment, { runs: runs.subarray(start, end), cost: partOf(cost, start, end) })
    for (const kind of ['llm', 'tool', 'tokens'] as const) parts.count(segment, kind, partOf(kinds[kind], start, end))
  }
  return parts.finish()
}

const added = (left: Float64Array, right: Float64Array): Float64Array => {
  const sums = new Float64Array(left.length)
  for (let index = 0; index < left.length; index++) sums[index] = (left[index] as number) + (right[index] as number)
  return sums
}

const gathered = (from: Float64Array, places: Int32Array): Float64Array => {
  const found = new Float64Array(places.length)
  for (let place = 0; place < places.length; place++) found[place] = from[places[place] as number] as number
  return found
}

/** The money of some runs, in the order of these. */
const amountsOf = (runs: Int32Array, { low, high }: Money): Amounts => {
  const [rest, highs] = [gathered(low, runs), gathered(high, runs)]
  let isLarge = false
  for (let place = 0; place < rest.length; place++) {
    const over = highs[place] as number
    if (over >= highMax) isLarge = true
    rest[place] = (rest[place] as number) + (over % highMax) * two32
  }
  return { rest, whole: isLarge ? highs.map((over) => Math.floor(over / highMax)) : undefined }
}

const partOf = ({ rest, whole }: Amounts, start: number, end: number): Amounts => ({
  rest: rest.subarray(start, end),
  whole: whole?.subarray(start, end),
})

/** Runs by what their calls are: the calls of these runs, wherever they lie, from the roll-ups that know whose they were. */
const partsOfCalls = (question: Question, runs: Runs, { database, values }: RunSources): RunParts => {
  const parts = createRunParts(false)
  if (runs.ids.length === 0) return parts.finish()
  const ofCalls = question.where.filter(({ by }) => !isOfRun(by) && by !== 'unit')
  const callBy = question.by.filter((by) => !isOfRun(by))
  const filters = ofCalls.map((filter: Filter) => ({ axis: axisOf(filter.by), accepts: acceptorOf(filter, values) }))
  const cells = createRunCells(runs.ids, callBy.map(axisOf), filters, question.measures.includes('tokensPerRun'))
  const first = Math.floor(question.from / quarters.bucketMs)
  const end = Math.floor(runs.lastEnd / quarters.bucketMs) + 1
  const units = unitsOf(question, values)
  const select = database.prepare(`SELECT data, ${units === undefined ? 'NULL' : 'lines'} FROM rollup WHERE id >= ? AND id < ?`)
  for (const [data, lines] of select.iterate(chunkId(quarters, first, 0), chunkId(quarters, end, 0))) {
    const chunk = parseChunk(data as Uint8Array, lines as Uint8Array | null)
    if (units === undefined) cells.add(chunk)
    else for (const unit of units) if (chunk.columns[column.sliceCalls(unit)] !== undefined) cells.add(sliceOf(chunk, unit, tokenColumns))
  }
  for (const found of cells.finish()) addColumn(parts, question, runs, found)
  return parts.finish()
}

/** What runs did in one segment of calls: a part of each that has a call there. */
const addColumn = (parts: RunPartsBuilder, question: Question, runs: Runs, { values, isTool, calls, cost, tokens }: RunColumn): void => {
  const { starts, runs: places } = runsByGroup(runs.groupOf, runs.groups.length, calls)
  const costs: Amounts = { rest: gathered(cost.rest, places), whole: cost.whole && gathered(cost.whole, places) }
  const counts: Amounts | undefined = tokens.length === 0 ? undefined : { rest: gathered(tokens, places), whole: undefined }
  for (const [group, { bucket, values: own }] of runs.groups.entries()) {
    const [start, end] = [starts[group] as number, starts[group + 1] as number]
    if (start === end) continue
    const segment = parts.segmentFor(bucket, mergedValues(question.by, own, values))
    const piece = { runs: places.subarray(start, end), cost: partOf(costs, start, end) }
    parts.add(segment, piece)
    parts.count(segment, isTool ? 'tool' : 'llm', piece.cost)
    if (counts !== undefined) parts.count(segment, 'tokens', partOf(counts, start, end))
  }
}

/** Runs by what only entries know. */
const partsOfEntries = (question: Question, runs: Runs, { database, values, readRow }: RunSources): RunParts => {
  const parts = createRunParts(false)
  const segmentsOf = createRunEntries(question, database, values, readRow)
  for (const [place, id] of runs.ids.entries()) {
    const { bucket, values: own } = runs.groups[runs.groupOf[place] as number] as RunSegment
    for (const found of segmentsOf(id)) {
      const segment = parts.segmentFor(bucket, mergedValues(question.by, own, found.values))
      parts.add(segment, { runs: Int32Array.of(place), cost: amountOf(found.llm + found.tool) })
      for (const kind of ['llm', 'tool', 'tokens'] as const) parts.count(segment, kind, amountOf(found[kind]))
    }
  }
  return parts.finish()
}

const amountOf = (amount: bigint): Amounts => ({
  rest: Float64Array.of(Number(BigInt.asUintN(51, amount))),
  whole: amount < BigInt(wholeUnit) ? undefined : Float64Array.of(Number(amount >> 51n)),
})

const axisOf = (by: Breakdown) => ({ dim: by === 'unit' ? rawDim.unit : (dimOfBreakdown(by) ?? 0) })

const tokenColumns = unitNames.flatMap((_, unit) => [column.tokens(unit), column.tokens(unit) + 1])

/** The units that are asked for, by number; undefined when the question does not look at units. */
const unitsOf = (question: Question, values: Values): readonly number[] | undefined => {
  if (!asksForUnits(question)) return undefined
  const filters = question.where.filter(({ by }) => by === 'unit').map((filter) => acceptorOf(filter, values))
  return [...unitNames.keys(), noUnit].filter((unit) => filters.every((accepts) => accepts(unit)))
}

/** The values of a breakdown in its order, some of them of the run and some of its calls. */
const mergedValues = (by: readonly Breakdown[], ofRun: readonly number[], ofCalls: readonly number[]): readonly number[] => {
  let run = 0
  let call = 0
  return by.map((name) => (isOfRun(name) ? ofRun[run++] : ofCalls[call++]) ?? 0)
}
