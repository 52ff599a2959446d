import type { Question } from '../../core/question.ts'
import { type ChunkDim, columnAt } from './chunk.ts'
import type { Database } from './database.ts'
import { eachRunChunk } from './run-chunks.ts'
import { runDims, runNumbers } from './run-columns.ts'

/** What a run came to, for calls that are asked for it: numbers as the file keeps them, 0 for none. */
export interface RunFacts {
  stopReason(run: number): number
  runStatus(run: number): number
}

/** The facts of all runs that may have calls in the question's period, read when first asked for. */
export const createRunFacts = (database: Database, question: Question): RunFacts => {
  let facts: ReturnType<typeof readFacts> | undefined
  const factsOf = (run: number): number => {
    facts ??= readFacts(database, question)
    return facts.of[run - facts.first] ?? 0
  }
  return {
    stopReason: (run) => factsOf(run) >> 4,
    runStatus: (run) => factsOf(run) & 15,
  }
}

const reasonDim = runDims.indexOf('stop_reason')
const statusDim = runDims.indexOf('status')

/** Both facts of a run in one byte. Numbers of runs lie close together, as names of one time do: a list needs no look-up. */
const readFacts = (database: Database, { from, to }: Question): { readonly first: number; readonly of: Uint8Array } => {
  const found: { readonly ids: Int32Array; readonly facts: Uint8Array }[] = []
  let [first, last] = [Number.POSITIVE_INFINITY, -1]
  eachRunChunk(database, { from: 0, to, endedFrom: from, dims: [reasonDim, statusDim], numbers: ['id'] }, ({ rows, dims, columns }) => {
    const idColumn = columns[runNumbers.indexOf('id')]
    const [ids, facts] = [new Int32Array(rows), new Uint8Array(rows)]
    for (let row = 0; row < rows; row++) {
      const id = columnAt(idColumn, row)
      ids[row] = id
      facts[row] = valueAt(dims[reasonDim], row) * 16 + valueAt(dims[statusDim], row)
      if (id < first) first = id
      if (id > last) last = id
    }
    found.push({ ids, facts })
  })
  const of = new Uint8Array(last < first ? 0 : last - first + 1)
  for (const { ids, facts } of found) for (let row = 0; row < ids.length; row++) of[(ids[row] as number) - first] = facts[row] as number
  return { first, of }
}

const valueAt = (dim: ChunkDim | undefined, row: number): number =>
  dim === undefined ? 0 : (dim.values[dim.places === undefined ? 0 : (dim.places[row] as number)] as number)
