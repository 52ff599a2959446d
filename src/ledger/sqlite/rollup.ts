import type { Batch } from './batch.ts'
import { type Block, columnCount, combine, concatenate, dimOf, type Keeping } from './block.ts'
import { blockOf, formatChunk, parseChunk } from './chunk.ts'
import { bucketOfChunk, chunkId, families, type Level, partOfChunk, quarters, sealedBefore } from './cubes.ts'
import type { Database } from './database.ts'
import { formatTimes } from './times.ts'

/** When so many chunks of one size stand side by side they become one: each row is then rewritten only log₈ n times. */
const fanIn = 8
const listsMax = 20_000

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
 * The roll-ups' writer: every transaction adds one chunk per quarter of an hour, whatever the number of its segments, so that a
 * call costs no row of its own. Chunks are merged as they pile up; a quarter that has passed is one chunk, and hours and days that
 * have passed are rolled up from their quarters.
 */
export const createRollup = (database: Database): Rollup => {
  const insert = database.prepare('INSERT INTO rollup (id, tier, rows, data, lines, times) VALUES (?, ?, ?, ?, ?, ?)')
  const select = database.prepare('SELECT data, lines, times FROM rollup WHERE id = ?')
  const selectAll = database.prepare('SELECT data, lines, times FROM rollup WHERE id >= ? AND id < ?')
  const oldest = database.prepare('SELECT min(id) FROM rollup')
  const list = database.prepare('SELECT id, tier FROM rollup WHERE id >= ? AND id < ? ORDER BY id')
  const remove = database.prepare('DELETE FROM rollup WHERE id = ?')
  const putValue = database.prepare('INSERT OR REPLACE INTO ledger (name, value) VALUES (?, ?)')
  const getValue = database.prepare('SELECT value FROM ledger WHERE name = ?')
  const lists = new Map<number, Part[]>()
  /** The latest quarter that has entries: those before it are merged, hours and days before those it lies in are rolled up. */
  let newest: number | undefined

  const partsOf = (level: Level, bucket: number): Part[] => {
    const first = chunkId(level, bucket, 0)
    let parts = lists.get(first)
    if (parts === undefined) {
      parts = list.all(first, chunkId(level, bucket + 1, 0)).map(([id, tier]) => ({ part: partOfChunk(Number(id)), tier: Number(tier) }))
      if (lists.size >= listsMax) lists.clear()
      lists.set(first, parts)
    }
    return parts
  }

  const write = (level: Level, bucket: number, { part, tier }: Part, block: Block): void => {
    const lines = level.columnEnd === columnCount ? formatChunk(block, 'slices') : null
    const times = block.times === undefined ? null : formatTimes(block.times, block.rows)
    insert.run(chunkId(level, bucket, part), tier, block.rows, formatChunk(block, 'sums'), lines, times)
  }

  const read = (id: number, level: Level): Block => {
    const [data, lines, times] = select.get(id) as [Uint8Array, Uint8Array | null, Uint8Array | null]
    return blockOf(parseChunk(data, lines, times), level)
  }

  const put = (level: Level, bucket: number, block: Block): void => {
    if (block.rows === 0) return
    const parts = partsOf(level, bucket)
    const part = { part: (parts.at(-1)?.part ?? -1) + 1, tier: 0 }
    write(level, bucket, part, block)
    parts.push(part)
    while (parts.length >= fanIn && parts.at(-fanIn)?.tier === parts.at(-1)?.tier) merge(level, bucket, parts, fanIn)
  }

  /** The last `count` chunks become one. */
  const merge = (level: Level, bucket: number, parts: Part[], count: number): void => {
    const merged = parts.splice(parts.length - count)
    const ids = merged.map(({ part }) => chunkId(level, bucket, part))
    const block = combine(concatenate(ids.map((id) => read(id, level))), level)
    for (const id of ids) remove.run(id)
    if (block.rows === 0) return
    const part = { part: merged[0]?.part ?? 0, tier: Math.max(...merged.map(({ tier }) => tier)) + 1 }
    write(level, bucket, part, block)
    parts.push(part)
  }

  /** Rolls up one hour, day or week, which has passed, from finer chunks. */
  const roll = (from: Level, levels: readonly Level[], bucket: number): void => {
    const perBucket = (levels[0] as Level).bucketMs / from.bucketMs
    const kept: Keeping = {
      dims: quarters.dims.filter((dim) => levels.some(({ dims }) => dims.includes(dim))),
      columnEnd: Math.max(...levels.map(({ columnEnd }) => columnEnd)),
      hasTimes: levels.some(({ hasTimes }) => hasTimes),
    }
    const ids = [chunkId(from, bucket * perBucket, 0), chunkId(from, (bucket + 1) * perBucket, 0)] as const
    const blocks = selectAll.all(...ids).map(([data, lines, times]) => {
      const chunk = parseChunk(
        data as Uint8Array,
        kept.columnEnd === columnCount ? (lines as Uint8Array | null) : null,
        kept.hasTimes ? (times as Uint8Array | null) : null,
      )
      const block = blockOf(chunk, kept)
      return perBucket > fanIn ? combine(block, kept) : block
    })
    const whole = concatenate(blocks)
    if (whole.rows > 0) for (const level of levels) put(level, bucket, combine(whole, level))
  }

  /** Time has moved on: what has passed is merged, and hours, days and weeks that are over are rolled up. */
  const advance = (from: number, to: number): void => {
    const parts = partsOf(quarters, from)
    if (parts.length > 1) merge(quarters, from, parts, parts.length)
    for (const { source, levels } of steps) {
      const perBucket = (levels[0] as Level).bucketMs / quarters.bucketMs
      const [start, end] = [Math.floor(from / perBucket), Math.floor(to / perBucket)]
      const ids = list.all(chunkId(quarters, start * perBucket, 0), chunkId(quarters, end * perBucket, 0))
      for (const bucket of new Set(ids.map(([id]) => Math.floor(bucketOfChunk(Number(id)) / perBucket)))) roll(source, levels, bucket)
    }
    newest = to
    putValue.run('newest', to)
  }

  /** Adds to coarser roll-ups what came late: of a bucket that had passed already. */
  const addLate = (batch: Batch, newestBefore: number): void => {
    for (const level of coarse) {
      const rowsOf = groupByBucket(batch, level.bucketMs / quarters.bucketMs)
      for (const [bucket, rows] of rowsOf)
        if (bucket < sealedBefore(level, newestBefore)) put(level, bucket, combine(batch.block, level, rows))
    }
  }

  return {
    add(batch) {
      if (batch.block.rows === 0) return
      newest ??= numberOf(getValue.get('newest')?.[0])
      const rowsOf = groupByBucket(batch, 1)
      for (const [bucket, rows] of rowsOf) put(quarters, bucket, combine(batch.block, quarters, rows))
      const met = [...rowsOf.keys()]
      const first = met.reduce((least, bucket) => Math.min(least, bucket))
      const last = met.reduce((most, bucket) => Math.max(most, bucket))
      if (newest !== undefined && first < newest) addLate(batch, newest)
      // A file whose coarser roll-ups were thrown away by a migration has quarters from before this batch.
      if (newest === undefined || last > newest) advance(newest ?? bucketOfChunk(Number(oldest.get()?.[0])), last)
    },
    forget() {
      lists.clear()
      newest = undefined
    },
  }
}

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)

