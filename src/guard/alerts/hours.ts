import { type Ask, countOf } from '../../analysis/spending.ts'
import type { Breakdown, Filter, Question } from '../../core/question.ts'
import { offsetAt } from '../../core/window.ts'
import { keyOf } from './alert-states.ts'
import { segmentOf } from './finding-text.ts'

/** Which segments: the hours of each are a series of its own. */
export interface HoursOf {
  readonly by: readonly Breakdown[]
  readonly where: readonly Filter[]
}

export interface SegmentHours {
  readonly segment: Readonly<Record<string, string>>
  /** Dollars per hour, oldest first, up to the end of the period: hours as the zone's clocks show them. */
  readonly hourly: readonly number[]
  /** What comes at once: what a dear run costs, or a call where there are no runs. */
  readonly grain: number
}

/** By the segment's key. */
export type Hours = ReadonlyMap<string, SegmentHours>

const hourMs = 3_600_000
const weekMs = 168 * hourMs
/** What is learned from. */
export const historyMs = 4 * weekMs
/** The costliest ones; nobody reads alerts of more. */
const segmentsMax = 50

/**
 * What each segment cost in every hour of a period that begins and ends with one. A day has 24 hours here in any case: of an hour
 * that the clocks show twice the larger one counts, and one that they skip is as it was the day before, so that the same hour of
 * every day stands at the same place.
 */
export const askHours = async (ask: Ask, { by, where }: HoursOf, from: number, to: number, zone: string): Promise<Hours> => {
  const period = { by, where, from, to, zone }
  const { rows } = await ask({ ...period, measures: ['cost', 'costP95', 'calls'], top: segmentsMax })
  const found = new Map<string, { segment: Readonly<Record<string, string>>; hourly: number[]; grain: number }>()
  const clock = clockOf(from, to, zone)
  for (const row of rows) {
    if (row.folded !== undefined) continue
    const segment = segmentOf(by, row)
    const grain = Number(row.costP95 ?? 0) || Number(row.cost) / Math.max(1, countOf(row, 'calls'))
    found.set(keyOf(segment), { segment, hourly: Array(clock.hours).fill(0), grain })
  }
  for (const question of weekly({ ...period, measures: ['cost'], interval: 'hour' }, found)) {
    for (const row of (await ask(question)).rows) {
      const series = found.get(keyOf(segmentOf(by, row)))?.hourly
      const hour = clock.placeOf(String(row.bucket))
      if (series !== undefined) series[hour] = Math.max(series[hour] ?? 0, Number(row.cost))
    }
  }
  for (const { hourly } of found.values()) for (const hour of clock.skipped) hourly[hour] = hourly[hour - 24] ?? 0
  return found
}

/** A week at a time, so that no answer has too many rows; where a filter can name the segments, for those alone. */
const weekly = (
  question: Question,
  found: ReadonlyMap<string, { readonly segment: Readonly<Record<string, string>> }>,
): readonly Question[] => {
  const named = question.by.slice(0, 1).map((by): Filter => {
    const values = new Set([...found.values()].map(({ segment }) => segment[by] ?? ''))
    return { by, values: [...values].map((value) => (value === '' ? null : value)) }
  })
  if (found.size === 0) return []
  return Array.from({ length: Math.ceil((question.to - question.from) / weekMs) }, (_, week) => ({
    ...question,
    where: [...question.where, ...named],
    from: question.from + week * weekMs,
    to: Math.min(question.to, question.from + (week + 1) * weekMs),
  }))
}

/** Where an instant stands among the hours that the zone's clocks show from `from` to `to`. */
const clockOf = (from: number, to: number, zone: string) => {
  const shown = (at: number): number => Math.floor((at + offsetAt(at, zone)) / hourMs)
  const first = shown(from)
  const places = new Map<string, number>()
  const seen = new Set<number>()
  for (let at = from; at < to; at += hourMs) {
    const place = shown(at) - first
    places.set(new Date(at).toISOString(), place)
    seen.add(place)
  }
  const hours = Math.max(0, shown(to - 1) - first + 1)
  return {
    hours,
    placeOf: (bucket: string): number => places.get(bucket) ?? 0,
    skipped: Array.from({ length: hours }, (_, hour) => hour).filter((hour) => !seen.has(hour)),
  }
}
