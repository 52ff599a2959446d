import { asksForUnits, isOfRun } from '../../core/attribute-values.ts'
import type { Breakdown, Filter, Question } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { acceptorOf, dimOfBreakdown, type Values } from './axes.ts'
import { column, groupBy, noUnit, two32 } from './block.ts'
import { parseChunk } from './chunk.ts'
import { chunkId, quarters } from './cubes.ts'
import type { Database, Row } from './database.ts'
import type { Buckets } from './periods.ts'
import { rawDim } from './raw-rows.ts'
import type { KeptEntry } from './rows.ts'
import { createRunCells } from './run-cells.ts'
import { createRunEntries } from './run-entries.ts'
import { createRunParts, type PartMoney, type RunParts, type RunSegment } from './run-parts.ts'
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
  readonly llm: PartMoney
  readonly tool: PartMoney
  readonly tokens: Float64Array
}

/** Where only the sum of both kinds is asked for, it is read as the money of models. */
const asksForKinds = ({ measures }: Question): boolean => measures.some((measure) => /^(?:llm|tool)CostPerRun$/.test(measure))

/**
 * The columns to read: no more than are needed, and money as one double, because a hundred thousand rows take as long as they are
 * wide. `isExact` reads it in its two parts. Tokens are a double because past 2⁵³ an integer could not be read.
 */
const runColumns = (question: Question, by: readonly string[], isExact: boolean): readonly string[] => {
  const money = (name: string) => (isExact ? [`${name}_low`, `${name}_high`] : [`${name}_high * 4294967296.0 + ${name}_low`])
  const isInside = looksInside(question)
  return [
    ...(isInside ? ['id', 'ended_at'] : asksForKinds(question) ? [...money('llm'), ...money('tool')] : money('cost')),
    ...(!isInside && question.measures.includes('tokensPerRun') ? ['prompt_tokens + completion_tokens + 0.0'] : []),
    ...(question.interval === undefined ? [] : ['started_at']),
    ...by,
  ]
}

const runsIn = (database: Database, question: Question, buckets: Buckets, values: Values): Runs => {
  const by = question.by.filter(isOfRun).map((name) => runColumnOf(name) ?? 'id')
  const where = question.where
    .filter((filter) => isOfRun(filter.by))
    .map((filter) => conditionOf(runColumnOf(filter.by) ?? 'id', filter, values))
  const conditions = ['started_at >= ?', 'started_at < ?', ...where].join(' AND ')
  const read = (isExact: boolean): RunColumns => {
    const columns = runColumns(question, by, isExact)
    const rows = database.prepare(`SELECT ${columns.join(', ')} FROM runs WHERE ${conditions}`).all(question.from, question.to)
    const found = columns.map((name, index) => [name, Float64Array.from(rows, (row) => (row[index] ?? 0) as number)] as const)
    return { count: rows.length, of: new Map(found) }
  }
  const packed = read(false)
  const isExact = [...packed.of].every(
    ([name, column]) => !name.includes(' * ') || column.every((amount) => amount < Number.MAX_SAFE_INTEGER),
  )
  return runsOf(question, by, isExact ? packed : read(true), buckets)
}

interface RunColumns {
  readonly count: number
  readonly of: ReadonlyMap<string, Float64Array>
}

const runsOf = (question: Question, by: readonly string[], { count, of }: RunColumns, buckets: Buckets): Runs => {
  const none = new Float64Array(count)
  const columnOf = (name: string): Float64Array => of.get(name) ?? none
  const money = (name: string): PartMoney => {
    const whole = of.get(`${name}_high * 4294967296.0 + ${name}_low`)
    if (whole === undefined) return { low: columnOf(`${name}_low`), high: columnOf(`${name}_high`) }
    const high = whole.map((amount) => Math.floor(amount / two32))
    return { low: whole.map((amount, place) => amount - (high[place] as number) * two32), high }
  }
  const starts = question.interval === undefined ? undefined : columnOf('started_at')
  const keys = [starts?.map(buckets.indexOf) ?? none, ...by.map(columnOf)].map((column) => Int32Array.from(column))
  const groupOf = new Int32Array(count)
  const firsts = groupBy(keys, count, undefined, groupOf)
  return {
    ids: Int32Array.from(columnOf('id')),
    groupOf,
    groups: Array.from(firsts, (place) => {
      const [bucket = 0, ...values] = keys.map((key) => key[place] ?? 0)
      return { bucket, values }
    }),
    lastEnd: columnOf('ended_at').reduce((latest, at) => Math.max(latest, at), 0),
    llm: money(asksForKinds(question) ? 'llm' : 'cost'),
    tool: money('tool'),
    tokens: columnOf('prompt_tokens + completion_tokens + 0.0'),
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
