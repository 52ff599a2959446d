import type { Breakdown, Filter, Question } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { asksForUnits, isOfRun } from '../attributes.ts'
import { acceptorOf, dimOfBreakdown, type Values } from './axes.ts'
import { column, noUnit, two32 } from './block.ts'
import { parseChunk } from './chunk.ts'
import { chunkId, quarters } from './cubes.ts'
import type { Database, Row } from './database.ts'
import type { Buckets } from './periods.ts'
import { rawDim } from './raw-rows.ts'
import type { KeptEntry } from './rows.ts'
import { createRunCells } from './run-cells.ts'
import { createRunEntries } from './run-entries.ts'
import { sliceOf } from './slices.ts'
import { conditionOf, runColumnOf } from './sql-filter.ts'

/** What runs cost inside the segments of a question: one part per run and segment. */
export interface RunParts {
  /** The segment of each part: the bucket of the run's start and the values of the breakdown. */
  readonly segments: readonly RunSegment[]
  readonly segmentOf: readonly number[]
  /** The run of each part, by place in the period's runs. */
  readonly runOf: readonly number[]
  readonly llm: Money
  readonly tool: Money
  readonly tokens: Money
}

export interface RunSegment {
  readonly bucket: number
  readonly values: readonly number[]
}

/** Amounts in two parts, as in the roll-ups. */
export interface Money {
  readonly low: number[]
  readonly high: number[]
}

export const moneyAt = ({ low, high }: Money, index: number): bigint => BigInt(high[index] ?? 0) * BigInt(two32) + BigInt(low[index] ?? 0)

/** True when the sums need a look inside the runs, because a call's attribute is asked for. */
const looksInside = (question: Question): boolean => [...question.by, ...question.where.map(({ by }) => by)].some((by) => !isOfRun(by))

/** True when roll-ups know every attribute that is asked for. */
const isRolledUp = (question: Question): boolean =>
  [...question.by, ...question.where.map(({ by }) => by)].every((by) => isOfRun(by) || by === 'unit' || dimOfBreakdown(by) !== undefined)

/** A run that started in the period. */
interface RunRow {
  readonly id: number
  readonly bucket: number
  readonly values: readonly number[]
  readonly endedAt: number
  readonly sums: readonly number[]
}

/** Tokens as a double: past 2⁵³ an integer could not be read. */
const sumColumns = ['llm_low', 'llm_high', 'tool_low', 'tool_high', 'prompt_tokens + completion_tokens + 0.0'] as const

const runsIn = (database: Database, question: Question, buckets: Buckets, values: Values): readonly RunRow[] => {
  const by = question.by.filter(isOfRun).map((name) => runColumnOf(name) ?? 'id')
  const where = question.where
    .filter((filter) => isOfRun(filter.by))
    .map((filter) => conditionOf(runColumnOf(filter.by) ?? 'id', filter, values))
  const columns = ['id', 'started_at', 'ended_at', ...sumColumns, ...by]
  const sql = `SELECT ${columns.join(', ')} FROM runs WHERE ${['started_at >= ?', 'started_at < ?', ...where].join(' AND ')}`
  const runs: RunRow[] = []
  const sumsEnd = 3 + sumColumns.length
  for (const row of database.prepare(sql).iterate(question.from, question.to)) {
    runs.push({
      id: row[0] as number,
      bucket: question.interval === undefined ? 0 : buckets.indexOf(row[1] as number),
      endedAt: row[2] as number,
      sums: row.slice(3, sumsEnd) as number[],
      values: row.slice(sumsEnd) as number[],
    })
  }
  return runs
}

export interface RunSources {
  readonly database: Database
  readonly values: Values
  readonly readRow: (row: Row) => KeptEntry
}

export const sumRuns = (question: Question, buckets: Buckets, sources: RunSources): RunParts => {
  const runs = runsIn(sources.database, question, buckets, sources.values)
  if (!looksInside(question)) return wholeRuns(runs)
  return isRolledUp(question) ? partsOfCalls(question, runs, sources) : partsOfEntries(question, runs, sources)
}

const emptyParts = () => ({
  segmentOf: [] as number[],
  runOf: [] as number[],
  llm: { low: [] as number[], high: [] as number[] },
  tool: { low: [] as number[], high: [] as number[] },
  tokens: { low: [] as number[], high: [] as number[] },
})

