import { columnCount, dimOf, sliceStart } from './block.ts'

const segmentDims = Array.from({ length: dimOf.team + 1 }, (_, dim) => dim)

/**
 * What is rolled up: each cube keeps the same calls by other dimensions.
 *
 * A roll-up of each attribute alone, and of the pairs that matter, would be many tables and still answer no question about three;
 * rows of all attributes at once are few enough when they are kept column by column (see chunk.ts): agents, tasks and releases
 * come together in runs, so a quarter of an hour has far fewer segments than calls.
 */
export interface Cube {
  readonly id: number
  readonly dims: readonly number[]
  readonly columnEnd: number
  /** Whole UTC days besides quarters of an hour. */
  readonly hasDays: boolean
}

export const cubes = {
  /** The attributes of few values, with the money of each unit. Answers nearly every question. */
  segments: { id: 0, dims: segmentDims, columnEnd: columnCount, hasDays: true },
  /** Besides, whose calls they were: answers what is asked of runs, sessions, users and keys. */
  owners: { id: 1, dims: [...segmentDims, dimOf.session, dimOf.run, dimOf.user, dimOf.key], columnEnd: sliceStart, hasDays: false },
  /** How many calls took how long. Days would be hardly fewer rows: few calls of a day take the same time. */
  latencies: { id: 2, dims: [...segmentDims, dimOf.latency], columnEnd: 1, hasDays: false },
} as const satisfies Readonly<Record<string, Cube>>

export const quarterLevel = 0
export const dayLevel = 1
export type Level = typeof quarterLevel | typeof dayLevel

export const bucketMs: readonly [number, number] = [900_000, 86_400_000]
export const bucketsMax = 2 ** 28
const partsMax = 2 ** 20

/** Cube, level, bucket and part as one number, so that a period's chunks lie side by side. Stays below 2⁵³. */
export const chunkId = (cube: Cube, level: Level, bucket: number, part: number): number =>
  ((cube.id * 2 + level) * bucketsMax + bucket) * partsMax + part

export const bucketOfChunk = (id: number): number => Math.floor(id / partsMax) % bucketsMax
export const partOfChunk = (id: number): number => id % partsMax
