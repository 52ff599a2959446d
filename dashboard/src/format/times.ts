/** Instants as people read them, in the zone that the view names. */
export interface Clock {
  readonly zone: string
  /** "22 Nov 2026, 14:05:09" */
  full(at: number): string
  /** "22 Nov, 14:05" */
  minute(at: number): string
  /** "22 Nov, 14:05:09" */
  moment(at: number): string
  /** "14:05:09" */
  second(at: number): string
  /** "14:05" */
  time(at: number): string
  /** "22 Nov" */
  day(at: number): string
  /** "Sun 22 Nov 2026" */
  date(at: number): string
  /** "Nov 2026" */
  month(at: number): string
  /** "November" */
  monthName(at: number): string
  /** "2026-11-22T14:05", as an input for local time holds it. */
  input(at: number): string
}

const clocks = new Map<string, Clock>()

/** Formatters are slow to make and few. Throws RangeError for a zone that does not exist. */
export const clockOf = (zone: string): Clock => {
  let clock = clocks.get(zone)
  if (clock === undefined) clocks.set(zone, (clock = createClock(zone)))
  return clock
}

const createClock = (zone: string): Clock => {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', ...options })
    return (at: number): string => formatter.format(at)
  }
  const time = { hour: '2-digit', minute: '2-digit' } as const
  const day = { day: 'numeric', month: 'short' } as const
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    ...time,
  })
  return {
    zone,
    full: format({ ...day, year: 'numeric', ...time, second: '2-digit' }),
    minute: format({ ...day, ...time }),
    moment: format({ ...day, ...time, second: '2-digit' }),
    second: format({ ...time, second: '2-digit' }),
    time: format(time),
    day: format(day),
    date: format({ weekday: 'short', ...day, year: 'numeric' }),
    month: format({ month: 'short', year: 'numeric' }),
    monthName: format({ month: 'long' }),
    input: (at) => parts.format(at).replace(', ', 'T'),
  }
}

/** "4 s ago", "3 min ago", "2 h ago", "5 d ago". */
export const ago = (at: number, now: number): string => {
  const seconds = Math.max(0, Math.round((now - at) / 1_000))
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** "in 4 min", "in 3 h", "in 5 d". */
export const ahead = (at: number, now: number): string => {
  const minutes = Math.max(0, Math.round((at - now) / 60_000))
  if (minutes < 1) return 'now'
  if (minutes < 60) return `in ${minutes} min`
  if (minutes < 2_880) return `in ${Math.floor(minutes / 60)} h`
  return `in ${Math.floor(minutes / 1_440)} d`
}

/** 3_600_000 → "an hour", 604_800_000 → "7 days". */
export const spanText = (ms: number): string => {
  const [unit, size] = spans.find(([, each]) => ms >= each && ms % each === 0) ?? ['second', 1_000]
  const amount = Math.round(ms / size)
  return amount === 1 ? `${unit === 'hour' ? 'an' : 'a'} ${unit}` : `${amount} ${unit}s`
}

const spans = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** "Europe/Berlin" → "UTC+1" at an instant. */
export const offsetName = (zone: string, at: number): string => {
  const part = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'shortOffset' })
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')
  return (part?.value ?? zone).replace('GMT', 'UTC')
}
