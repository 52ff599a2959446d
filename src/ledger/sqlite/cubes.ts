import { columnCount, dimOf, type Keeping, sliceStart } from './block.ts'

/**
 * Roll-ups come in two sizes, and both keep rows of all attributes at once.
 *
 * A roll-up of each attribute alone, and of the pairs that matter, would be many tables and still answer no question about three.
 * Rows of everything are few enough when they are kept column by column (see chunk.ts), because attributes come together: of
 * 3,500 calls in a quarter of an hour some 800 rows are left, as a run has one agent, task, release and user.
 */
export interface Level extends Keeping {
  readonly id: number
  readonly bucketMs: number
}

const segmentDims = Array.from({ length: dimOf.team + 1 }, (_, dim) => dim)

/** Per 15 minutes, which every zone's clocks are apart by: whose calls they were, the money of each unit, how long they took. */
export const quarters: Level = {
  id: 0,
  bucketMs: 900_000,
  dims: [...segmentDims, dimOf.session, dimOf.run, dimOf.user, dimOf.key],
  columnEnd: columnCount,
  hasTimes: true,
}

/** Per UTC day that is over: only what has few values. What is asked of months and years reads these and the rest of its first and last day. */
export const days: Level = { id: 1, bucketMs: 86_400_000, dims: segmentDims, columnEnd: sliceStart, hasTimes: false }

export const bucketsMax = 2 ** 28
const partsMax = 2 ** 20

/** Level, bucket and part as one number, so that a period's chunks lie side by side. Stays below 2⁵³. */
export const chunkId = (level: Level, bucket: number, part: number): number => (level.id * bucketsMax + bucket) * partsMax + part

export const bucketOfChunk = (id: number): number => Math.floor(id / partsMax) % bucketsMax
export const partOfChunk = (id: number): number => id % partsMax
