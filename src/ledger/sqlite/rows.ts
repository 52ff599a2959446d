import type { Charged } from '../../core/attribute-values.ts'
import { attributeNames } from '../../core/attribution.ts'
import { type CallEntry, callStatuses, type Entry, type RunRecord, sources } from '../../core/event.ts'
import { picoUsd } from '../../core/money.ts'
import { type Unit, unitNames, units } from '../../core/units.ts'
import type { Usage, UsageFlag, UsageQuality } from '../../core/usage.ts'
import { unpackLetters } from './call-keys.ts'
import type { Row } from './database.ts'
import type { Names } from './names.ts'
import { type ChargeExtra, chargeFrom, parseShape, type Shape, toldFrom } from './shapes.ts'
import type { Form, Traits } from './wire.ts'

/** The columns of a kept entry, in the order in which they are written and read. */
export const entryColumns = [
  'seq',
  'id',
  'at',
  'kind',
  'counted',
  'source',
  'status',
  'attempt',
  'basis',
  ...attributeNames,
  'provider',
  'model',
  'tool',
  'traits',
  'tags',
  'prompt_tokens',
  'completion_tokens',
  'usage',
  'cost',
  'card',
  'duration',
  'first_byte',
  'call',
  'call_prefix',
  'call_key',
  'prompt_hash',
  'extra',
] as const

const place = Object.fromEntries(entryColumns.map((name, index) => [name, index])) as Readonly<
  Record<(typeof entryColumns)[number], number>
>

/** `SELECT` of whole entries. */
export const selectEntries = `SELECT ${entryColumns.map((name) => `e.${name}`).join(', ')} FROM entries AS e`

export const insertEntry = `INSERT INTO entries (${entryColumns.join(', ')}) VALUES (${entryColumns.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`

export interface KeptEntry {
  readonly seq: number
  readonly isCounted: boolean
  readonly form: Form
  readonly entry: Entry
}

interface Extra extends ChargeExtra {
  readonly cost?: string
  readonly promptHash?: string
  readonly corrects?: string
  readonly form?: Form
  readonly reason?: string
}

/** The shapes of charges by their cards' numbers, as far as they were met. */
const createShapes = (cards: Names): ((card: number) => Shape) => {
  const shapes = new Map<number, Shape>()
  return (card) => {
    let shape = shapes.get(card)
    if (shape === undefined) {
      shape = parseShape(cards.textOf(card))
      if (shapes.size > 10_000) shapes.clear()
      shapes.set(card, shape)
    }
    return shape
  }
}

const totalOf = (row: Row, extra: Extra): bigint => (extra.cost !== undefined ? BigInt(extra.cost) : BigInt(Number(row[place.cost])))

const extraOf = (row: Row): Extra => (row[place.extra] === null ? {} : (JSON.parse(String(row[place.extra])) as Extra))

/** Reads of calls what they used and what they cost, which takes a quarter of the time that reading them whole does. */
export const createChargeReader = (cards: Names): ((row: Row) => Charged) => {
  const shapeOf = createShapes(cards)
  return (row) => {
    const extra = extraOf(row)
    const usage = row[place.kind] === 0 ? usageOf(row) : {}
    const charge = chargeFrom(shapeOf(Number(row[place.card])), usage, totalOf(row, extra), extra)
    return { event: row[place.kind] === 0 ? { kind: 'llm', usage } : { kind: 'tool' }, charge }
  }
}

