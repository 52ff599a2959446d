import { meanOf, slopeOf } from './statistics.ts'

/** Spend that is expected over some hours ahead, in the unit of the series, with the interval that holds four times in five. */
export interface Forecast {
  readonly expected: number
  readonly low: number
  readonly high: number
  /** What was found to repeat: nothing yet, the hours of a day, or those of a week. */
  readonly season: 'none' | 'day' | 'week'
}

export interface SpendModel {
  /** Expected spend in the `hour`-th hour after the series, 0 being the next one. */
  at(hour: number): number
  over(hours: number): Forecast
  /** Hours until so much is spent, or undefined when that lies beyond `horizonHours`. */
  hoursUntil(amount: number, horizonHours: number): number | undefined
}

/** Fewer hours than this say nothing about the next ones. */
export const historyHoursMin = 6

const weekHours = 168
/** 80 % of a normal distribution lie within this many standard deviations. */
const spread80 = 1.2816
/** How much of yesterday's trend is believed for each further day: a rise rarely lasts. */
const dampingPerDay = 0.93
/** After so many days a day counts half for the level. */
const halfLifeDays = 7

/**
 * A model of hourly spend, oldest first, the last hour complete: level × season + damped trend. The season is that of the week
 * when two weeks are there, of the day with two days; the trend is the median slope of daily totals, so that one wild day does
 * not bend it. Undefined with less than `historyHoursMin` hours. Plain arithmetic, no randomness.
 */
export const spendModel = (hourly: readonly number[]): SpendModel | undefined => {
  if (hourly.length < historyHoursMin) return undefined
  const period = hourly.length >= 2 * weekHours ? weekHours : hourly.length >= 48 ? 24 : 1
  const season = seasonOf(hourly, period)
  const days = dailyMeans(hourly, season)
  const slopePerDay = trendOf(days)
  const level = levelOf(days, slopePerDay)
  const at = (hour: number): number => {
    const day = (hour + 12) / 24
    const trend = (slopePerDay * (1 - dampingPerDay ** day)) / (1 - dampingPerDay)
    return Math.max(0, level + trend) * (season[(hourly.length + hour) % period] ?? 1)
  }
  const deviation = dailyDeviation(days, slopePerDay)
  return {
    at,
    over(hours) {
      const whole = Math.floor(hours)
      let expected = 0
      for (let hour = 0; hour < whole; hour++) expected += at(hour)
      expected += (hours - whole) * at(whole)
      // Days err by themselves (√days) and together, because the level itself is only estimated (days ÷ √known days).
      const ahead = hours / 24
      const margin = spread80 * deviation * 24 * Math.sqrt(ahead + ahead ** 2 / Math.max(1, Math.min(days.length, 2 * halfLifeDays)))
      return {
        expected,
        low: Math.max(0, expected - margin),
        high: expected + margin,
        season: period === weekHours ? 'week' : period === 24 ? 'day' : 'none',
      }
    },
    hoursUntil(amount, horizonHours) {
      let spent = 0
      for (let hour = 0; hour < horizonHours; hour++) {
        const next = at(hour)
        if (spent + next >= amount) return hour + (next === 0 ? 0 : (amount - spent) / next)
        spent += next
      }
      return undefined
    },
  }
}

/** For each slot of the period, its share of the average hour. Means, not medians: what is forecast is a sum, and rare calls are part of it. */
const seasonOf = (hourly: readonly number[], period: number): readonly number[] => {
  const overall = meanOf(hourly)
  if (period === 1 || overall === 0) return Array(period).fill(1)
  const cycles = hourly.length / period
  const slots = Array.from({ length: period }, (_, slot) => meanOf(hourly.filter((_, index) => index % period === slot)) / overall)
  // Few cycles are drawn towards "no season": one busy Tuesday is not a law.
  const trust = cycles / (cycles + 1)
  const drawn = slots.map((share) => 1 + trust * (share - 1))
  const mean = meanOf(drawn)
  return drawn.map((share) => share / mean)
}

/** The season taken out, the average hour of each day that ends with the series; a first part of a day is left out unless it is all there is. */
const dailyMeans = (hourly: readonly number[], season: readonly number[]): readonly number[] => {
  const days: number[] = []
  for (let end = hourly.length; end >= 24; end -= 24) {
    let spent = 0
    let weight = 0
    for (let index = end - 24; index < end; index++) {
      spent += hourly[index] ?? 0
      weight += season[index % season.length] ?? 1
    }
    days.unshift(weight === 0 ? 0 : spent / weight)
  }
  return days.length === 0 ? [meanOf(hourly)] : days
}

/** The trend, where there is one: ten days at least, and a slope that the noise of single days would hardly make (2.5 standard errors). */
const trendOf = (days: readonly number[]): number => {
  if (days.length < 10) return 0
  const slope = slopeOf(days)
  const standardError = dailyDeviation(days, slope) / Math.sqrt(days.length ** 3 / 12)
  return Math.abs(slope) >= 2.5 * standardError ? slope : 0
}

/** The average hour of the last day, from all days: each carried along the trend to the last one, older ones weighing less. */
const levelOf = (days: readonly number[], slope: number): number => {
  let sum = 0
  let weights = 0
  days.forEach((day, index) => {
    const age = days.length - 1 - index
    const weight = 0.5 ** (age / halfLifeDays)
    sum += weight * (day + slope * age)
    weights += weight
  })
  return Math.max(0, sum / weights)
}

/** How far a day's average hour lies from the line, as a standard deviation. With one or two days, half of the level: not much is known. */
const dailyDeviation = (days: readonly number[], slope: number): number => {
  const middle = meanOf(days)
  if (days.length < 3) return middle / 2
  const centre = (days.length - 1) / 2
  const squares = days.map((day, index) => (day - middle - slope * (index - centre)) ** 2)
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / (days.length - 2))
}
