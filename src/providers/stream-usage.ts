import { jsonFieldsOf } from './json-fields.ts'

// A chat stream tells its usage only to those who ask for it. The gateway and the SDK ask where their caller did not, and take out of
// the answer again what comes of it, so that the caller sees the bytes that would have come without them.
// https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options

/** What is to be put in place of a part of a text. */
export interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

const wish = '"include_usage":true'

/**
 * How to ask for usage in a chat request for a stream that does not say whether it wants it; undefined where there is nothing to add.
 * Nothing else of the text is touched: numbers, order and spacing stay the caller's. `body` is the text, parsed; of fields that are
 * none of `stream` and `stream_options` nothing is needed but that they are missing.
 */
export const usageWishOf = (text: string, body: Readonly<Record<string, unknown>>): Splice | undefined => {
  if (body.stream !== true) return undefined
  const options = body.stream_options
  if (options === undefined) {
    const start = text.indexOf('{') + 1
    return { start, end: start, text: `"stream_options":{${wish}},` }
  }
  if (typeof options !== 'object' || (options !== null && 'include_usage' in options)) return undefined
  const range = rangeOf(text, 'stream_options')
  if (range === undefined) return undefined
  if (options === null) return { ...range, text: `{${wish}}` }
  const start = range.start + 1
  return { start, end: start, text: Object.keys(options).length === 0 ? wish : `${wish},` }
}

/** Of a field that is there twice the last one counts, as it does for JSON.parse. */
const rangeOf = (text: string, name: string): { readonly start: number; readonly end: number } | undefined => {
  let found: { readonly start: number; readonly end: number } | undefined
  try {
    for (const field of jsonFieldsOf(text)) if (field.name === name) found = { start: field.start, end: field.end }
  } catch {
    return undefined
  }
  return found
}

/** Takes something out of bytes on their way. What it holds back it gives at the end. Never throws. */
export interface ByteFilter {
  /** What may go on now, if anything; the chunk itself where nothing of it is held back or taken out. */
  push(chunk: Buffer): Buffer | undefined
  end(): Buffer | undefined
}

/** A chunk that only tells usage has some hundred bytes: a longer event is none, and is not held back until it is whole. */
export const heldEventBytesMax = 16_384

/**
 * Takes the usage that was asked for out of a stream of server-sent events again: the chunk with usage and no choices, because some
 * code reads `choices[0]` of every chunk. With `nulls` it also takes out the `"usage":null` that all others then carry: the SDK does,
 * whose caller shall see what would have come without it; the gateway, which promises its provider's bytes and passes many streams,
 * does not look into chunks that stay. All else goes on as it is; at most an event that is not whole yet is held back.
 */
export const createUsageFilter = ({ nulls = false }: { readonly nulls?: boolean } = {}): ByteFilter => {
  let held: Buffer | undefined
  let isInLongEvent = false

  const filtered = (bytes: Buffer, isLast: boolean): Buffer | undefined => {
    // A char for each byte, so that places in the text are places in the bytes.
    const text = bytes.toString('latin1')
    const cuts: number[] = []
    let start = 0
    const eventEnd = text.includes('\r') ? anyEventEnd : plainEventEnd
    for (let end = eventEnd(text, 0); end !== -1; end = eventEnd(text, start)) {
      if (!isInLongEvent) cutUsage(bytes, text, start, end, nulls, cuts)
      isInLongEvent = false
      start = end
    }
    isInLongEvent ||= bytes.length - start > heldEventBytesMax
    if (isLast && !isInLongEvent) cutUsage(bytes, text, start, bytes.length, nulls, cuts)
    // Of a long event only the line ends at its end are held, for they may be the first half of the empty line.
    const to = isLast ? bytes.length : isInLongEvent ? lineEndsAt(text, start) : start
    // A copy: the memory of the chunk goes to the caller.
    held = to === bytes.length ? undefined : Buffer.from(bytes.subarray(to))
    return withoutCuts(bytes, cuts, to)
  }

  return {
    push(chunk) {
      const bytes = held === undefined ? chunk : Buffer.concat([held, chunk])
      if (isInLongEvent || !endsInEmptyLine(bytes) || bytes.includes(nulls ? usageName : countName)) return filtered(bytes, false)
      held = undefined
      return bytes
    },
    end: () => (held === undefined ? undefined : filtered(held, true)),
  }
}

