/** Takes something out of bytes on their way. What it holds back it gives at the end. Never throws. */
export interface ByteFilter {
  /** What may go on: one piece, or several, or none. */
  push(chunk: Buffer): Buffer | readonly Buffer[]
  end(): readonly Buffer[]
}

/** A chunk that only tells usage has some hundred bytes: a longer event is none, and is not held back until it is whole. */
export const heldEventBytesMax = 16_384

/**
 * Takes the chunk that we asked for out of a stream of server-sent events again: the one with usage and no choices. Some code
 * reads `choices[0]` of every chunk. All other bytes go on as they are; at most an event that is not whole yet is held back.
 *
 * Nearly every piece ends where an event ends and has no empty list in it: one search then is all that it costs.
 */
export const createUsageChunkFilter = (): ByteFilter => {
  let held: Buffer | undefined
  let isInLongEvent = false

  const split = (bytes: Buffer, text: string): readonly Buffer[] => {
    const kept: Buffer[] = []
    let keptTo = 0
    let start = 0
    for (const match of text.matchAll(emptyLine)) {
      const end = match.index + match[0].length
      if (!isInLongEvent && isUsageChunk(bytes, text, start, end)) {
        if (start > keptTo) kept.push(bytes.subarray(keptTo, start))
        keptTo = end
      }
      isInLongEvent = false
      start = end
    }
    isInLongEvent ||= bytes.length - start > heldEventBytesMax
    const holdFrom = isInLongEvent ? lineEndsAt(text, start) : start
    if (holdFrom > keptTo) kept.push(bytes.subarray(keptTo, holdFrom))
    held = holdFrom < bytes.length ? bytes.subarray(holdFrom) : undefined
    return kept
  }

  return {
    push(chunk) {
      const bytes = held === undefined ? chunk : Buffer.concat([held, chunk])
      if (!isInLongEvent && endsInEmptyLine(bytes) && bytes.indexOf(emptyList) === -1) {
        held = undefined
        return bytes
      }
      return split(bytes, bytes.toString('latin1'))
    },
    end() {
      const rest = held
      held = undefined
      if (rest === undefined) return []
      return !isInLongEvent && isUsageChunk(rest, rest.toString('latin1'), 0, rest.length) ? [] : [rest]
    },
  }
}

/** A CR at the very end may be the first half of a CRLF: it ends nothing until more is known. */
const emptyLine = /(?:\r\n|\n|\r(?!\n|$))(?:\r\n|\n|\r(?!\n|$))/g
const endsInEmptyLine = (bytes: Buffer): boolean => bytes[bytes.length - 1] === 10 && bytes[bytes.length - 2] === 10

/** One native search that nearly every piece fails. Every server writes an empty list without a space in it. */
const emptyList = Buffer.from('[]')

const emptyChoices = /"choices"\s*:\s*\[\]/

/** Where the line ends begin that a long event has at its end so far: they may be the first half of the empty line. */
const lineEndsAt = (text: string, from: number): number => {
  let index = text.length
  while (index > from && (text.charCodeAt(index - 1) === 10 || text.charCodeAt(index - 1) === 13)) index -= 1
  return index
}

const isUsageChunk = (bytes: Buffer, text: string, start: number, end: number): boolean => {
  if (end - start > heldEventBytesMax || !emptyChoices.test(text.slice(start, end))) return false
  const data = bytes
    .toString('utf8', start, end)
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