/** Turns rows back into the entries that they were made of. */
export const createRowReader = (names: Names, cards: Names): ((row: Row) => KeptEntry) => {
  const shapeOf = createShapes(cards)
  const nameAt = (row: Row, column: keyof typeof place): string | undefined => {
    const id = row[place[column]]
    return id === null || id === undefined ? undefined : names.textOf(Number(id))
  }

  const keyOf = (row: Row): string => {
    const kept = row[place.call_key]
    return `${nameAt(row, 'call_prefix') ?? ''}${kept instanceof Uint8Array ? unpackLetters(kept) : String(kept)}`
  }

  const baseOf = (row: Row) => ({
    id: formatId(row[place.id] as Uint8Array),
    at: Number(row[place.at]),
    source: sources[Number(row[place.source])] ?? 'sdk',
    ...Object.fromEntries(attributeNames.map((name) => [name, nameAt(row, name)]).filter(([, value]) => value !== undefined)),
    ...(row[place.tags] !== null && { tags: JSON.parse(nameAt(row, 'tags') ?? '{}') as Record<string, string> }),
  })

  const callOf = (row: Row, extra: Extra): CallEntry => {
    const shape = shapeOf(Number(row[place.card]))
    const usage = row[place.kind] === 0 ? usageOf(row) : {}
    const total = totalOf(row, extra)
    const told = toldFrom(shape, total, extra)
    const traits = JSON.parse(nameAt(row, 'traits') ?? '{}') as Traits
    const provider = nameAt(row, 'provider')
    const call = {
      ...baseOf(row),
      status: callStatuses[Number(row[place.status])] ?? 'ok',
      attempt: Number(row[place.attempt]),
      ...(row[place.duration] !== null && { durationMs: Number(row[place.duration]) }),
      ...(row[place.call_key] !== null && { callKey: keyOf(row) }),
    }
    const charge = chargeFrom(shape, usage, total, extra)
    const rest = {
      ...(extra.corrects !== undefined && { corrects: extra.corrects }),
      ...(extra.reason !== undefined && { reason: extra.reason }),
    }
    if (row[place.kind] === 1) {
      const error = traits.error
      return {
        event: {
          ...call,
          kind: 'tool',
          tool: nameAt(row, 'tool') ?? '',
          ...(error !== undefined && { error }),
          ...(told !== undefined && { cost: told }),
        },
        charge,
        ...rest,
      }
    }
    const { quality = 'complete', flags, ...plain } = traits
    const hash =
      extra.promptHash ?? (row[place.prompt_hash] === null ? undefined : Buffer.from(row[place.prompt_hash] as Uint8Array).toString('hex'))
    return {
      event: {
        ...call,
        ...plain,
        kind: 'llm',
        provider: provider ?? '',
        model: nameAt(row, 'model') ?? '',
        usage,
        quality: quality as UsageQuality,
        ...(flags !== undefined && { flags: flags as readonly UsageFlag[] }),
        ...(row[place.first_byte] !== null && { firstByteMs: Number(row[place.first_byte]) }),
        ...(hash !== undefined && { promptHash: hash }),
        ...(told !== undefined && { reportedCost: told }),
      },
      charge,
      ...rest,
    }
  }

  const recordOf = (row: Row, extra: Partial<RunRecord> & { readonly budget?: unknown }): Entry => {
    const { phase = 'start', parent, status, stopReason, budget } = extra
    const event: RunRecord = {
      ...baseOf(row),
      kind: 'run',
      run: nameAt(row, 'run') ?? '',
      phase,
      ...(parent !== undefined && { parent }),
      ...(status !== undefined && { status }),
      ...(stopReason !== undefined && { stopReason }),
      ...(budget !== undefined && { budget: picoUsd(BigInt(String(budget))) }),
    }
    return { event }
  }

  return (row) => {
    const extra = extraOf(row)
    return {
      seq: Number(row[place.seq]),
      isCounted: row[place.counted] === 1,
      form: extra.form ?? 0,
      entry: row[place.kind] === 2 ? recordOf(row, extra as Partial<RunRecord>) : callOf(row, extra),
    }
  }
}

const promptPlain = unitNames.indexOf('input')
const completionPlain = unitNames.indexOf('output')

/**
 * The counts that `prompt_tokens` and `completion_tokens` do not say, as bytes: unit, count, unit, count; a count in groups of
 * seven bits, the lowest first. Input and output, which nearly every call has, are what is left of the two totals.
 */
export const packUsage = (numbers: Float64Array, from: number, unitCount: number, slots: number): Uint8Array | null => {
  scratchUsed = 0
  for (let unit = 0; unit < unitCount; unit++) {
    const index = numbers[from + unit * slots] ?? 0
    if (index === promptPlain || index === completionPlain) continue
    scratch[scratchUsed++] = index
    let count = numbers[from + unit * slots + 1] ?? 0
    while (count > 127) {
      scratch[scratchUsed++] = (count % 128) + 128
      count = Math.floor(count / 128)
    }
    scratch[scratchUsed++] = count
  }
  if (scratchUsed === 0) return null
  // SQLite copies what is bound, so that one array per length will do.
  const packed = (packedOf[scratchUsed] ??= new Uint8Array(scratchUsed))
  for (let index = 0; index < scratchUsed; index++) packed[index] = scratch[index] as number
  return packed
}

const scratch = new Uint8Array(unitNames.length * 10)
let scratchUsed = 0
const packedOf: Uint8Array[] = []

/** Calls `each` for every unit that a row used. */
export const eachCount = (
  packed: Uint8Array | null,
  prompt: number,
  completion: number,
  each: (unit: number, count: number) => void,
): void => {
  let input = prompt
  let output = completion
  for (let at = 0; packed !== null && at < packed.length; ) {
    const unit = packed[at++] ?? 0
    let count = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = packed[at++] ?? 0
      count += (byte & 127) * scale
      if (byte < 128) break
    }
    const { side } = units[unitNames[unit] as Unit]
    if (side === 'prompt') input -= count
    else if (side === 'completion') output -= count
    each(unit, count)
  }
  if (input > 0) each(promptPlain, input)
  if (output > 0) each(completionPlain, output)
}

const usageOf = (row: Row): Usage => {
  const usage: Partial<Record<Unit, number>> = {}
  eachCount(
    row[place.usage] as Uint8Array | null,
    Number(row[place.prompt_tokens]),
    Number(row[place.completion_tokens]),
    (unit, count) => {
      usage[unitNames[unit] as Unit] = count
    },
  )
  return usage
}

export const formatId = (bytes: Uint8Array): string => {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export const parseId = (id: string): Uint8Array => Uint8Array.from(Buffer.from(id.replaceAll('-', ''), 'hex'))
