import { asksForUnits, isOfRun } from '../../core/attribute-values.ts'
import type { Breakdown, Filter, Question } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { acceptorOf, dimOfBreakdown, type Values } from './axes.ts'
import { column, noUnit } from './block.ts'
import { type Chunk, type ChunkColumn, parseChunk } from './chunk.ts'
import { listed } from './chunk-builder.ts'
import { chunkId, quarters } from './cubes.ts'
import type { Database, Row } from './database.ts'
import type { Buckets } from './periods.ts'
import { rawDim } from './raw-rows.ts'
import { type Axis, createRowGroups } from './row-groups.ts'
import type { KeptEntry } from './rows.ts'
import { createRunCells } from './run-cells.ts'
import { eachRunChunk } from './run-chunks.ts'
import { type RunNumber, runDims, runNumbers } from './run-columns.ts'
import { createRunEntries } from './run-entries.ts'
import { createRunParts, type PartMoney, type RunParts, type RunSegment } from './run-parts.ts'
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
  readonly llm: PartMoney
  readonly tool: PartMoney
  readonly tokens: Float64Array
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
const wholeRuns = ({ groupOf, groups, llm, tool, tokens }: Runs): RunParts => ({
  segments: groups,
  count: groupOf.length,
  segmentOf: groupOf,
  runOf: undefined,
  llm,
  tool,
  tokens,
})

/** Runs by what their calls are: the calls of these runs, wherever they lie, from the roll-ups that know whose they were. */
const partsOfCalls = (question: Question, runs: Runs, { database, values }: RunSources): RunParts => {
  const { parts, segmentFor, next } = createRunParts()
  if (runs.ids.length === 0) return parts
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
  for (const found of cells.finish()) {
    const segmentOf = new Int32Array(runs.groups.length).fill(-1)
    for (let run = 0; run < runs.ids.length; run++) {
      if (found.calls[run] === 0) continue
      const group = runs.groupOf[run] as number
      if (segmentOf[group] === -1) {
        const { bucket, values: own } = runs.groups[group] as RunSegment
        segmentOf[group] = segmentFor(bucket, mergedValues(question.by, own, found.values))
      }
      const part = next(segmentOf[group] as number, run)
      const money = found.isTool ? parts.tool : parts.llm
      money.low[part] = found.low[run] as number
      money.high[part] = found.high[run] as number
      parts.tokens[part] = found.tokens[run] ?? 0
    }
  }
  return parts
}

/** Runs by what only entries know. */
const partsOfEntries = (question: Question, runs: Runs, { database, values, readRow }: RunSources): RunParts => {
  const { parts, segmentFor, next } = createRunParts()
  const segmentsOf = createRunEntries(question, database, values, readRow)
  for (const [place, id] of runs.ids.entries()) {
    const { bucket, values: own } = runs.groups[runs.groupOf[place] as number] as RunSegment
    for (const found of segmentsOf(id)) {
      const part = next(segmentFor(bucket, mergedValues(question.by, own, found.values)), place)
      for (const name of ['llm', 'tool'] as const) {
        parts[name].low[part] = Number(BigInt.asUintN(32, found[name]))
        parts[name].high[part] = Number(found[name] >> 32n)
      }
      parts.tokens[part] = Number(found.tokens)
    }
  }
  return parts
}

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