const groupByBucket = ({ block, buckets }: Batch, perBucket: number): ReadonlyMap<number, Int32Array> => {
  const rows = new Map<number, number[]>()
  for (let row = 0; row < block.rows; row++) {
    const bucket = Math.floor((buckets[row] as number) / perBucket)
    const list = rows.get(bucket)
    if (list === undefined) rows.set(bucket, [row])
    else list.push(row)
  }
  return new Map([...rows].map(([bucket, list]) => [bucket, Int32Array.from(list)]))
}

const coarse: readonly Level[] = families.flatMap(({ levels }) => levels)
const of = (bucketMs: number): readonly Level[] => coarse.filter((level) => level.bucketMs === bucketMs)
const [hours, days, weeks] = [of(3_600_000), of(86_400_000), of(7 * 86_400_000)]
const isOfRuns = ({ dims }: Level): boolean => dims.includes(dimOf.run)

/** What is rolled up together, and from what: levels that keep much of a quarter's rows, or times, would make those of the others long. */
const steps: readonly { readonly source: Level; readonly levels: readonly Level[] }[] = [
  { source: quarters, levels: hours },
  { source: quarters, levels: days.filter((level) => !level.hasTimes && !isOfRuns(level)) },
  { source: quarters, levels: days.filter(({ hasTimes }) => hasTimes) },
  { source: quarters, levels: days.filter(isOfRuns) },
  { source: days.find(({ dims }) => dims === weeks[0]?.dims) as Level, levels: weeks },
]
