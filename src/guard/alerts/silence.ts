import { isBreakdown } from '../../core/question.ts'
import type { AlertRecord } from '../../ledger/alert-store.ts'
import { bad } from './rule-reader.ts'

/** Alerts that nobody wants to hear of for a while: by rule and by segment. They are still evaluated, kept and shown. */
export interface Silence {
  /** Absent: every rule. */
  readonly rule?: string
  /** Values that the alert's segment must have. */
  readonly segment: Readonly<Record<string, string>>
  readonly from: number
  readonly until: number
}

export const isSilenced = (silences: readonly Silence[], alert: AlertRecord, now: number): boolean =>
  silences.some(
    ({ rule, segment, from, until }) =>
      now >= from &&
      now < until &&
      (rule === undefined || rule === alert.rule) &&
      Object.entries(segment).every(([name, value]) => alert.segment[name] === value),
  )

/** `{rule?, segment?, from?, until}` → silence. It has to end: one that does not is a rule to be removed. */
export const parseSilence = (value: unknown, path: string): Silence => {
  const json = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  const until = typeof json.until === 'string' ? Date.parse(json.until) : Number.NaN
  const from = json.from === undefined ? 0 : typeof json.from === 'string' ? Date.parse(json.from) : Number.NaN
  if (Number.isNaN(until) || Number.isNaN(from) || until <= from)
    throw bad(path, '{rule?, segment?, from?, until}, with instants such as "2026-12-01T08:00:00Z" and "until" after "from"', value)
  const { rule, segment = {} } = json
  if (rule !== undefined && typeof rule !== 'string') throw bad(`${path}.rule`, 'the name of a rule', rule)
  if (typeof segment !== 'object' || segment === null || !Object.values(segment).every((each) => typeof each === 'string'))
    throw bad(`${path}.segment`, 'attributes and their values', segment)
  const unknown = Object.keys(segment).find((name) => !isBreakdown(name) && name !== 'budget' && name !== 'share')
  if (unknown !== undefined) throw bad(`${path}.segment`, 'attributes such as agent, task or budget', unknown)
  return { ...(rule !== undefined && { rule }), segment: segment as Readonly<Record<string, string>>, from, until }
}
