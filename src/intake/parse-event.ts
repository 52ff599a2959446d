import { type Attribution, attributeCharsMax, attributeNames, tagKeyCharsMax, tagsMax } from '../core/attribution.ts'
import {
  type CallStatus,
  callStatuses,
  type ModelCall,
  type RunRecord,
  type RunStatus,
  runStatuses,
  type Source,
  type StopReason,
  stopReasons,
  type ToolCall,
  type UsageEvent,
} from '../core/event.ts'
import { parseEventId } from '../core/event-id.ts'
import { type PicoUsd, parseUsd } from '../core/money.ts'
import { isUnit, type Unit } from '../core/units.ts'
import { countMax, type Usage, type UsageFlag, type UsageQuality, usageFlags } from '../core/usage.ts'
import type { RejectionReason } from './event-json.ts'

// Written by hand rather than with a schema library: every event of every agent passes here. bench/ingest.ts measures it.

/** Why an event is refused. Thrown inside this file and by readers of raw usage, caught at the intake's door. */
export class Rejection extends Error {
  readonly reason: RejectionReason
  constructor(reason: RejectionReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Calls older than this are a mistake of units (seconds for milliseconds): there was nothing to bill. */
const earliest = Date.UTC(2020, 0, 1)
/** How far a caller's clock may run ahead of ours. */
const aheadMsMax = 24 * 3_600_000
const durationMsMax = 7 * 24 * 3_600_000
const moneyMax = parseUsd('1000000') ?? 0n

export interface ParseContext {
  readonly now: number
  /** Used where the event names none; a client cannot claim to be the gateway. */
  readonly source: Source
  /** The id of the client key that the request came with. */
  readonly key?: string | undefined
}

type Json = Readonly<Record<string, unknown>>

/** An event as JSON → a usage event with everything but raw usage read. Throws `Rejection` with what was expected and what came. */
export const parseEvent = (value: unknown, context: ParseContext): UsageEvent => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Rejection(
      'not-an-object',
      `An event should be a JSON object, got ${value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value}.`,
    )
  }
  const json = value as Json
  const id = parseEventId(json.id)
  if (id === undefined) throw new Rejection('bad-id', `"id" should be a UUID (version 7 sorts best), got ${shown(json.id)}.`)
  const base = { id, at: parseTime(json.at, context.now), source: sourceOf(json, context), ...attributionOf(json, context.key) }
  if (json.kind === 'llm') return modelCall(json, base)
  if (json.kind === 'tool') return toolCall(json, base)
  if (json.kind === 'run') return runRecord(json, base)
  throw new Rejection('bad-kind', `"kind" should be "llm", "tool" or "run", got ${shown(json.kind)}.`)
}

type Base = Pick<UsageEvent, 'id' | 'at' | 'source'> & Attribution

const sourceOf = (json: Json, context: ParseContext): Source => {
  if (context.source === 'gateway' || json.source === undefined) return context.source
  return oneOf<Source>(json, 'source', ['sdk', 'otlp', 'import']) ?? context.source
}

const modelCall = (json: Json, base: Base): ModelCall => {
  const usage = json.usage === undefined || json.usage === null ? undefined : parseUsage(json.usage)
  const status = oneOf<CallStatus>(json, 'status', callStatuses) ?? 'ok'
  return {
    ...base,
    kind: 'llm',
    provider: required(json, 'provider').toLowerCase(),
    model: text(json, 'model') ?? text(json, 'requestedModel') ?? 'unknown',
    usage: usage ?? {},
    // An answer that failed before it used anything says nothing, and that is complete; a good answer without usage is missing it.
    quality:
      oneOf<UsageQuality>(json, 'quality', ['complete', 'partial', 'estimated', 'missing']) ??
      (usage === undefined && status === 'ok' ? 'missing' : 'complete'),
    status,
    attempt: whole(json, 'attempt', 1_000) ?? 0,
    ...optional('requestedModel', text(json, 'requestedModel')),
    ...optional('operation', text(json, 'operation')),
    ...optional('flags', parseFlags(json.flags)),
    ...optional('tier', text(json, 'tier')),
    ...optional('speed', text(json, 'speed')),
    ...optional('region', text(json, 'region')),
    ...optional('error', text(json, 'error')),
    ...optional('durationMs', duration(json, 'durationMs')),
    ...optional('firstByteMs', duration(json, 'firstByteMs')),
    ...optional('promptHash', parsePromptHash(json.promptHash)),
    ...optional('callKey', text(json, 'callKey', 400)),
    ...optional('reportedCost', money(json, 'reportedCostUsd')),
  }
}

