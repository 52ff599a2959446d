import { attributeNames } from '../../core/attribution.ts'
import { amountOf, bases } from '../../core/charge.ts'
import { type Call, type CallEntry, callStatuses, type Entry, type RunRecord, sources } from '../../core/event.ts'
import { hashOf } from '../../core/text-hash.ts'
import { unitNames, units } from '../../core/units.ts'
import { packedBytes, packLetters, splitKey } from './call-keys.ts'
import { chargeExtraOf, fits, formatShape, type Shape, shapeOf } from './shapes.ts'

/**
 * Entries on their way to the writer's thread: numbers in one block of memory that is handed over, not copied, and each name
 * once. Copying the objects would cost both threads more than writing the rows does; this takes 2 µs of the caller's
 * thread and overlaps with the writer's work.
 */
export interface Parcel {
  readonly count: number
  readonly numbers: Float64Array
  /** Per entry 16 bytes of its id, perhaps 16 of its prompt's hash, and those of a packed call key. */
  readonly bytes: Uint8Array
  readonly texts: readonly string[]
  /** Names and shapes that no parcel before had; their numbers go on from the last. */
  readonly names: readonly string[]
  readonly shapes: readonly string[]
  /** True when the numbers of names begin anew. */
  readonly isFresh: boolean
}

/** The place of each number of an entry. Names are numbers of names, 0 for none; NaN stands for "not known". */
export const slot = {
  kind: 0,
  at: 1,
  source: 2,
  status: 3,
  attempt: 4,
  basis: 5,
  attributes: 6,
  provider: 16,
  model: 17,
  tool: 18,
  traits: 19,
  tags: 20,
  prompt: 21,
  completion: 22,
  cost: 23,
  shape: 24,
  duration: 25,
  firstByte: 26,
  call: 27,
  /** Bytes of a packed key, or NaN: then `keyText` is the text's place, or NaN too. */
  keyBytes: 28,
  hasHash: 29,
  extra: 30,
  isSplit: 31,
  form: 32,
  units: 33,
  costLow: 34,
  costHigh: 35,
  keyPrefix: 36,
  keyText: 37,
} as const
export const slotCount = 38
/** Per unit after the slots: unit, count, and the money of its price line in two parts. */
export const unitSlots = 4

/** An original, a joined entry or a correction. */
export type Form = 0 | 1 | 2

const entrySlotsMax = slotCount + unitNames.length * unitSlots
const packedLettersMax = 64
const entryBytesMax = 32 + packedBytes(packedLettersMax)
const namesMax = 25_000
const two32 = 2 ** 32
const sourceIndex = new Map(sources.map((source, index) => [source, index]))
const statusIndex = new Map(callStatuses.map((status, index) => [status, index]))
const basisIndex = new Map(bases.map((basis, index) => [basis, index]))
const unitEntries = unitNames.map((unit, index) => ({ unit, index, side: units[unit].side }))

export interface Encoder {
  encode(entries: readonly Entry[], form?: Form): Parcel
}

