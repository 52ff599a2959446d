import type { Question } from '../../core/question.ts'
import { startsOf } from '../groups.ts'
import { type Level, quarters } from './cubes.ts'
import type { Span } from './whereabouts.ts'

/** A stretch of roll-up buckets that lies in one bucket of the question. */
export interface Stretch {
  readonly bucket: number
  readonly level: Level
  readonly first: number
  readonly end: number
}

/** Part of a quarter of an hour, to be read from the entries; with the sign −1 it is taken out of a quarter that is in whole. */
export interface Edge {
  readonly bucket: number
  readonly from: number
  readonly to: number
  readonly sign: 1 | -1
}

/** A coarser roll-up, and the first of its buckets that is not over. */
export interface SealedLevel {
  readonly level: Level
  readonly sealed: number
}

export interface Plan {
  readonly stretches: readonly Stretch[]
  readonly edges: readonly Edge[]
}

const quarterMs = quarters.bucketMs

/** The question's buckets by number: the number of one in which an instant lies, and the start by which it goes. */
export interface Buckets {
  readonly starts: readonly (number | undefined)[]
  indexOf(at: number): number
}

export const bucketsOf = (question: Question): Buckets => {
  const starts = startsOf(question)
  return {
    starts,
    indexOf(at) {
      let low = 0
      let high = starts.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((starts[middle] ?? 0) <= at) low = middle
        else high = middle - 1
      }
      return low
    },
  }
}

/**
 * Cuts a period into whole days and quarters of an hour, which roll-ups answer, and what is left at its two ends. Every zone's
 * clocks differ from UTC by a multiple of a quarter, so no bucket but the first and the last cuts one. `known` is the time of the
 * first and the last entry: what lies before or after can be taken in without a look. `levels` are the coarser roll-ups that may
 * be used, the coarsest first.
 */
export const planOf = (
  period: Span,
  buckets: Buckets,
  known: { readonly first: number; readonly last: number },
  levels: readonly SealedLevel[],
): Plan => {
  const from = period.from <= known.first ? floor(known.first) : period.from
  const to = period.to > known.last ? floor(known.last) + quarterMs : period.to
  if (from >= to) return { stretches: [], edges: [] }
  const edges: Edge[] = []
  let firstQuarter = Math.ceil(from / quarterMs)
  let endQuarter = Math.floor(to / quarterMs)
  if (firstQuarter > endQuarter) return { stretches: [], edges: [{ bucket: buckets.indexOf(from), from, to, sign: 1 }] }
  if (from % quarterMs !== 0) {
    const bucket = buckets.indexOf(from)
    // The smaller side of the cut is read from the entries.
    if (from - floor(from) < quarterMs / 2) {
      firstQuarter -= 1
      edges.push({ bucket, from: floor(from), to: from, sign: -1 })
    } else edges.push({ bucket, from, to: firstQuarter * quarterMs, sign: 1 })
  }
  if (to % quarterMs !== 0) {
    const bucket = buckets.indexOf(to - 1)
    if (to - floor(to) > quarterMs / 2) {
      endQuarter += 1
      edges.push({ bucket, from: to, to: endQuarter * quarterMs, sign: -1 })
    } else edges.push({ bucket, from: floor(to), to, sign: 1 })
  }
  return { stretches: stretchesOf(buckets, firstQuarter * quarterMs, endQuarter * quarterMs, levels), edges }
}

const floor = (at: number): number => Math.floor(at / quarterMs) * quarterMs

const stretchesOf = (buckets: Buckets, from: number, to: number, levels: readonly SealedLevel[]): readonly Stretch[] => {
  const stretches: Stretch[] = []
  for (let at = from; at < to; ) {
    const bucket = buckets.indexOf(at)
    const next = Math.min(to, buckets.starts[bucket + 1] ?? to)
    fill(stretches, bucket, at, next, levels)
    at = next
  }
  return stretches
}

/** Covers from one instant to another with the coarsest buckets that fit, and what is left at both ends with finer ones. */
const fill = (into: Stretch[], bucket: number, from: number, to: number, [coarsest, ...finer]: readonly SealedLevel[]): void => {
  if (from >= to) return
  if (coarsest === undefined) {
    into.push({ bucket, level: quarters, first: from / quarterMs, end: to / quarterMs })
    return
  }
  const { level, sealed } = coarsest
  const first = Math.ceil(from / level.bucketMs)
  const end = Math.min(Math.floor(to / level.bucketMs), sealed)
  if (first >= end) {
    fill(into, bucket, from, to, finer)
    return
  }
  fill(into, bucket, from, first * level.bucketMs, finer)
  into.push({ bucket, level, first, end })
  fill(into, bucket, end * level.bucketMs, to, finer)
}
