import { type Block, createBlock } from './block.ts'
import { formatChunk } from './chunk.ts'
import type { Database, Row } from './database.ts'

/**
 * What is kept of runs column by column: their own attributes as dimensions, by their place in this list, and then numbers. A question
 * about a month's runs looks through bytes that lie side by side, where a row of `runs` takes a microsecond to read.
 */
export const runDims = ['agent', 'session', 'task', 'release', 'environment', 'team', 'user', 'key', 'stop_reason', 'status'] as const
/** Money low and high, as everywhere; each a double, which holds what SQLite gives it. */
export const runNumbers = ['id', 'started_at', 'ended_at', 'llm_low', 'llm_high', 'tool_low', 'tool_high', 'tokens'] as const
export type RunNumber = (typeof runNumbers)[number]

/** Runs lie together by the six hours in which they began. */
export const runBucketMs = 6 * 3_600_000

/** Writes columns for the runs of six hours that are over, and takes them back when one of the runs changes. */
export interface RunColumns {
  /** A run is written that begins, or began until now, at one time and ends at another. */
  touch(startedAt: number, endedAt: number): void
  /** Inside every transaction, after the runs were written. */
  flush(): void
  /** Forgets what it remembers of the file: after a rollback, or when another process wrote. */
  forget(): void
}

export const createRunColumns = (database: Database): RunColumns => {
  const select = database.prepare(`SELECT ${runDims.join(', ')}, ${runNumbers.map(sqlOf).join(', ')} FROM runs
    WHERE started_at >= ? AND started_at < ? ORDER BY started_at`)
  const put = database.prepare('INSERT OR REPLACE INTO run_columns (bucket, ended, data) VALUES (?, ?, ?)')
  const outdated = database.prepare('SELECT bucket FROM run_columns WHERE data IS NULL AND bucket < ? ORDER BY bucket')
  const touched = new Set<number>()
  /** Buckets that are known to be without columns. */
  const without = new Set<number>()
  /** Buckets before this one are over. */
  let sealed = 0
  let isBehind = true
  let waiting: number[] = []

  const write = (bucket: number): void => {
    const rows = select.all(bucket * runBucketMs, (bucket + 1) * runBucketMs)
    const ended = rows.reduce((latest, row) => Math.max(latest, Number(row[runDims.length + runNumbers.indexOf('ended_at')])), 0)
    put.run(bucket, ended, formatChunk(blockOf(rows), 'sums'))
    without.delete(bucket)
  }

  return {
    touch(startedAt, endedAt) {
      const bucket = Math.floor(startedAt / runBucketMs)
      if (!without.has(bucket)) touched.add(bucket)
      // A run that goes on past the end of its six hours takes their columns back: another six hours are let pass.
      const end = Math.floor(endedAt / runBucketMs) - 1
      if (end <= sealed) return
      sealed = end
      isBehind = true
    },
    flush() {
      for (const bucket of touched) {
        put.run(bucket, null, null)
        without.add(bucket)
      }
      touched.clear()
      if (without.size > bucketsMax) without.clear()
      if (isBehind) waiting = outdated.all(sealed).map(([bucket]) => Number(bucket))
      isBehind = false
      // One in each transaction, so that none of them takes long, however many an import has left behind.
      const bucket = waiting.pop()
      if (bucket !== undefined) write(bucket)
    },
    forget() {
      touched.clear()
      without.clear()
    },
  }
}

const bucketsMax = 10_000

/** Tokens past 2⁵³ could not be read as an integer. */
export const sqlOf = (name: RunNumber): string => (name === 'tokens' ? 'prompt_tokens + completion_tokens + 0.0' : name)

const blockOf = (rows: readonly Row[]): Block => {
  const block = createBlock()
  block.rows = rows.length
  for (const dim of runDims.keys()) block.dims[dim] = Int32Array.from(rows, (row) => Number(row[dim] ?? 0))
  for (const place of runNumbers.keys()) block.columns[place] = Float64Array.from(rows, (row) => Number(row[runDims.length + place]))
  return block
}
