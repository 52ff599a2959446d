import { TaximeterError } from '../core/errors.ts'
import type { ItemResult } from '../intake/event-json.ts'

/** The items of a body in order: those that could be read, and at which places those that could not. */
export interface Items {
  readonly values: readonly unknown[]
  /** By place in the body; the values fill the places between. */
  readonly malformed: ReadonlyMap<number, Extract<ItemResult, { outcome: 'rejected' }>>
}

export interface ItemLimits {
  readonly itemsMax: number
  readonly lineBytesMax: number
}

/** How a body is cut into items, by its content type. Undefined: not a type that can be read. */
export const bodyFormOf = (contentType: string | undefined): 'lines' | 'either' | undefined => {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (
    type === 'application/x-ndjson' ||
    type === 'application/ndjson' ||
    type === 'application/jsonl' ||
    type === 'application/x-jsonlines'
  )
    return 'lines'
  // What curl and plain sockets send when they are told nothing; the body itself then says what it is.
  if (type === '' || type === 'text/plain' || type === 'application/octet-stream' || type === 'application/x-www-form-urlencoded')
    return 'either'
  return type === 'application/json' || type.endsWith('+json') || type === 'text/json' ? 'either' : undefined
}

/**
 * A body → its items: a JSON array, one JSON object, or one JSON value a line (NDJSON).
 *
 * A malformed line is an item of its own that is rejected; it loses nothing else. A malformed array cannot be cut into items, so
 * that it is refused as a whole (BAD_REQUEST) and nothing of it is kept.
 */
export const parseItems = (body: string, form: 'lines' | 'either', limits: ItemLimits): Items => {
  const text = body.charCodeAt(0) === byteOrderMark ? body.slice(1) : body
  const start = text.search(/\S/)
  if (start === -1) return { values: [], malformed: new Map() }
  if (form === 'lines') return parseLines(text, limits)
  const value = text[start] === '[' ? parseWhole(text) : parseObject(text)
  if (value === undefined) return parseLines(text, limits)
  const values = Array.isArray(value) ? value : [value]
  if (values.length > limits.itemsMax) throw tooMany(values.length, limits.itemsMax)
  return { values, malformed: new Map() }
}

const byteOrderMark = 0xfeff

/** One object, however it is laid out; undefined when it is several lines of something else. Reading stops where the second line begins. */
const parseObject = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text.trim().includes('\n') ? undefined : parseWhole(text)
  }
}

const parseLines = (text: string, limits: ItemLimits): Items => {
  const values: unknown[] = []
  const malformed = new Map<number, Extract<ItemResult, { outcome: 'rejected' }>>()
  let place = 0
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('\n', start)
    if (end === -1) end = text.length
    const line = text.slice(start, end)
    start = end + 1
    if (line.trim() === '') continue
    if (place === limits.itemsMax) throw tooMany(undefined, limits.itemsMax)
    if (line.length > limits.lineBytesMax) {
      malformed.set(
        place,
        rejectedLine('event-too-large', `A line should have at most ${limits.lineBytesMax} characters, got ${line.length}.`),
      )
    } else {
      try {
        values.push(JSON.parse(line))
      } catch (error) {
        malformed.set(place, rejectedLine('malformed-json', `This line is not JSON${placeOf(error)}.`))
      }
    }
    place += 1
  }
  return { values, malformed }
}

const rejectedLine = (reason: 'malformed-json' | 'event-too-large', message: string) => ({ outcome: 'rejected', reason, message }) as const

export const parseWhole = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new TaximeterError('BAD_REQUEST', `The body is not JSON${placeOf(error)}. Nothing of it was kept.`)
  }
}

/** Where reading stopped. The parser's own sentence repeats what it read, which may be anything. */
const placeOf = (error: unknown): string => {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
  return position === undefined ? '' : ` (character ${position})`
}

const tooMany = (got: number | undefined, most: number) =>
  new TaximeterError(
    'BATCH_TOO_LARGE',
    `A request should hold at most ${most} items, got ${got === undefined ? 'more' : got}. Send them in several requests; nothing was kept.`,
  )
