import { TaximeterError } from './errors.ts'

export const intervals = ['minute', '15m', 'hour', 'day', 'week', 'month'] as const
/** How a period is cut. Weeks begin on Monday. Days, weeks and months are those of the question's time zone, daylight saving included. */
export type Interval = (typeof intervals)[number]

const minuteMs = 60_000
export const quarterMs = 15 * minuteMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

interface WallTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** The zone's formatter; throws BAD_QUESTION for a zone that does not exist. Zones are few, the cache is bounded all the same. */
const formatOf = (zone: string): Intl.DateTimeFormat => {
  let format = formats.get(zone)
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
      })
    } catch (cause) {
      throw new TaximeterError('BAD_QUESTION', `"${zone}" is not a time zone. Use a name such as "Europe/Berlin" or "UTC".`, { cause })
    }
    if (formats.size > 500) formats.clear()
    formats.set(zone, format)
  }
  return format
}

const shownAt = (at: number, zone: string): number => {
  const parts: Record<string, number> = {}
  for (const part of formatOf(zone).formatToParts(at)) parts[part.type] = Number(part.value)
  return Date.UTC(parts.year ?? 0, (parts.month ?? 1) - 1, parts.day ?? 1, parts.hour ?? 0, parts.minute ?? 0)
}

const readOffset = (at: number, zone: string): number => shownAt(at, zone) - Math.floor(at / minuteMs) * minuteMs

const dayOffsets = new Map<string, number>()
const dayOffsetsMax = 5_000

/** The offset at the start of a UTC day. Kept: a week cut into hours asks for eight of them, twelve hundred times. */
const offsetOfDay = (day: number, zone: string): number => {
  const key = `${zone} ${day}`
  let offset = dayOffsets.get(key)
  if (offset === undefined) {
    offset = readOffset(day * dayMs, zone)
    if (dayOffsets.size >= dayOffsetsMax) dayOffsets.clear()
    dayOffsets.set(key, offset)
  }
  return offset
}

/**
 * How far the zone's clocks are ahead of UTC at an instant, in milliseconds. No zone moves its clocks twice within a day: where they
 * stand the same at its two ends, they do so in between.
 */
export const offsetAt = (at: number, zone: string): number => {
  if (zone === 'UTC') return 0
  const day = Math.floor(at / dayMs)
  const offset = offsetOfDay(day, zone)
  return offset === offsetOfDay(day + 1, zone) ? offset : readOffset(at, zone)
}

const wallTimeAt = (at: number, zone: string): WallTime => {
  const wall = new Date(at + offsetAt(at, zone))
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
  }
}

const wallAsUtc = (wall: WallTime): number => Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute)

/**
 * The first instant at which the zone's clocks show this midnight, or, where a change of clocks skips it (Beirut, Cairo),
 * the first instant of that day.
 */
const midnight = (year: number, month: number, day: number, zone: string): number => {
  const wanted = Date.UTC(year, month - 1, day)
  if (zone === 'UTC') return wanted
  // The two offsets in force around the change cover every zone: no zone moves its clocks twice within a day.
  const early = wanted - offsetAt(wanted - dayMs, zone)
  const late = wanted - offsetAt(wanted + dayMs, zone)
  for (const candidate of [Math.min(early, late), Math.max(early, late)]) {
    if (wallAsUtc(wallTimeAt(candidate, zone)) === wanted) return candidate
  }
  return firstInstantOfDay(Math.min(early, late), Math.max(early, late), wanted, zone)
}

/** Midnight was skipped: the day begins at the change itself, which lies on a whole quarter of an hour. */
const firstInstantOfDay = (from: number, to: number, wanted: number, zone: string): number => {
  for (let at = from; at <= to; at += quarterMs) if (wallAsUtc(wallTimeAt(at, zone)) >= wanted) return at
  return to
}

/** Clocks that change by half an hour (Lord Howe) cut an hour in two: the change, which lies on a whole quarter of an hour. */
const changeAfter = (from: number, to: number, zone: string): number => {
  const before = offsetAt(from, zone)
  for (let at = Math.ceil(from / quarterMs) * quarterMs; at < to; at += quarterMs) if (offsetAt(at, zone) !== before) return at
  return to
}

/** The start of the interval that an instant lies in, UTC ms. */
export const startOf = (interval: Interval, at: number, zone: string): number => {
  if (interval === 'minute') return Math.floor(at / minuteMs) * minuteMs
  if (interval === '15m') return Math.floor(at / quarterMs) * quarterMs
  const offset = offsetAt(at, zone)
  if (interval === 'hour') {
    const start = Math.floor((at + offset) / hourMs) * hourMs - offset
    return offsetAt(start, zone) === offset ? start : changeAfter(start, at, zone)
  }
  const wall = wallTimeAt(at, zone)
  if (interval === 'day') return midnight(wall.year, wall.month, wall.day, zone)
  if (interval === 'month') return midnight(wall.year, wall.month, 1, zone)
  const weekday = (new Date(Date.UTC(wall.year, wall.month - 1, wall.day)).getUTCDay() + 6) % 7
  return midnight(wall.year, wall.month, wall.day - weekday, zone)
}

/** The start of the interval after the one that an instant lies in. A day can have 23, 24 or 25 hours. */
export const nextStart = (interval: Interval, at: number, zone: string): number => {
  const start = startOf(interval, at, zone)
  if (interval === 'minute') return start + minuteMs
  if (interval === '15m') return start + quarterMs
  if (interval === 'hour') {
    const offset = offsetAt(start, zone)
    const end = Math.floor((start + offset) / hourMs) * hourMs + hourMs - offset
    return startOf('hour', end - 1, zone) === start ? end : changeAfter(start, end, zone)
  }
  const wall = wallTimeAt(start + hourMs, zone)
  if (interval === 'month') return midnight(wall.year, wall.month + 1, 1, zone)
  return midnight(wall.year, wall.month, wall.day + (interval === 'week' ? 7 : 1), zone)
}

/** All bucket starts of a period, the first one possibly before `from`. Throws BAD_QUESTION past `most`. */
export const bucketStarts = (interval: Interval, from: number, to: number, zone: string, most: number): readonly number[] => {
  const starts: number[] = []
  for (let at = startOf(interval, from, zone); at < to; at = nextStart(interval, at, zone)) {
    if (starts.length === most) {
      throw new TaximeterError(
        'BAD_QUESTION',
        `This period has more than ${most} buckets of "${interval}". Choose a longer interval or a shorter period.`,
      )
    }
    starts.push(at)
  }
  return starts
}

const spans: Readonly<Record<string, number>> = { m: minuteMs, h: hourMs, d: dayMs, w: 7 * dayMs }

/** "90m", "24h", "7d", "2w" → milliseconds; undefined for anything else. */
export const parseSpan = (text: string): number | undefined => {
  const match = /^([1-9]\d{0,4})([mhdw])$/.exec(text)
  const unit = spans[match?.[2] ?? '']
  return unit === undefined ? undefined : Number(match?.[1]) * unit
}
