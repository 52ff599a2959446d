import { createLines, type PieceLimits, type Pieces } from './lines.ts'

/**
 * Server-sent events in any pieces → the data of each event, lines joined by LF.
 *
 * Names, ids and comments are passed over: every provider says in its data what the event is. `[DONE]` is given on as soon as
 * its line is there, since some servers close without the empty line that should follow; for the same reason the data that is
 * pending when the stream ends is an event too.
 */
export const createServerSentEvents = (record: (data: string) => void, limits: PieceLimits): Pieces => {
  let data: string | undefined
  let isPassingOver = false

  const finish = (): void => {
    const whole = data
    data = undefined
    if (isPassingOver) isPassingOver = false
    else if (whole !== undefined && whole !== '') record(whole)
  }

  const tooLong = (): void => {
    isPassingOver = true
    limits.tooLong()
  }

  const takeLine = (line: string): void => {
    if (line === '') finish()
    if (!isData(line, 0)) return
    const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5)
    if (data === undefined) {
      if (value !== '[DONE]') data = value
      else record(value)
      return
    }
    if (data.length + value.length > limits.bytesMax) {
      if (!isPassingOver) tooLong()
      return
    }
    data += `\n${value}`
  }

  /** Most streams come event by event, and need none. */
  let lines: Pieces | undefined

  /** Takes the whole events at the front of a piece, the usual case, without cutting lines. Returns where it stopped. */
  const takeWhole = (text: string): number => {
    let at = 0
    while (at < text.length) {
      const from = text.charCodeAt(at) === 101 ? nextLine(text, at) : at
      if (from === -1 || !isData(text, from)) return at
      const end = text.indexOf('\n', from)
      const next = end === -1 ? -1 : afterEmptyLine(text, end)
      if (next === -1) return at
      const value = text.slice(text.charCodeAt(from + 5) === 32 ? from + 6 : from + 5, next - end === 3 ? end - 1 : end)
      if (value.indexOf('\r') !== -1) return at
      if (value.length > limits.bytesMax) limits.tooLong()
      else if (value !== '') record(value)
      at = next
    }
    return at
  }

  const events: Pieces = {
    isIdle: true,
    push(text) {
      const at = events.isIdle ? takeWhole(text) : 0
      if (at === text.length) return
      lines ??= createLines(takeLine, { bytesMax: limits.bytesMax, tooLong })
      lines.push(at === 0 ? text : text.slice(at))
      events.isIdle = data === undefined && !isPassingOver && lines.isIdle
    },
    end() {
      lines?.end()
      finish()
    },
  }
  return events
}

/** `startsWith('data:')` costs 80 ns on the line of a chunk, these five comparisons 10. */
const isData = (line: string, at: number): boolean =>
  line.charCodeAt(at) === 100 &&
  line.charCodeAt(at + 1) === 97 &&
  line.charCodeAt(at + 2) === 116 &&
  line.charCodeAt(at + 3) === 97 &&
  line.charCodeAt(at + 4) === 58

/** Where the line after the one at `from` begins, unless a lone CR divides that one; else -1. */
const nextLine = (text: string, from: number): number => {
  const end = text.indexOf('\n', from)
  const lone = end === -1 ? -1 : text.indexOf('\r', from)
  return end === -1 || (lone !== -1 && lone < end - 1) ? -1 : end + 1
}

/** The place behind the empty line that follows the line end at `end`, -1 where none follows. Both ends are LF, or both CRLF. */
const afterEmptyLine = (text: string, end: number): number => {
  if (text.charCodeAt(end - 1) !== 13) return text.charCodeAt(end + 1) === 10 ? end + 2 : -1
  return text.charCodeAt(end + 1) === 13 && text.charCodeAt(end + 2) === 10 ? end + 3 : -1
}
