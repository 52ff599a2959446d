import { type Chunk, parseChunk } from './chunk.ts'
import { builtRows, createChunkBuilder } from './chunk-builder.ts'
import type { Database } from './database.ts'
import { type RunNumber, runBucketMs, runDims, runNumbers, sqlOf } from './run-columns.ts'
import type { Span } from './whereabouts.ts'

/** Which runs are read, and what of them, by their places in `runDims` and `runNumbers`. */
export interface RunsRead extends Span {
  /** Runs that had ended before it may be left out. */
  readonly endedFrom: number
  readonly dims: readonly number[]
  readonly numbers: readonly RunNumber[]
}

/**
 * The runs that began in a period as chunks, each of which is good until the next one: from their columns where these are up to
 * date, row by row elsewhere. A chunk can have runs from before or after the period.
 */
export const eachRunChunk = (database: Database, read: RunsRead, each: (chunk: Chunk) => void): void => {
  const select = database.prepare(
    `SELECT bucket, CASE WHEN ended >= ? THEN data END FROM run_columns WHERE data IS NOT NULL AND bucket >= ? AND bucket < ?`,
  )
  let at = read.from
  for (const [bucket, data] of select.iterate(read.endedFrom, Math.floor(read.from / runBucketMs), Math.ceil(read.to / runBucketMs))) {
    const start = Number(bucket) * runBucketMs
    if (start > at) readRows(database, { ...read, from: at, to: start }, each)
    if (data !== null) each(parseChunk(data as Uint8Array))
    at = start + runBucketMs
  }
  if (at < read.to) readRows(database, { ...read, from: at }, each)
}

const readRows = (database: Database, { from, to, endedFrom, dims, numbers }: RunsRead, each: (chunk: Chunk) => void): void => {
  const columns = [...dims.map((dim) => runDims[dim]), ...numbers.map(sqlOf)].join(', ')
  const places = numbers.map((name) => runNumbers.indexOf(name))
  const builder = createChunkBuilder(dims, places)
  const select = database.prepare(`SELECT ${columns} FROM runs WHERE started_at >= ? AND started_at < ? AND ended_at >= ?`)
  for (const row of select.iterate(from, to, endedFrom)) {
    if (builder.rows === builtRows) each(builder.take())
    builder.next()
    for (let index = 0; index < dims.length; index++) builder.setDim(dims[index] as number, (row[index] ?? 0) as number)
    for (let index = 0; index < places.length; index++) builder.setColumn(places[index] as number, row[dims.length + index] as number)
  }
  if (builder.rows > 0) each(builder.take())
}
