import type { Forecast, SpendModel } from './forecast.ts'

const hourMs = 3_600_000

/** A model of hourly spend that stands in the middle of an hour: `begun` is its start, `now` the present, both UTC ms. */
export interface SpendAhead {
  /** What comes from now until `end`. */
  until(end: number): Forecast
  /** The instant at which so much more has been spent; undefined when that lies beyond `horizon`. */
  whenSpent(amount: number, horizon: number): number | undefined
  /** As early as that one time in ten. */
  earliestSpent(amount: number, horizon: number): number | undefined
}

export const spendAhead = (model: SpendModel, begun: number, now: number): SpendAhead => {
  const passed = Math.min(1, Math.max(0, (now - begun) / hourMs))
  // What the present hour has brought already is known, and is not expected once more.
  const behind = model.at(0) * passed
  const hoursTo = (end: number): number => Math.max(passed, (end - begun) / hourMs)
  const ahead = (end: number): Forecast => {
    const { expected, low, high, season } = model.over(hoursTo(end))
    const rest = Math.max(0, expected - behind)
    return { expected: rest, low: Math.max(0, rest - (expected - low)), high: rest + (high - expected), season }
  }
  return {
    until: ahead,
    whenSpent(amount, horizon) {
      if (amount <= 0) return now
      const hours = model.hoursUntil(amount + behind, Math.ceil(hoursTo(horizon)))
      const at = hours === undefined ? undefined : Math.max(now, begun + hours * hourMs)
      return at === undefined || at > horizon ? undefined : at
    },
    earliestSpent(amount, horizon) {
      if (amount <= 0) return now
      if (ahead(horizon).high < amount) return undefined
      // The upper end of the interval only rises with time: it is found by halving.
      let [low, high] = [now, horizon]
      while (high - low > 60_000) {
        const middle = (low + high) / 2
        if (ahead(middle).high >= amount) high = middle
        else low = middle
      }
      return Math.round(high)
    },
  }
}

/**
 * The instant at which a window that looks back from every moment is first fuller than `limit`: what lies in it leaves as new
 * spend comes. `past` are the hours of one window up to the start of the present hour, oldest first.
 */
export const whenWindowFull = (
  model: SpendModel,
  past: readonly number[],
  limit: number,
  begun: number,
  hoursMax: number,
): number | undefined => {
  let sum = past.reduce((total, value) => total + value, 0)
  for (let hour = 0; hour < hoursMax; hour++) {
    const leaves = hour < past.length ? (past[hour] ?? 0) : model.at(hour - past.length)
    sum += model.at(hour) - leaves
    if (sum >= limit) return begun + (hour + 1) * hourMs
  }
  return undefined
}
