import { columnCount, dimOf, type Keeping, sliceStart } from './block.ts'

/**
 * Roll-ups keep rows of many attributes at once, column by column (see chunk.ts).
 *
 * A roll-up of each attribute alone would be many tables and still answer no question about three. Rows of everything are few
 * enough, because attributes come together: of 3,500 calls in a quarter of an hour 1,300 rows are left, as a run has one agent,
 * task, release and user. What is asked most, one or two of agent, task and model, or whole runs, has narrower rows besides, of
 * hours and days that are over.
 */
export interface Level extends Keeping {
  readonly id: number
  readonly bucketMs: number
}

const quarterMs = 900_000
const hourMs = 3_600_000
const dayMs = 86_400_000
const weekMs = 7 * dayMs

const ownerDims = [dimOf.session, dimOf.run, dimOf.user, dimOf.key]
const segmentDims = Array.from({ length: dimOf.team + 1 }, (_, dim) => dim)
const without = (...left: readonly number[]): readonly number[] => segmentDims.filter((dim) => !left.includes(dim))

/** Per 15 minutes, which every zone's clocks are apart by: whose calls they were, the money of each unit, how long they took. */
export const quarters: Level = {
  id: 0,
  bucketMs: quarterMs,
  dims: [...segmentDims, ...ownerDims],
  columnEnd: columnCount,
  hasTimes: true,
}

/** Coarser roll-ups of the same attributes, the coarsest first. UTC hours, days and weeks; a period's ends are made of finer ones. */
export interface Family {
  readonly dims: readonly number[]
  readonly levels: readonly Level[]
}

const sums = { columnEnd: sliceStart, hasTimes: false } as const
/** Sums, and the money of each unit. */
const slices = { columnEnd: columnCount, hasTimes: false } as const

const family = (dims: readonly number[], ...levels: readonly Omit<Level, 'dims'>[]): Family => ({
  dims,
  levels: levels.map((level) => ({ ...level, dims })),
})

const ofModels = [dimOf.provider, dimOf.model, dimOf.tool] as const

/** From the narrowest on: the first that knows all that is asked for answers. How long calls took is asked by model or tool. */
export const families: readonly Family[] = [
  family(without(...ofModels, dimOf.task), { id: 3, bucketMs: dayMs, ...slices }, { id: 2, bucketMs: hourMs, ...slices }),
  family(without(...ofModels, dimOf.agent), { id: 5, bucketMs: dayMs, ...slices }, { id: 4, bucketMs: hourMs, ...slices }),
  family(without(dimOf.agent, dimOf.task), { id: 7, bucketMs: dayMs, ...slices, hasTimes: true }, { id: 6, bucketMs: hourMs, ...slices }),
  family(without(...ofModels), { id: 9, bucketMs: dayMs, ...slices }, { id: 8, bucketMs: hourMs, ...sums }),
  family(without(dimOf.agent), { id: 11, bucketMs: dayMs, ...slices }),
  family(without(dimOf.task), { id: 13, bucketMs: dayMs, ...slices }),
  family([...without(...ofModels), ...ownerDims], { id: 14, bucketMs: dayMs, ...sums }, { id: 16, bucketMs: hourMs, ...sums }),
  family(segmentDims, { id: 15, bucketMs: weekMs, ...sums }, { id: 1, bucketMs: dayMs, ...sums }),
]

/** Buckets of a level before this one are over, and are rolled up: `newest` is the latest quarter that has entries. */
export const sealedBefore = (level: Level, newest: number): number => Math.floor((newest * quarterMs) / level.bucketMs)

export const bucketsMax = 2 ** 28
const partsMax = 2 ** 20

/** Level, bucket and part as one number, so that a period's chunks lie side by side. Stays below 2⁵³. */
export const chunkId = (level: Level, bucket: number, part: number): number => (level.id * bucketsMax + bucket) * partsMax + part

export const bucketOfChunk = (id: number): number => Math.floor(id / partsMax) % bucketsMax
export const partOfChunk = (id: number): number => id % partsMax
