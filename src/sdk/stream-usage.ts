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
 * Takes the chunk that we asked for out of a stream of server-sent events again: the one with usage and no choices. Some code
 * reads `choices[0]` of every chunk. All other bytes stay as they are; at most the event that is still incomplete is held back.
 */
export const createUsageChunkFilter = (): BodyEdit => {
  let held: Uint8Array = new Uint8Array(0)
  let isInLongEvent = false

  return {
    push(chunk) {
      const bytes = held.byteLength === 0 ? chunk : joined(held, chunk)
      const kept: Uint8Array[] = []
      let keptTo = 0
      let start = 0
      let end = eventEnd(bytes, Math.max(0, held.byteLength - 3))
      while (end !== -1) {
        if (!isInLongEvent && isUsageChunk(bytes.subarray(start, end))) {
          kept.push(bytes.subarray(keptTo, start))
          keptTo = end
        }
        isInLongEvent = false
        start = end
        end = eventEnd(bytes, start)
      }
      isInLongEvent ||= bytes.byteLength - start > heldBytesMax
      // Of a long event only the line ends at its end are held, for they may be the first half of the empty line.
      const holdFrom = isInLongEvent ? lineEndsAt(bytes) : start
      kept.push(bytes.subarray(keptTo, holdFrom))
      // A copy: the memory of the chunk goes to the caller.
      held = new Uint8Array(bytes.subarray(holdFrom))
      return kept
    },
    end() {
      const rest = held
      held = new Uint8Array(0)
      return !isInLongEvent && isUsageChunk(rest) ? [] : [rest]
    },
  }
}

const joined = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(left.byteLength + right.byteLength)
  bytes.set(left)
  bytes.set(right, left.byteLength)
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

const isUsageChunk = (event: Uint8Array): boolean => {
  if (event.byteLength > heldBytesMax) return false
  const text = Buffer.from(event.buffer, event.byteOffset, event.byteLength).toString()
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
