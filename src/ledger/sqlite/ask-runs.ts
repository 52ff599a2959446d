import type { Breakdown, Filter, Question } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { asksForUnits, isOfRun } from '../attributes.ts'
import { acceptorOf, dimOfBreakdown, type Values } from './axes.ts'
import { column, noUnit } from './block.ts'
import { parseChunk } from './chunk.ts'
import { chunkId, quarters } from './cubes.ts'
import type { Database, Row } from './database.ts'
import type { Buckets } from './periods.ts'
import { rawDim } from './raw-rows.ts'
import type { KeptEntry } from './rows.ts'
import { createRunCells } from './run-cells.ts'
import { createRunEntries } from './run-entries.ts'
import { createRunParts, type RunParts, type RunSegment } from './run-parts.ts'
import { sliceOf } from './slices.ts'
import { conditionOf, runColumnOf } from './sql-filter.ts'

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
  readonly sums: readonly Float64Array[]
}

/** Tokens as a double: past 2⁵³ an integer could not be read. */
const sumColumns = ['llm_low', 'llm_high', 'tool_low', 'tool_high', 'prompt_tokens + completion_tokens + 0.0'] as const

const runsIn = (database: Database, question: Question, buckets: Buckets, values: Values): Runs => {
  const by = question.by.filter(isOfRun).map((name) => runColumnOf(name) ?? 'id')
  const where = question.where
    .filter((filter) => isOfRun(filter.by))
    .map((filter) => conditionOf(runColumnOf(filter.by) ?? 'id', filter, values))
  const conditions = ['started_at >= ?', 'started_at < ?', ...where].join(' AND ')
  const columns = ['id', 'started_at', 'ended_at', ...sumColumns, ...by]
  const rows = database.prepare(`SELECT ${columns.join(', ')} FROM runs WHERE ${conditions}`).all(question.from, question.to)
  const found = createRunParts()
  const runs = {
    ids: new Int32Array(rows.length),
    groupOf: new Int32Array(rows.length),
    groups: found.parts.segments,
    lastEnd: 0,
    sums: sumColumns.map(() => new Float64Array(rows.length)),
  }
  const own = 3 + sumColumns.length
  for (const [place, row] of rows.entries()) {
    runs.ids[place] = row[0] as number
    runs.lastEnd = Math.max(runs.lastEnd, row[2] as number)
    for (let index = 0; index < sumColumns.length; index++) (runs.sums[index] as Float64Array)[place] = row[3 + index] as number
    const bucket = question.interval === undefined ? 0 : buckets.indexOf(row[1] as number)
    runs.groupOf[place] = found.segmentFor(
      bucket,
      row.slice(own).map((value) => (value ?? 0) as number),
    )
  }
  return runs
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
const wholeRuns = ({ groupOf, groups, sums }: Runs): RunParts => {
  const [llmLow, llmHigh, toolLow, toolHigh, tokens] = sums as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array]
  return {
    segments: groups,
    count: groupOf.length,
    segmentOf: groupOf,
    runOf: groupOf.map((_, place) => place),
    llm: { low: llmLow, high: llmHigh },
    tool: { low: toolLow, high: toolHigh },
    tokens,
  }
}

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