export const createEncoder = (callHash: (key: string) => number = hashOf): Encoder => {
  const known = createDictionary()
  // Kept from parcel to parcel and made larger when needed; what is sent is a copy of the part that was used.
  let numbers = new Float64Array(1024)
  let used = 0
  let bytes = new Uint8Array(1024)
  let bytesUsed = 0
  let texts: string[] = []
  let isFirst = true

  const text = (value: string): number => texts.push(value) - 1

  const put = (entry: Entry, given: Form | undefined): void => {
    const { event } = entry
    const form = given ?? ('corrects' in entry && entry.corrects !== undefined ? 2 : 0)
    const base = used
    if (numbers.length < base + entrySlotsMax) numbers = grown(numbers)
    numbers.fill(Number.NaN, base, base + slotCount)
    numbers[base + slot.at] = event.at
    numbers[base + slot.source] = sourceIndex.get(event.source) ?? 0
    numbers[base + slot.form] = form
    for (let index = 0; index < attributeNames.length; index++) {
      const value = event[attributeNames[index] as 'agent']
      numbers[base + slot.attributes + index] = value === undefined ? 0 : known.name(value)
    }
    numbers[base + slot.tags] = event.tags === undefined ? 0 : known.name(JSON.stringify(event.tags))
    putId(bytes, bytesUsed, event.id)
    bytesUsed += 16
    used += slotCount
    numbers[base + slot.hasHash] = 0
    numbers[base + slot.units] = 0
    numbers[base + slot.keyPrefix] = 0
    if (isCallEntry(entry)) putCall(base, entry, form)
    else putRecord(base, entry.event)
  }

  const putRecord = (base: number, { phase, parent, status, stopReason, budget }: RunRecord): void => {
    numbers[base + slot.kind] = 2
    for (const at of [slot.provider, slot.model, slot.tool, slot.traits]) numbers[base + at] = 0
    numbers[base + slot.extra] = text(JSON.stringify({ phase, parent, status, stopReason, budget: budget?.toString() }))
  }

  const putCall = (base: number, entry: CallEntry, form: Form): void => {
    const { event, charge } = entry
    const shape = known.shape(entry)
    numbers[base + slot.kind] = event.kind === 'llm' ? 0 : 1
    numbers[base + slot.status] = statusIndex.get(event.status) ?? 0
    numbers[base + slot.attempt] = event.attempt
    numbers[base + slot.basis] = basisIndex.get(charge.basis) ?? 0
    numbers[base + slot.provider] = event.kind === 'llm' ? known.name(event.provider) : 0
    numbers[base + slot.model] = event.kind === 'llm' ? known.name(event.model) : 0
    numbers[base + slot.tool] = event.kind === 'tool' ? known.name(event.tool) : 0
    numbers[base + slot.traits] = known.traits(event)
    numbers[base + slot.shape] = shape.number
    if (event.durationMs !== undefined) numbers[base + slot.duration] = event.durationMs
    const cost = charge.basis === 'unpriced' ? Number.NaN : Number(charge.total)
    const isLarge = !Number.isNaN(cost) && !Number.isSafeInteger(cost)
    if (!isLarge) numbers[base + slot.cost] = cost
    putMoney(numbers, base + slot.costLow, amountOf(charge))
    if (event.kind === 'llm') putHash(base, event.promptHash)
    if (event.callKey !== undefined) putKey(base, event.kind, event.callKey)
    if (event.kind === 'llm')
      putModelCall(base, entry, charge.basis === 'computed' && shape.shape.basis === 'computed' && !shape.shape.isExplicit)
    const extra = extraOf(entry, shape.shape, form, isLarge)
    if (extra !== undefined) numbers[base + slot.extra] = text(extra)
  }

  const putModelCall = (base: number, { event, charge }: CallEntry, isKnownSum: boolean): void => {
    if (event.kind !== 'llm') return
    let prompt = 0
    let completion = 0
    let unitCount = 0
    let lineCount = 0
    const lines = charge.basis === 'unpriced' ? [] : charge.lines
    for (const { unit, index, side } of unitEntries) {
      const count = event.usage[unit]
      if (count === undefined || count === 0) continue
      if (side === 'prompt') prompt += count
      else if (side === 'completion') completion += count
      numbers[used] = index
      numbers[used + 1] = count
      let cost = 0n
      for (const line of lines) {
        if (line.unit !== unit) continue
        cost += line.total
        lineCount += 1
      }
      putMoney(numbers, used + 2, cost)
      unitCount += 1
      used += unitSlots
    }
    numbers[base + slot.units] = unitCount
    numbers[base + slot.prompt] = prompt
    numbers[base + slot.completion] = completion
    numbers[base + slot.isSplit] = unitCount > 0 && lineCount === lines.length && (isKnownSum || isSumOfLines(charge)) ? 1 : 0
    if (event.firstByteMs !== undefined) numbers[base + slot.firstByte] = event.firstByteMs
  }

  const putHash = (base: number, hash: string | undefined): void => {
    if (hash === undefined || !isShortHash(hash)) return
    numbers[base + slot.hasHash] = 1
    putHex(bytes, bytesUsed, hash)
    bytesUsed += 16
  }

  const putKey = (base: number, kind: string, key: string): void => {
    numbers[base + slot.call] = callHash(`${kind} ${key}`)
    const { prefix, rest, isPlain } = splitKey(key)
    numbers[base + slot.keyPrefix] = prefix === '' ? 0 : known.name(prefix)
    if (!isPlain || rest.length > packedLettersMax) numbers[base + slot.keyText] = text(rest)
    else {
      numbers[base + slot.keyBytes] = packedBytes(rest.length)
      bytesUsed = packLetters(rest, bytes, bytesUsed)
    }
  }

  return {
    encode(entries, form) {
      const isFresh = isFirst || known.isFull()
      if (isFresh) known.clear()
      isFirst = false
      if (bytes.length < entries.length * entryBytesMax) bytes = new Uint8Array(entries.length * entryBytesMax)
      used = 0
      bytesUsed = 0
      texts = []
      for (const entry of entries) put(entry, form)
      const { names, shapes } = known.takeNew()
      return { count: entries.length, numbers: numbers.slice(0, used), bytes: bytes.slice(0, bytesUsed), texts, names, shapes, isFresh }
    },
  }
}

