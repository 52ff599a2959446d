/** How a period is cut; the words of the API. */
export type Interval = 'minute' | '15m' | 'hour' | 'day' | 'week' | 'month'

export const intervals: readonly Interval[] = ['minute', '15m', 'hour', 'day', 'week', 'month']

const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

const formats = new Map<string, Intl.DateTimeFormat>()

/** How far the clocks of a zone are ahead of UTC at an instant, ms. Throws RangeError for a zone that does not exist. */
export const offsetAt = (at: number, zone: string): number => {
  if (zone === 'UTC') return 0
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
    formats.set(zone, format)
  }
  const wall: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(at)) wall[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = wall
  return Date.UTC(year, month - 1, day, hour, minute) - Math.floor(at / minuteMs) * minuteMs
}

/** The first instant of the day that shows this wall date (UTC fields of `wall`), daylight saving included. */
const midnightOf = (wall: number, zone: string): number => {
  const late = wall - offsetAt(wall + dayMs, zone)
  const early = wall - offsetAt(wall - dayMs, zone)
  for (const at of [Math.min(early, late), Math.max(early, late)]) if (at + offsetAt(at, zone) === wall) return at
  // Midnight was skipped by a change of clocks: the day begins at the change.
  return Math.max(early, late)
}

const dayOf = (at: number, zone: string): Date => {
  const date = new Date(at + offsetAt(at, zone))
  date.setUTCHours(0, 0, 0, 0)
  return date
}

/** The start of the interval that an instant lies in, UTC ms. The API cuts the same way; this tells which buckets of it are empty. */
export const startOf = (interval: Interval, at: number, zone: string): number => {
  if (interval === 'minute') return Math.floor(at / minuteMs) * minuteMs
  if (interval === '15m') return Math.floor(at / (15 * minuteMs)) * 15 * minuteMs
  if (interval === 'hour') {
    const offset = offsetAt(at, zone)
    return Math.floor((at + offset) / hourMs) * hourMs - offset
  }
  const day = dayOf(at, zone)
  if (interval === 'month') day.setUTCDate(1)
  if (interval === 'week') day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7))
  return midnightOf(day.getTime(), zone)
}

export const nextStart = (interval: Interval, at: number, zone: string): number => {
  const start = startOf(interval, at, zone)
  if (interval === 'minute') return start + minuteMs
  if (interval === '15m') return start + 15 * minuteMs
  if (interval === 'hour') return start + hourMs
  const day = dayOf(start + hourMs, zone)
  if (interval === 'month') day.setUTCMonth(day.getUTCMonth() + 1)
  else day.setUTCDate(day.getUTCDate() + (interval === 'week' ? 7 : 1))
  return midnightOf(day.getTime(), zone)
}

/** More bars than this cannot be told apart on any screen. */
export const bucketsMax = 2_000

/** All bucket starts of a period, the first possibly before `from`; at most `bucketsMax`. */
export const bucketsOf = (interval: Interval, from: number, to: number, zone: string): readonly number[] => {
  const starts: number[] = []
  for (let at = startOf(interval, from, zone); at < to && starts.length < bucketsMax; at = nextStart(interval, at, zone)) starts.push(at)
  return starts
}

/** An interval that cuts a period into bars that can be read. */
export const intervalFor = (from: number, to: number): Interval => {
  const span = to - from
  if (span <= 2 * hourMs) return 'minute'
  if (span <= 12 * hourMs) return '15m'
  if (span <= 8 * dayMs) return 'hour'
  if (span <= 100 * dayMs) return 'day'
  return span <= 730 * dayMs ? 'week' : 'month'
}
