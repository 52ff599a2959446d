import { columnCount, dimOf, type Keeping, sliceStart } from './block.ts'

/**
 * Roll-ups keep rows of many attributes at once, column by column (see chunk.ts).
 *
 * A roll-up of each attribute alone, and of the pairs that matter, would be many tables and still answer no question about three.
 * Rows of everything are few enough, because attributes come together: of 3,500 calls in a quarter of an hour 1,300 rows are
 * left, as a run has one agent, task, release and user. What is asked most, by model, agent or task alone, has narrower rows
 * besides, of whole hours and days that are over.
 */
export interface Level extends Keeping {
  readonly id: number
  readonly bucketMs: number
}

const quarterMs = 900_000
const hourMs = 3_600_000
const dayMs = 86_400_000

const segmentDims = Array.from({ length: dimOf.team + 1 }, (_, dim) => dim)
const without = (...left: readonly number[]): readonly number[] => segmentDims.filter((dim) => !left.includes(dim))

/** Per 15 minutes, which every zone's clocks are apart by: whose calls they were, the money of each unit, how long they took. */
export const quarters: Level = {
  id: 0,
  bucketMs: quarterMs,
  dims: [...segmentDims, dimOf.session, dimOf.run, dimOf.user, dimOf.key],
  columnEnd: columnCount,
  hasTimes: true,
}

/** Coarser roll-ups of the same attributes. UTC hours and days; a period's ends are made of finer ones. */
export interface Family {
  readonly dims: readonly number[]
  readonly hours: Level | undefined
  readonly days: Level
}

const narrow = (id: number, dims: readonly number[]): Family => ({
  dims,
  hours: { id, bucketMs: hourMs, dims, columnEnd: sliceStart, hasTimes: false },
  days: { id: id + 1, bucketMs: dayMs, dims, columnEnd: columnCount, hasTimes: false },
})

/** From the narrowest on: the first that knows all that is asked for answers. */
export const families: readonly Family[] = [
  narrow(2, without(dimOf.provider, dimOf.model, dimOf.tool, dimOf.task)),
  narrow(4, without(dimOf.provider, dimOf.model, dimOf.tool, dimOf.agent)),
  narrow(6, without(dimOf.agent, dimOf.task)),
  { dims: segmentDims, hours: undefined, days: { id: 1, bucketMs: dayMs, dims: segmentDims, columnEnd: sliceStart, hasTimes: false } },
]

/** Buckets of a level before this one are over, and are rolled up: `newest` is the latest quarter that has entries. */
export const sealedBefore = (level: Level, newest: number): number => Math.floor((newest * quarterMs) / level.bucketMs)

export const bucketsMax = 2 ** 28
const partsMax = 2 ** 20

/** Level, bucket and part as one number, so that a period's chunks lie side by side. Stays below 2⁵³. */
export const chunkId = (level: Level, bucket: number, part: number): number => (level.id * bucketsMax + bucket) * partsMax + part

export const bucketOfChunk = (id: number): number => Math.floor(id / partsMax) % bucketsMax
export const partOfChunk = (id: number): number => id % partsMax
