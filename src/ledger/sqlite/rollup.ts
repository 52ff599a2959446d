import type { Batch } from './batch.ts'
import { type Block, combine, concatenate, dimOf } from './block.ts'
import { blockOf, formatChunk, parseChunk } from './chunk.ts'
import { bucketMs, bucketOfChunk, type Cube, chunkId, cubes, dayLevel, type Level, partOfChunk, quarterLevel } from './cubes.ts'
import type { Database } from './database.ts'

/** When so many chunks of one size stand side by side they become one: each row is then rewritten only log₈ n times. */
const fanIn = 8
const listsMax = 20_000
const quartersPerDay = bucketMs[dayLevel] / bucketMs[quarterLevel]

interface Part {
  readonly part: number
  readonly tier: number
}

export interface Rollup {
  /** Writes a transaction's calls into the roll-ups, inside that transaction. */
  add(batch: Batch): void
  /** Forgets what it remembers of the file: after a rollback, or when another process wrote. */
  forget(): void
}

/**
 * The roll-ups' writer: every transaction adds one chunk per cube and quarter of an hour, whatever the number of its segments,
 * so that a call costs no row of its own in any roll-up. Chunks are merged as they pile up; a quarter that has passed is one
 * chunk, and a UTC day that has passed is kept whole besides.
 */
export const createRollup = (database: Database): Rollup => {
  const insert = database.prepare('INSERT INTO rollup (id, tier, rows, data, lines) VALUES (?, ?, ?, ?, ?)')
  const select = database.prepare('SELECT data, lines FROM rollup WHERE id = ?')
  const list = database.prepare('SELECT id, tier FROM rollup WHERE id >= ? AND id < ? ORDER BY id')
  const remove = database.prepare('DELETE FROM rollup WHERE id = ?')
  const putValue = database.prepare('INSERT OR REPLACE INTO ledger (name, value) VALUES (?, ?)')
  const getValue = database.prepare('SELECT value FROM ledger WHERE name = ?')
  const lists = new Map<number, Part[]>()
  /** Quarters before this one are merged; days before the day it lies in are rolled up. */
  let newest: number | undefined

  const partsOf = (cube: Cube, level: Level, bucket: number): Part[] => {
    const first = chunkId(cube, level, bucket, 0)
    let parts = lists.get(first)
    if (parts === undefined) {
      parts = list
        .all(first, chunkId(cube, level, bucket + 1, 0))
        .map(([id, tier]) => ({ part: partOfChunk(Number(id)), tier: Number(tier) }))
      if (lists.size >= listsMax) lists.clear()
      lists.set(first, parts)
    }
    return parts
  }

  const write = (cube: Cube, level: Level, bucket: number, part: number, tier: number, block: Block): void => {
    const hasSlices = cube.columnEnd > cubes.owners.columnEnd
    const lines = hasSlices ? formatChunk(block, 'slices') : null
    insert.run(chunkId(cube, level, bucket, part), tier, block.rows, formatChunk(block, 'sums'), lines)
  }

  const read = (id: number): Block => {
    const [data, lines] = select.get(id) as [Uint8Array, Uint8Array | null]
    return blockOf(parseChunk(data, lines))
  }

  const put = (cube: Cube, level: Level, bucket: number, block: Block): void => {
    if (block.rows === 0) return
    const parts = partsOf(cube, level, bucket)
    const part = (parts.at(-1)?.part ?? -1) + 1
    write(cube, level, bucket, part, 0, block)
    parts.push({ part, tier: 0 })
    while (parts.length >= fanIn && parts.at(-fanIn)?.tier === parts.at(-1)?.tier) merge(cube, level, bucket, parts, fanIn)
  }

  /** The last `count` chunks become one. */
  const merge = (cube: Cube, level: Level, bucket: number, parts: Part[], count: number): Block => {
    const merged = parts.splice(parts.length - count)
    const ids = merged.map(({ part }) => chunkId(cube, level, bucket, part))
    const block = combine(concatenate(ids.map(read)), cube.dims, cube.columnEnd)
    for (const id of ids) remove.run(id)
    const [first] = merged
    if (first === undefined || block.rows === 0) return block
    const tier = Math.max(...merged.map((part) => part.tier)) + 1
    write(cube, level, bucket, first.part, tier, block)
    parts.push({ part: first.part, tier })
    return block
  }

  const seal = (cube: Cube, bucket: number): void => {
    const parts = partsOf(cube, quarterLevel, bucket)
    if (parts.length > 1) merge(cube, quarterLevel, bucket, parts, parts.length)
  }

  const sealDay = (cube: Cube, day: number): void => {
    const first = chunkId(cube, quarterLevel, day * quartersPerDay, 0)
    const end = chunkId(cube, quarterLevel, (day + 1) * quartersPerDay, 0)
    const blocks = list.all(first, end).map(([id]) => read(Number(id)))
    put(cube, dayLevel, day, combine(concatenate(blocks), cube.dims, cube.columnEnd))
  }

  /** Time has moved on: what has passed is merged, and days that are over are rolled up. */
  const advance = (to: number): void => {
    const from = newest
    newest = to
    putValue.run('newest', to)
    if (from === undefined) return
    for (const cube of Object.values(cubes)) {
      seal(cube, from)
      if (!cube.hasDays) continue
      const firstDay = Math.floor(from / quartersPerDay)
      const lastDay = Math.floor(to / quartersPerDay)
      const quarters = list.all(
        chunkId(cube, quarterLevel, firstDay * quartersPerDay, 0),
        chunkId(cube, quarterLevel, lastDay * quartersPerDay, 0),
      )
      const days = new Set(quarters.map(([id]) => Math.floor(bucketOfChunk(Number(id)) / quartersPerDay)))
      for (const day of days) sealDay(cube, day)
    }
  }

  const addBucket = (batch: Batch, bucket: number, rows: Int32Array): void => {
    const { block } = batch
    const latency = block.dims[dimOf.latency]
    for (const cube of Object.values(cubes)) {
      const select = cube === cubes.latencies ? rows.filter((row) => (latency?.[row] ?? -1) >= 0) : rows
      const sums = combine(block, cube.dims, cube.columnEnd, select)
      put(cube, quarterLevel, bucket, sums)
      const day = Math.floor(bucket / quartersPerDay)
      if (cube.hasDays && newest !== undefined && day < Math.floor(newest / quartersPerDay)) put(cube, dayLevel, day, sums)
    }
  }

  return {
    add(batch) {
      if (batch.block.rows === 0) return
      newest ??= numberOf(getValue.get('newest')?.[0])
      const rowsOf = groupByBucket(batch)
      const last = Math.max(...rowsOf.keys())
      if (newest === undefined || last > newest) advance(last)
      for (const [bucket, rows] of rowsOf) addBucket(batch, bucket, rows)
    },
    forget() {
      lists.clear()
      newest = undefined
    },
  }
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

const groupByBucket = ({ block, buckets }: Batch): ReadonlyMap<number, Int32Array> => {
  const rows = new Map<number, number[]>()
  for (let row = 0; row < block.rows; row++) {
    const bucket = buckets[row] as number
    const list = rows.get(bucket)
    if (list === undefined) rows.set(bucket, [row])
    else list.push(row)
  }
  return new Map([...rows].map(([bucket, list]) => [bucket, Int32Array.from(list)]))
}
