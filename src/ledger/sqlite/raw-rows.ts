import { type Charged, slicesOf } from '../../core/attribute-values.ts'
import type { Breakdown } from '../../core/question.ts'
import { unitNames } from '../../core/units.ts'
import { latencyBin } from '../latency.ts'
import type { LocalTexts } from './axes.ts'
import { column, dimNames, dimOf, noUnit, two32 } from './block.ts'
import type { Chunk } from './chunk.ts'
import { builtRows, createChunkBuilder } from './chunk-builder.ts'
import type { Database, Row } from './database.ts'
import type { Names } from './names.ts'
import { eachCount, entryColumns } from './rows.ts'

/** Dimensions that only entries have: the step, the unit of a slice, and one for each tag that is asked for. */
export const rawDim = { step: dimNames.length, unit: dimNames.length + 1, tag: dimNames.length + 2 } as const

/** What a scan of entries gives: which rows, of them which dimensions and columns. */
export interface Scan {
  readonly dims: readonly number[]
  readonly columns: readonly number[]
  /** Keys of tags; the tag at place i is the dimension `rawDim.tag + i`. */
  readonly tags: readonly string[]
  readonly hasSlices: boolean
  readonly hasTimes: boolean
  /** Conditions on the columns of `entries AS e`. */
  readonly where: readonly string[]
}

export interface RawRows {
  /** The counted calls from `from` to before `to` as chunks, each of one of the question's buckets. */
  scan(scan: Scan, from: number, to: number, indexOf: (at: number) => number, each: (chunk: Chunk, bucket: number) => void): void
}

export const createRawRows = (database: Database, names: Names, local: LocalTexts, readCharge: (row: Row) => Charged): RawRows => {
  const tagsOf = createTags(names, local)

  return {
    scan(scan, from, to, indexOf, each) {
      const builder = createChunkBuilder(scan.dims, scan.columns)
      const put = putterOf(scan, builder, tagsOf)
      const { sql, dimsAt } = selectOf(scan)
      const where = ['e.counted = 1', 'e.kind < 2', 'e.at >= ?', 'e.at < ?', ...scan.where].join(' AND ')
      let bucket = -1
      for (const row of database.prepare(`${sql} WHERE ${where}`).iterate(from, to)) {
        const next = indexOf(Number(row[0]))
        if (builder.rows > 0 && (next !== bucket || builder.rows >= builtRows)) each(builder.take(), bucket)
        bucket = next
        builder.next()
        for (let index = 0; index < scan.dims.length; index++) {
          const value = row[dimsAt + index]
          if (value !== null && value !== undefined) builder.setDim(scan.dims[index] as number, value as number)
        }
        put(row, scan.hasSlices ? readCharge(row.slice(dimsAt + scan.dims.length)) : undefined)
      }
      if (builder.rows > 0) each(builder.take(), bucket)
    },
  }
}

/** at, cost, extra, duration, prompt tokens, completion tokens, usage, tags; then the dimensions; then, for slices, the whole entry. */
const plainColumns = ['e.at', 'e.cost', 'e.extra', 'e.duration', 'e.prompt_tokens', 'e.completion_tokens', 'e.usage', 'e.tags']

const selectOf = (scan: Scan): { readonly sql: string; readonly dimsAt: number } => {
  const dims = scan.dims.map((dim) => {
    if (dim === dimOf.retry) return 'e.attempt > 0'
    if (dim === rawDim.step) return 'e.step'
    const name = dimNames[dim]
    return name === undefined ? 'NULL' : `e.${name}`
  })
  const whole = scan.hasSlices ? entryColumns.map((name) => `e.${name}`) : []
  return { sql: `SELECT ${[...plainColumns, ...dims, ...whole].join(', ')} FROM entries AS e`, dimsAt: plainColumns.length }
}

type Put = (row: Row, call: Charged | undefined) => void

const putterOf = (scan: Scan, builder: ReturnType<typeof createChunkBuilder>, tagsOf: (tags: number, key: string) => number): Put => {
  const hasTokens = scan.columns.some((id) => id >= column.tokens(0) && id < column.tokens(unitNames.length))
  const putMoney = (id: number, value: number): void => {
    const high = Math.floor(value / two32)
    builder.setColumn(id, value - high * two32)
    builder.setColumn(id + 1, high)
  }
  const putLarge = (id: number, value: bigint): void => {
    builder.setColumn(id, Number(BigInt.asUintN(32, value)))
    builder.setColumn(id + 1, Number(value >> 32n))
  }
  return (row, call) => {
    const [, cost, extra, duration, prompt, completion, usage, tags] = row
    builder.setColumn(column.calls, 1)
    if (typeof cost === 'number') putMoney(column.cost, cost)
    else if (typeof extra === 'string') putLarge(column.cost, BigInt((JSON.parse(extra) as { cost?: string }).cost ?? 0))
    if (hasTokens && prompt !== null) {
      eachCount(usage as Uint8Array | null, Number(prompt), Number(completion), (unit, count) => putMoney(column.tokens(unit), count))
    }
    if (scan.hasTimes && duration !== null) builder.setTime(latencyBin(Number(duration)))
    for (let index = 0; index < scan.tags.length; index++) {
      if (tags !== null) builder.setDim(rawDim.tag + index, tagsOf(Number(tags), scan.tags[index] as string))
    }
    if (call !== undefined) {
      for (const slice of slicesOf(call)) {
        const unit = slice.unit === null ? noUnit : unitNames.indexOf(slice.unit)
        builder.setColumn(column.sliceCalls(unit), 1)
        putLarge(column.sliceCost(unit), slice.cost)
      }
    }
  }
}

/** The value of one tag of a set of tags, as a number; sets are few and remembered. */
const createTags = (names: Names, local: LocalTexts): ((tags: number, key: string) => number) => {
  const parsed = new Map<number, Readonly<Record<string, string>>>()
  return (tags, key) => {
    let set = parsed.get(tags)
    if (set === undefined) {
      set = JSON.parse(names.textOf(tags)) as Record<string, string>
      if (parsed.size > 50_000) parsed.clear()
      parsed.set(tags, set)
    }
    const value = Object.hasOwn(set, key) ? set[key] : undefined
    return value === undefined ? 0 : local.idOf(value)
  }
}

/** The tag of a breakdown, or undefined. */
export const tagOf = (by: Breakdown): string | undefined => (by.startsWith('tag.') ? by.slice(4) : undefined)
