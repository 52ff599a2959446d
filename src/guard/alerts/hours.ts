import { type Ask, countOf } from '../../analysis/spending.ts'
import type { AnswerRow } from '../../core/answer.ts'
import type { Breakdown, Filter, Question } from '../../core/question.ts'
import { offsetAt } from '../../core/window.ts'
import { keyOf } from './alert-states.ts'
import { segmentOf } from './finding-text.ts'

/** Which segments: the hours of each are a series of its own. */
export interface HoursOf {
  readonly by: readonly Breakdown[]
  readonly where: readonly Filter[]
  /** Absent: cost, in dollars. */
  readonly measure?: 'cost' | 'tokens'
}

export interface SegmentHours {
  /** Dollars (or tokens) per hour, oldest first, up to the end of the period: hours as the zone's clocks show them. */
  readonly hourly: readonly number[]
  /** What comes at once: what a dear run costs, or a call where there are no runs. */
  readonly grain: number
}

/** By the segment's key. */
export type Hours = ReadonlyMap<string, SegmentHours>

/** Hours of UTC, which follow each other without a gap. */
export interface UtcHours {
  readonly from: number
  readonly until: number
  readonly segments: ReadonlyMap<string, SegmentHours>
}

export const hourMs = 3_600_000
const weekMs = 168 * hourMs
/** What is learned from. */
export const historyMs = 4 * weekMs
/** The costliest ones; nobody reads alerts of more. */
const segmentsMax = 50

/** What the costliest segments cost in every hour of a period that begins and ends with one. */
export const askHours = async (ask: Ask, of: HoursOf, from: number, until: number, zone: string): Promise<UtcHours> => {
  const { by, where, measure = 'cost' } = of
  const found = new Map<string, { hourly: number[]; grain: number }>()
  const period = { by, where, zone, top: segmentsMax }
  const { rows } = await ask({ ...period, from, to: until, measures: [measure, 'calls'] })
  for (const row of rows.filter(({ folded }) => folded === undefined)) {
    const grain = Number(row[measure]) / Math.max(1, countOf(row, 'calls'))
    found.set(keyOf(segmentOf(by, row)), { hourly: Array((until - from) / hourMs).fill(0), grain })
  }
  // A week of runs says what a dear one costs, and is read a good deal faster than four.
  const dear =
    measure === 'cost' ? await ask({ ...period, from: Math.max(from, until - weekMs), to: until, measures: ['costP95'] }) : undefined
  for (const row of dear?.rows ?? []) {
    const segment = found.get(keyOf(segmentOf(by, row)))
    if (segment !== undefined) segment.grain = Number(row.costP95 ?? 0) || segment.grain
  }
  for (const question of weekly(of, from, until, zone, rows))
    for (const row of (await ask(question)).rows) {
      const hourly = found.get(keyOf(segmentOf(by, row)))?.hourly
      if (hourly !== undefined) hourly[hourOf(row, from)] = Number(row[measure])
    }
  return { from, until, segments: found }
}

/** A week at a time, so that no answer has too many rows; for the segments that are kept alone, as far as one filter can name them. */
const weekly = (
  { by, where, measure = 'cost' }: HoursOf,
  from: number,
  until: number,
  zone: string,
  rows: readonly AnswerRow[],
): readonly Question[] => {
  if (rows.length === 0) return []
  const named = by.slice(0, 1).map((name): Filter => ({ by: name, values: [...new Set(rows.map((row) => textOf(row[name])))] }))
  return Array.from({ length: Math.ceil((until - from) / weekMs) }, (_, week) => ({
    measures: [measure],
    by,
    where: [...where, ...named],
    interval: 'hour',
    from: from + week * weekMs,
    to: Math.min(until, from + (week + 1) * weekMs),
    zone,
  }))
}

const textOf = (value: unknown): string | null => (value === null || value === undefined ? null : String(value))
const hourOf = (row: AnswerRow, from: number): number => Math.floor((Date.parse(String(row.bucket)) - from) / hourMs)

/** The hours since then, added; what is older than four weeks is let go of. A segment that is new had nothing before. */
export const withNewHours = async (ask: Ask, of: HoursOf, known: UtcHours, until: number, zone: string): Promise<UtcHours> => {
  const { by, where } = of
  const { rows } = await ask({ measures: ['cost', 'calls'], by, where, interval: 'hour', from: known.until, to: until, zone })
  const added = (until - known.until) / hourMs
  const from = Math.max(known.from, until - historyMs)
  const gone = (from - known.from) / hourMs
  const segments = new Map(
    [...known.segments].map(([key, { hourly, grain }]) => [
      key,
      { grain, hourly: [...hourly.slice(gone), ...Array(added).fill(0)] as number[] },
    ]),
  )
  for (const row of rows) {
    const key = keyOf(segmentOf(by, row))
    if (!segments.has(key) && segments.size < segmentsMax)
      segments.set(key, { grain: Number(row.cost) / Math.max(1, countOf(row, 'calls')), hourly: Array((until - from) / hourMs).fill(0) })
    const hourly = segments.get(key)?.hourly
    if (hourly !== undefined) hourly[hourOf(row, from)] = Number(row.cost)
  }
  return { from, until, segments }
}

/** The part of it that ends at an instant. */
export const hoursUntil = ({ from, segments }: UtcHours, until: number): UtcHours => {
  const begin = Math.max(from, until - historyMs)
  const [first, end] = [(begin - from) / hourMs, (until - from) / hourMs]
  return {
    from: begin,
    until,
    segments: new Map([...segments].map(([key, { hourly, grain }]) => [key, { grain, hourly: hourly.slice(first, end) }])),
  }
}

/**
 * Hours as people's clocks show them, so that the same hour of every day stands at the same place: a day has 24 of them in any
 * case. Of an hour that the clocks show twice the larger one counts, and one that they skip is as it was the day before.
 */
export const localHours = ({ from, until, segments }: UtcHours, zone: string): Hours => {
  const shown = (at: number): number => Math.floor((at + offsetAt(at, zone)) / hourMs)
  const places: number[] = []
  for (let at = from; at < until; at += hourMs) places.push(shown(at) - shown(from))
  const hours = (places.at(-1) ?? -1) + 1
  const seen = new Set(places)
  const skipped = Array.from({ length: hours }, (_, hour) => hour).filter((hour) => !seen.has(hour))
  return new Map(
    [...segments].map(([key, { hourly, grain }]) => {
      const local: number[] = Array(hours).fill(0)
      hourly.forEach((value, index) => {
        const place = places[index] ?? 0
        local[place] = Math.max(local[place] ?? 0, value)
      })
      for (const hour of skipped) local[hour] = local[hour - 24] ?? 0
      return [key, { hourly: local, grain }]
    }),
  )
}