const grown = (numbers: Float64Array): Float64Array<ArrayBuffer> => {
  const larger = new Float64Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}

const isCallEntry = (entry: Entry): entry is CallEntry => entry.event.kind !== 'run'

/** Numbers for names and shapes, from 1 on, as long as both sides remember them. */
const createDictionary = () => {
  const names = new Map<string, number>()
  const traits = new Map<string, number>()
  const shapesOf = new Map<string, { readonly shape: Shape; readonly number: number }[]>()
  const shapes = new Map<string, { readonly shape: Shape; readonly number: number }>()
  let newNames: string[] = []
  let newShapes: string[] = []

  const name = (value: string): number => {
    let number = names.get(value)
    if (number === undefined) {
      number = names.size + 1
      names.set(value, number)
      newNames.push(value)
    }
    return number
  }

  return {
    name,
    isFull: () => names.size > namesMax || shapes.size > namesMax,
    clear: () => {
      for (const map of [names, traits, shapesOf, shapes]) map.clear()
    },
    takeNew: () => {
      const taken = { names: newNames, shapes: newShapes }
      newNames = []
      newShapes = []
      return taken
    },
    traits: (event: Call): number => {
      const key = traitsKeyOf(event)
      if (key === '') return 0
      let number = traits.get(key)
      if (number === undefined) traits.set(key, (number = name(formatTraits(event))))
      return number
    },
    shape: (entry: CallEntry): { readonly shape: Shape; readonly number: number } => {
      const of = entry.event.kind === 'llm' ? entry.event.model : ''
      let recent = shapesOf.get(of)
      if (recent === undefined) shapesOf.set(of, (recent = []))
      for (const candidate of recent) if (fits(candidate.shape, entry)) return candidate
      const shape = shapeOf(entry)
      const key = formatShape(shape)
      let found = shapes.get(key)
      if (found === undefined) {
        shapes.set(key, (found = { shape, number: shapes.size + 1 }))
        newShapes.push(key)
      }
      recent.unshift(found)
      if (recent.length > 32) recent.pop()
      return found
    },
  }
}

/** What is said of few calls or is the same for many: one name for all of it. */
export interface Traits {
  readonly operation?: string
  readonly requestedModel?: string
  readonly tier?: string
  readonly speed?: string
  readonly region?: string
  readonly quality?: string
  readonly error?: string
  readonly flags?: readonly string[]
}

