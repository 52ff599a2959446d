import { dayMs, hourMs, startOf } from './buckets.ts'

/** What a page looks at. Only `between` stands still; the others end now and move with it. */
export type Period =
  | { readonly kind: 'today' }
  | { readonly kind: 'last'; readonly span: string; readonly ms: number }
  | { readonly kind: 'between'; readonly from: number; readonly to: number }

export interface Range {
  readonly from: number
  readonly to: number
}

export const presets = [
  { name: 'today', title: 'Today' },
  { name: '24h', title: '24 hours' },
  { name: '7d', title: '7 days' },
  { name: '30d', title: '30 days' },
] as const

export const defaultSpan = '7d'

const spanMs: Readonly<Record<string, number>> = { m: 60_000, h: hourMs, d: dayMs, w: 7 * dayMs }

/** "90m", "24h", "7d", "2w" → milliseconds. */
export const parseSpan = (text: string): number | undefined => {
  const match = /^([1-9]\d{0,3})([mhdw])$/.exec(text)
  const unit = spanMs[match?.[2] ?? '']
  return unit === undefined ? undefined : Number(match?.[1]) * unit
}

/** The period as the address names it, or a sentence that says what is wrong with it. */
export const parsePeriod = (search: { last?: string; from?: string; to?: string }): Period | string => {
  if (search.from !== undefined || search.to !== undefined) return parseBetween(search.from, search.to)
  const span = search.last ?? defaultSpan
  if (span === 'today') return { kind: 'today' }
  const ms = parseSpan(span)
  return ms === undefined
    ? `"${span.slice(0, 40)}" is not a period. Expected today, 24h, 7d, 30d or another span.`
    : { kind: 'last', span, ms }
}

const parseBetween = (fromText: string | undefined, toText: string | undefined): Period | string => {
  const from = Date.parse(fromText ?? '')
  const to = Date.parse(toText ?? '')
  if (Number.isNaN(from) || Number.isNaN(to))
    return 'The address should name both ends of the period as instants, such as 2026-11-22T10:00:00Z.'
  return from < to ? { kind: 'between', from, to } : 'The period in the address ends before it begins.'
}

export const isMoving = (period: Period): boolean => period.kind !== 'between'

export const rangeOf = (period: Period, now: number, zone: string): Range => {
  switch (period.kind) {
    case 'today':
      return { from: startOf('day', now, zone), to: now }
    case 'last':
      return { from: now - period.ms, to: now }
    case 'between':
      return { from: period.from, to: period.to }
    default:
      return period satisfies never
  }
}

/** What it is compared with: yesterday until the same time of day, or the period of equal length just before. */
export const previousOf = (period: Period, now: number, zone: string): Range => {
  const { from, to } = rangeOf(period, now, zone)
  if (period.kind !== 'today') return { from: from - (to - from), to: from }
  const yesterday = startOf('day', from - 1, zone)
  return { from: yesterday, to: Math.min(from, yesterday + (to - from)) }
}

export const previousTitle = (period: Period): string => {
  if (period.kind === 'today') return 'yesterday by this time'
  if (period.kind === 'last') return `the ${spanTitle(period.span)} before`
  return 'the period before'
}

const spanTitle = (span: string): string => {
  const names: Readonly<Record<string, string>> = { m: 'minute', h: 'hour', d: 'day', w: 'week' }
  const amount = Number.parseInt(span, 10)
  return `${amount} ${names[span.at(-1) ?? ''] ?? 'day'}${amount === 1 ? '' : 's'}`
}

/** The parameters of the address for a period. Absent ones are named, so that they replace what was there. */
export const searchOfPeriod = (period: Period): { last: string | undefined; from: string | undefined; to: string | undefined } =>
  period.kind === 'between'
    ? { last: undefined, from: new Date(period.from).toISOString(), to: new Date(period.to).toISOString() }
    : { last: period.kind === 'today' ? 'today' : period.span, from: undefined, to: undefined }
