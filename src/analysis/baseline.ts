import { medianOf, robustSpreadOf } from './statistics.ts'

/** What an hour usually is for a segment, learned from the same hours before. */
export interface Baseline {
  readonly expected: number
  /** Robust standard deviation. */
  readonly spread: number
  /** From what it was learned: the same hour of the week, or of the day. */
  readonly season: 'week' | 'day'
  readonly samples: number
}

const weekHours = 168
const dayHours = 24
/** The same hour of the week needs three weeks; the same hour of the day, four days. Before that there is no baseline and no alert. */
const weeksMin = 3
const daysMin = 4
/** Medians of few samples can agree by chance: the spread is never below this share of what is expected. */
const spreadShareMin = 0.15
/** An hour is compared with the same hour of so many days for the spread that hours around it lend. */
const daysLent = 7

/**
 * The baseline of the hour that follows a series of hourly values, oldest first. Medians, so that a past incident does not
 * become normal. `grain` is what comes at once: a few runs an hour vary by themselves (Poisson), and one more of them is no news.
 * Undefined while there is too little history.
 */
export const baselineOf = (hourly: readonly number[], grain = 0): Baseline | undefined => {
  const weekly = sameHours(hourly, weekHours)
  const season = weekly.length >= weeksMin ? 'week' : 'day'
  const samples = season === 'week' ? weekly : sameHours(hourly, dayHours)
  if (samples.length < (season === 'week' ? weeksMin : daysMin)) return undefined
  const expected = medianOf(samples)
  // The median of three hours can be low by luck. How far an hour may stray is judged by the days before as well.
  const level = Math.max(expected, medianOf(sameHours(hourly, dayHours).slice(0, daysLent)))
  const byChance = Math.sqrt((level + grain) * grain)
  const lent = strayOf(hourly, grain) * Math.sqrt(level + grain)
  const spread = Math.max(robustSpreadOf(samples), lent, expected * spreadShareMin, byChance)
  return { expected, spread, season, samples: samples.length }
}

/** The values that lie a whole number of periods before the next one. */
const sameHours = (hourly: readonly number[], period: number): readonly number[] => {
  const same: number[] = []
  for (let index = hourly.length - period; index >= 0; index -= period) same.push(hourly[index] ?? 0)
  return same
}

/**
 * How far hours stray from the same hours of the days around them, for each root of their level: what comes by chance grows like
 * that, so that quiet nights and busy days can be looked at together. Of the last four weeks, but their first day.
 */
const strayOf = (hourly: readonly number[], grain: number): number => {
  const first = Math.max(0, hourly.length - 4 * weekHours)
  const strays: number[] = []
  for (let index = first + dayHours; index < hourly.length; index++) {
    const days: number[] = []
    for (let at = index; at >= first && days.length < daysLent; at -= dayHours) days.push(hourly[at] ?? 0)
    const level = medianOf(days)
    if (level + grain > 0) strays.push(((hourly[index] ?? 0) - level) / Math.sqrt(level + grain))
  }
  return robustSpreadOf(strays)
}

export interface Surprise {
  readonly expected: number
  readonly came: number
  /** How many spreads above what was expected. */
  readonly distance: number
}

/** A value far above its baseline and above it by at least `floor` (so that cents never page); undefined when it is as expected. */
export const surpriseOf = (value: number, baseline: Baseline, floor: number, distanceMin = 5): Surprise | undefined => {
  const above = value - baseline.expected
  const distance = baseline.spread === 0 ? (above > 0 ? Number.POSITIVE_INFINITY : 0) : above / baseline.spread
  return above >= floor && distance >= distanceMin ? { expected: baseline.expected, came: value, distance } : undefined
}