const toolCall = (json: Json, base: Base): ToolCall => ({
  ...base,
  kind: 'tool',
  tool: required(json, 'tool'),
  status: oneOf<CallStatus>(json, 'status', callStatuses) ?? 'ok',
  attempt: whole(json, 'attempt', 1_000) ?? 0,
  ...optional('cost', money(json, 'costUsd')),
  ...optional('units', whole(json, 'units', countMax)),
  ...optional('error', text(json, 'error')),
  ...optional('durationMs', duration(json, 'durationMs')),
  ...optional('callKey', text(json, 'callKey', 400)),
})

const runRecord = (json: Json, base: Base): RunRecord => {
  const phase = oneOf<'start' | 'end'>(json, 'phase', ['start', 'end'])
  if (phase === undefined) throw new Rejection('bad-field', 'A run record needs "phase": "start" or "end".')
  return {
    ...base,
    kind: 'run',
    run: required(json, 'run'),
    phase,
    ...optional('parent', text(json, 'parent')),
    ...optional('status', oneOf<RunStatus>(json, 'status', runStatuses)),
    ...optional('stopReason', oneOf<StopReason>(json, 'stopReason', stopReasons)),
    ...optional('budget', money(json, 'budgetUsd')),
  }
}

const parseTime = (value: unknown, now: number): number => {
  const at =
    typeof value === 'number' ? value : typeof value === 'string' && /(?:Z|[+-]\d{2}:?\d{2})$/.test(value) ? Date.parse(value) : Number.NaN
  if (!Number.isInteger(at))
    throw new Rejection('bad-time', `"at" should be an ISO 8601 instant with its zone or whole UTC milliseconds, got ${shown(value)}.`)
  if (at < earliest || at > now + aheadMsMax) {
    throw new Rejection(
      'time-out-of-range',
      `"at" should lie between 2020-01-01 and one day from now, got ${shown(value)}. Are these milliseconds, and is the clock right?`,
    )
  }
  return at
}

/** Counts by unit as JSON → usage, units that were not used left out. */
export const parseUsage = (value: unknown): Usage => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Rejection('bad-usage', `"usage" should be an object of counts by unit, got ${shown(value)}.`)
  const usage: Partial<Record<Unit, number>> = {}
  for (const [unit, count] of Object.entries(value)) {
    if (!isUnit(unit))
      throw new Rejection('unknown-unit', `"${clipped(unit)}" is not a unit. The units are listed in docs/reference/units.md.`)
    if (typeof count !== 'number') throw new Rejection('bad-usage', `The count of "${unit}" should be a number, got ${shown(count)}.`)
    if (count < 0) throw new Rejection('negative-count', `The count of "${unit}" should not be negative, got ${count}.`)
    if (count > countMax) throw new Rejection('count-too-large', `The count of "${unit}" should be at most ${countMax}, got ${count}.`)
    if (!Number.isInteger(count)) throw new Rejection('fractional-count', `The count of "${unit}" should be a whole number, got ${count}.`)
    if (count > 0) usage[unit] = count
  }
  return usage
}

const flagNames: ReadonlySet<unknown> = new Set(usageFlags)

const parseFlags = (value: unknown): readonly UsageFlag[] | undefined => {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || value.length > usageFlags.length)
    throw new Rejection('bad-field', `"flags" should be a list of usage flags, got ${shown(value)}.`)
  // Flags of a newer client that we do not know yet carry no money: they are left out rather than losing the event.
  const flags = [...new Set(value)].filter((flag): flag is UsageFlag => flagNames.has(flag))
  return flags.length === 0 ? undefined : flags
}