const usageName = Buffer.from('"usage"')
/** A usage that is not `null` has it, and nearly no other chunk. */
const countName = Buffer.from('"prompt_tokens"')
const endsInEmptyLine = (bytes: Buffer): boolean => bytes[bytes.length - 1] === 10 && bytes[bytes.length - 2] === 10

/** `cuts`: start, end, start, end …, from the front to the back. */
const withoutCuts = (bytes: Buffer, cuts: readonly number[], to: number): Buffer | undefined => {
  if (cuts.length === 0) return to === 0 ? undefined : bytes.subarray(0, to)
  const kept: Buffer[] = []
  let from = 0
  for (let index = 0; index < cuts.length; index += 2) {
    const start = cuts[index] as number
    if (start > from) kept.push(bytes.subarray(from, start))
    from = cuts[index + 1] as number
  }
  if (to > from) kept.push(bytes.subarray(from, to))
  return kept.length === 0 ? undefined : kept.length === 1 ? kept[0] : Buffer.concat(kept)
}

/** Where the next event ends, its empty line included, or -1. */
const plainEventEnd = (text: string, from: number): number => {
  const at = text.indexOf('\n\n', from)
  return at === -1 ? -1 : at + 2
}

/** The same where lines may end in CRLF or CR too; a CR at the very end may be half a CRLF. */
const anyEventEnd = (text: string, from: number): number => {
  emptyLine.lastIndex = from
  return emptyLine.test(text) ? emptyLine.lastIndex : -1
}

const emptyLine = /(?:\r\n|\n|\r(?!\n|$))(?:\r\n|\n|\r(?!\n|$))/g

const lineEndsAt = (text: string, from: number): number => {
  let index = text.length
  while (index > from && (text.charCodeAt(index - 1) === 10 || text.charCodeAt(index - 1) === 13)) index -= 1
  return index
}

const cutUsage = (bytes: Buffer, text: string, start: number, end: number, nulls: boolean, cuts: number[]): void => {
  if (end - start > heldEventBytesMax || (nulls && cutNull(text, start, end, cuts))) return
  if (isUsageChunk(bytes, text.slice(start, end), start)) cuts.push(start, end)
}

/** True when the event has such a field: then it tells no usage. */
const cutNull = (text: string, start: number, end: number, cuts: number[]): boolean => {
  for (let at = text.indexOf('"usage"', start); at !== -1 && at < end; at = text.indexOf('"usage"', at + 1)) {
    nullUsage.lastIndex = at
    if (!nullUsage.test(text)) continue
    const comma = commaBefore(text, at)
    if (comma !== -1) cuts.push(comma, nullUsage.lastIndex)
    return true
  }
  return false
}

/** Nothing quoted looks like this: its quotes would be escaped. */
const nullUsage = /"usage"\s*:\s*null(?=\s*[,}])/y

/** `usage` is never the first field. */
const commaBefore = (text: string, at: number): number => {
  let before = at - 1
  while (text.charCodeAt(before) <= 32) before -= 1
  return text[before] === ',' ? before : -1
}

const isUsageChunk = (bytes: Buffer, event: string, start: number): boolean => {
  if (!/"choices"\s*:\s*\[\s*\]/.test(event)) return false
  const data = bytes
    .toString('utf8', start, start + event.length)
    .split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5))
    .join('\n')
  try {
    const chunk: unknown = JSON.parse(data)
    if (typeof chunk !== 'object' || chunk === null || !('usage' in chunk) || !('choices' in chunk)) return false
    return typeof chunk.usage === 'object' && chunk.usage !== null && Array.isArray(chunk.choices) && chunk.choices.length === 0
  } catch {
    return false
  }
}
