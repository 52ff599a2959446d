import type { BodyEdit } from './metered-body.ts'

/**
 * A chat request for a stream that does not say how it wants usage → the same request asking for it; undefined where there is
 * nothing to add. The text is not printed anew: numbers and key order stay the caller's.
 *
 * https://platform.openai.com/docs/api-reference/chat/create#chat_create-stream_options
 */
export const withStreamUsage = (text: string, body: Readonly<Record<string, unknown>>): string | undefined => {
  if (body.stream !== true) return undefined
  const options = body.stream_options
  if (options === undefined || options === null) {
    // A `null` of the caller's comes later in the text and would win.
    if (Object.hasOwn(body, 'stream_options'))
      return replaceOnce(text, /"stream_options"\s*:\s*null/g, '"stream_options":{"include_usage":true}')
    return text.replace('{', '{"stream_options":{"include_usage":true},')
  }
  if (typeof options !== 'object' || 'include_usage' in options) return undefined
  const rest = Object.keys(options).length === 0 ? '' : ','
  return replaceOnce(text, /"stream_options"\s*:\s*\{/g, `"stream_options":{"include_usage":true${rest}`)
}

/** Undefined when the pattern is there twice: the other one may be inside a tool's schema, and nothing says which is which. */
const replaceOnce = (text: string, pattern: RegExp, replacement: string): string | undefined =>
  text.match(pattern)?.length === 1 ? text.replace(pattern, () => replacement) : undefined

/** A chunk that only tells the usage has some hundred bytes; an event that is longer than this is not one and is not held back. */
export const heldBytesMax = 65_536

const lf = 10
const cr = 13

/**
 * Takes what we asked for out of a stream of server-sent events again, so that the caller sees the bytes that would have come
 * without us: the chunk with usage and no choices (some code reads `choices[0]` of every chunk), and the `"usage":null` that
 * all other chunks then carry. At most the event that is still incomplete is held back.
 */
export const createUsageChunkFilter = (): BodyEdit => {
  let held: Uint8Array = new Uint8Array(0)
  let isInLongEvent = false

  return {
    push(chunk) {
      const bytes = held.byteLength === 0 ? chunk : joined([held, chunk])
      const kept = createCutter(bytes)
      let start = 0
      let end = eventEnd(bytes, Math.max(0, held.byteLength - 3))
      while (end !== -1) {
        if (!isInLongEvent) cutUsage(bytes, start, end, kept.cut)
        isInLongEvent = false
        start = end
        end = eventEnd(bytes, start)
      }
      isInLongEvent ||= bytes.byteLength - start > heldBytesMax
      // Of a long event only the line ends at its end are held, for they may be the first half of the empty line.
      const holdFrom = isInLongEvent ? lineEndsAt(bytes) : start
      // A copy: the memory of the chunk goes to the caller.
      held = new Uint8Array(bytes.subarray(holdFrom))
      return kept.upTo(holdFrom)
    },
    end() {
      const kept = createCutter(held)
      if (!isInLongEvent) cutUsage(held, 0, held.byteLength, kept.cut)
      return kept.upTo(held.byteLength)
    },
  }
}

/** What is left of some bytes when parts of them are cut out, from the front to the back. */
const createCutter = (bytes: Uint8Array) => {
  const parts: Uint8Array[] = []
  let from = 0
  return {
    cut(start: number, end: number): void {
      if (start > from) parts.push(bytes.subarray(from, start))
      from = end
    },
    upTo(end: number): readonly Uint8Array[] {
      if (end > from) parts.push(bytes.subarray(from, end))
      return parts.length > 1 ? [joined(parts)] : parts
    },
  }
}

/** A comma before it, since `usage` is never the first field, and nothing quoted looks like this: its quotes would be escaped. */
const nullUsage = /,\s*"usage"\s*:\s*null(?=\s*[,}])/

const cutUsage = (bytes: Uint8Array, start: number, end: number, cut: (start: number, end: number) => void): void => {
  if (end - start > heldBytesMax) return
  // A char for each byte, so that places in the text are places in the bytes.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
  const found = nullUsage.exec(text)
  if (found !== null) cut(start + found.index, start + found.index + found[0].length)
  else if (isUsageChunk(text)) cut(start, end)
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}

/** Where the first event ends, its empty line included, or -1. Lines end in LF, CRLF or CR; a CR at the very end may be half a CRLF. */
const eventEnd = (bytes: Uint8Array, from: number): number => {
  for (let index = from; index < bytes.byteLength; index++) {
    const code = bytes[index]
    if (code !== lf && code !== cr) continue
    const next = afterLineEnd(bytes, index)
    if (next === -1) return -1
    if (bytes[next] === lf || bytes[next] === cr) return afterLineEnd(bytes, next)
    index = next - 1
  }
  return -1
}

const afterLineEnd = (bytes: Uint8Array, index: number): number => {
  if (bytes[index] === lf) return index + 1
  if (index + 1 === bytes.byteLength) return -1
  return bytes[index + 1] === lf ? index + 2 : index + 1
}

const lineEndsAt = (bytes: Uint8Array): number => {
  let index = bytes.byteLength
  while (index > 0 && (bytes[index - 1] === lf || bytes[index - 1] === cr)) index -= 1
  return index
}

const isUsageChunk = (text: string): boolean => {
  if (!/"choices"\s*:\s*\[\s*\]/.test(text)) return false
  const data = text
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