const parsePromptHash = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined
  // Exactly a hash: nothing that could be a prompt passes.
  if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(value))
    throw new Rejection('bad-field', '"promptHash" should be 32 hexadecimal digits in lower case.')
  return value
}

const attributionOf = (json: Json, key: string | undefined): Attribution => {
  const attribution: Record<string, unknown> = {}
  for (const name of attributeNames) {
    if (name === 'key') continue
    const value = text(json, name)
    if (value !== undefined) attribution[name] = value
  }
  if (key !== undefined) attribution.key = key
  const tags = parseTags(json.tags)
  if (tags !== undefined) attribution.tags = tags
  return attribution
}

const parseTags = (value: unknown): Readonly<Record<string, string>> | undefined => {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Rejection('bad-field', `"tags" should be an object of texts, got ${shown(value)}.`)
  const pairs = Object.entries(value)
  if (pairs.length > tagsMax) throw new Rejection('bad-field', `A call can have at most ${tagsMax} tags, got ${pairs.length}.`)
  for (const [key, tag] of pairs) {
    if (!/^[\w.-]+$/.test(key) || key.length > tagKeyCharsMax)
      throw new Rejection('bad-field', `A tag's name should be letters, digits, "_", "-" or ".", got ${shown(key)}.`)
    if (typeof tag !== 'string' || tag.length > attributeCharsMax)
      throw new Rejection('bad-field', `The tag "${key}" should be a text of at most ${attributeCharsMax} characters.`)
  }
  return pairs.length === 0 ? undefined : (value as Readonly<Record<string, string>>)
}

const required = (json: Json, field: string): string => {
  const value = text(json, field)
  if (value === undefined) throw new Rejection('bad-field', `"${field}" is required for an event of kind "${String(json.kind)}".`)
  return value
}

const text = (json: Json, field: string, charsMax = attributeCharsMax): string | undefined => {
  const value = json[field]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw new Rejection('bad-field', `"${field}" should be a text, got ${shown(value)}.`)
  if (value.length > charsMax)
    throw new Rejection('bad-field', `"${field}" should have at most ${charsMax} characters, got ${value.length}.`)
  return value
}

const oneOf = <Name extends string>(json: Json, field: string, names: readonly Name[]): Name | undefined => {
  const value = json[field]
  if (value === undefined || value === null) return undefined
  if (!names.includes(value as Name))
    throw new Rejection('bad-field', `"${field}" should be one of ${names.join(', ')}, got ${shown(value)}.`)
  return value as Name
}

const whole = (json: Json, field: string, most: number): number | undefined => {
  const value = json[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most)
    throw new Rejection('bad-field', `"${field}" should be a whole number from 0 to ${most}, got ${shown(value)}.`)
  return value
}

const duration = (json: Json, field: string): number | undefined => {
  const value = json[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !(value >= 0 && value <= durationMsMax))
    throw new Rejection('bad-field', `"${field}" should be milliseconds from 0 to ${durationMsMax}, got ${shown(value)}.`)
  return Math.round(value)
}

const money = (json: Json, field: string): PicoUsd | undefined => {
  const value = json[field]
  if (value === undefined || value === null) return undefined
  const amount = typeof value === 'string' ? parseUsd(value) : undefined
  if (amount === undefined || amount < 0n || amount > moneyMax)
    throw new Rejection(
      'bad-money',
      `"${field}" should be dollars as a decimal text such as "0.0123", at most a million, got ${shown(value)}.`,
    )
  return amount
}

const optional = <Key extends string, Value>(key: Key, value: Value | undefined): { readonly [K in Key]?: Value } =>
  (value === undefined ? undefined : { [key]: value }) as { readonly [K in Key]?: Value }

const clipped = (value: string): string => (value.length > 40 ? `${value.slice(0, 40)}…` : value)

/** What came, short enough for an error and never more than its beginning: a misplaced prompt must not travel in a message. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return `"${clipped(value)}"`
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