const traitsOf = (event: Call): Traits => ({
  ...(event.error !== undefined && { error: event.error }),
  ...(event.kind === 'llm' && {
    ...(event.operation !== undefined && { operation: event.operation }),
    ...(event.requestedModel !== undefined && { requestedModel: event.requestedModel }),
    ...(event.tier !== undefined && { tier: event.tier }),
    ...(event.speed !== undefined && { speed: event.speed }),
    ...(event.region !== undefined && { region: event.region }),
    ...(event.quality !== 'complete' && { quality: event.quality }),
    ...(event.flags !== undefined && { flags: event.flags }),
  }),
})

const formatTraits = (event: Call): string => JSON.stringify(traitsOf(event))

const traitsKeyOf = (event: Call): string => {
  if (event.kind === 'tool') return event.error === undefined ? '' : `t${event.error}`
  const { operation, requestedModel, tier, speed, region, quality, error, flags } = event
  if (
    tier === undefined &&
    speed === undefined &&
    region === undefined &&
    error === undefined &&
    flags === undefined &&
    quality === 'complete'
  )
    return operation === undefined && requestedModel === undefined ? '' : `m${operation ?? ''}\n${requestedModel ?? ''}`
  return formatTraits(event)
}

const extraOf = (entry: CallEntry, shape: Shape, form: Form, isLarge: boolean): string | undefined => {
  const { event, charge } = entry
  const hash = event.kind === 'llm' ? event.promptHash : undefined
  const hasLongHash = hash !== undefined && !isShortHash(hash)
  const hasChargeExtra = shape.told === 'other' || (shape.basis !== 'unpriced' && shape.isExplicit)
  if (!isLarge && !hasLongHash && !hasChargeExtra && entry.corrects === undefined && entry.reason === undefined) return undefined
  return JSON.stringify({
    ...(isLarge && charge.basis !== 'unpriced' && { cost: String(charge.total) }),
    ...(hasLongHash && { promptHash: hash }),
    ...(hasChargeExtra && chargeExtraOf(shape, entry)),
    ...(entry.corrects !== undefined && { corrects: entry.corrects, form }),
    ...(entry.reason !== undefined && { reason: entry.reason }),
  })
}

/** An amount in two parts: low, and high × 2³². */
const putMoney = (numbers: Float64Array, at: number, amount: bigint): void => {
  const value = Number(amount)
  const isSafe = Number.isSafeInteger(value)
  const high = isSafe ? Math.floor(value / two32) : Number(amount >> 32n)
  numbers[at] = isSafe ? value - high * two32 : Number(BigInt.asUintN(32, amount))
  numbers[at + 1] = high
}

const isSumOfLines = (charge: CallEntry['charge']): boolean => {
  if (charge.basis === 'unpriced') return true
  let sum = 0n
  for (const line of charge.lines) sum += line.total
  return sum === charge.total
}

const isShortHash = (hash: string): boolean => {
  if (hash.length !== 32) return false
  for (let index = 0; index < 32; index++) {
    const code = hash.charCodeAt(index)
    if (code < 48 || (code > 57 && code < 97) || code > 102) return false
  }
  return true
}

const nibble = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  return code < 58 ? code - 48 : code - 87
}

const putHex = (bytes: Uint8Array, at: number, hex: string): void => {
  for (let index = 0; index < 16; index++) bytes[at + index] = (nibble(hex, index * 2) << 4) | nibble(hex, index * 2 + 1)
}

const putId = (bytes: Uint8Array, at: number, id: string): void => {
  let place = at
  for (let index = 0; index < 36; index += 2) {
    if (index === 8 || index === 13 || index === 18 || index === 23) index += 1
    bytes[place] = (nibble(id, index) << 4) | nibble(id, index + 1)
    place += 1
  }
}