const createSegments = () => {
  const segments: RunSegment[] = []
  const places = new Map<string, number>()
  return {
    segments,
    placeOf(bucket: number, values: readonly number[]): number {
      const key = `${bucket}|${values.join()}`
      let place = places.get(key)
      if (place === undefined) {
        place = segments.push({ bucket, values }) - 1
        places.set(key, place)
      }
      return place
    },
  }
}

/** Runs by their own attributes alone: the totals that each has in its row. */
const wholeRuns = (runs: readonly RunRow[]): RunParts => {
  const { segments, placeOf } = createSegments()
  const parts = emptyParts()
  for (const [place, { bucket, values, sums }] of runs.entries()) {
    const [llmLow = 0, llmHigh = 0, toolLow = 0, toolHigh = 0, tokens = 0] = sums
    parts.runOf.push(place)
    parts.segmentOf.push(
      placeOf(
        bucket,
        values.map((value) => value ?? 0),
      ),
    )
    parts.llm.low.push(llmLow)
    parts.llm.high.push(llmHigh)
    parts.tool.low.push(toolLow)
    parts.tool.high.push(toolHigh)
    parts.tokens.low.push(tokens)
    parts.tokens.high.push(0)
  }
  return { segments, ...parts }
}

/** Runs by what their calls are: the calls of these runs, wherever they lie, from the cube that knows whose they were. */
const partsOfCalls = (question: Question, runs: readonly RunRow[], { database, values }: RunSources): RunParts => {
  const { segments, placeOf } = createSegments()
  const parts = emptyParts()
  if (runs.length === 0) return { segments, ...parts }
  const ofCalls = question.where.filter(({ by }) => !isOfRun(by) && by !== 'unit')
  const callBy = question.by.filter((by) => !isOfRun(by))
  const filters = ofCalls.map((filter: Filter) => ({ axis: axisOf(filter.by), accepts: acceptorOf(filter, values) }))
  const cells = createRunCells(
    runs.map(({ id }) => id),
    callBy.map(axisOf),
    filters,
    question.measures.includes('tokensPerRun'),
  )
  const first = Math.floor(question.from / quarters.bucketMs)
  const end = Math.floor(runs.reduce((most, { endedAt }) => Math.max(most, endedAt), 0) / quarters.bucketMs) + 1
  const units = unitsOf(question, values)
  const select = database.prepare(`SELECT data, ${units === undefined ? 'NULL' : 'lines'} FROM rollup WHERE id >= ? AND id < ?`)
  for (const [data, lines] of select.iterate(chunkId(quarters, first, 0), chunkId(quarters, end, 0))) {
    const chunk = parseChunk(data as Uint8Array, lines as Uint8Array | null)
    if (units === undefined) cells.add(chunk)
    else for (const unit of units) if (chunk.columns[column.sliceCalls(unit)] !== undefined) cells.add(sliceOf(chunk, unit, tokenColumns))
  }
  cells.each((place, callValues, cell) => {
    const run = runs[place]
    if (run === undefined) return
    parts.runOf.push(place)
    parts.segmentOf.push(placeOf(run.bucket, mergedValues(question.by, run.values, callValues)))
    for (const name of ['llm', 'tool', 'tokens'] as const) {
      parts[name].low.push(cell[name].low)
      parts[name].high.push(cell[name].high)
    }
  })
  return { segments, ...parts }
}

/** Runs by what only entries know. */
const partsOfEntries = (question: Question, runs: readonly RunRow[], { database, values, readRow }: RunSources): RunParts => {
  const { segments, placeOf } = createSegments()
  const parts = emptyParts()
  const segmentsOf = createRunEntries(question, database, values, readRow)
  for (const [place, run] of runs.entries()) {
    for (const found of segmentsOf(run.id)) {
      parts.runOf.push(place)
      parts.segmentOf.push(placeOf(run.bucket, mergedValues(question.by, run.values, found.values)))
      for (const name of ['llm', 'tool', 'tokens'] as const) {
        parts[name].low.push(Number(BigInt.asUintN(32, found[name])))
        parts[name].high.push(Number(found[name] >> 32n))
      }
    }
  }
  return { segments, ...parts }
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
