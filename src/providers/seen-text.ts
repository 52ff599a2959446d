import { createTally, flag, put } from './counts.ts'
import type { ReadContext, UsageReport } from './dialect.ts'

/**
 * How much text went by in a stream, in UTF-8 bytes, for the case that it ends without telling its usage.
 *
 * A token is estimated as four bytes, rounded up per kind: for English that is four characters, the rule of thumb that OpenAI
 * and Anthropic give; other scripts need more tokens per character and have more bytes per character, which makes bytes the
 * better of two rough measures. What is estimated this way is always marked `estimated`.
 */
export interface SeenText {
  output: number
  reasoning: number
}

/**
 * Where in the last record the text stood that was counted in it. The events of a stream have the same beginning up to their text,
 * so that the next one can be tried there before anything else is done with it.
 */
export interface PlainText {
  /** Of the first byte of the text; -1 when the last record was not plainly a piece of text. */
  at: number
  count(bytes: number): void
  learn(at: number, kind: keyof SeenText): void
  forget(): void
}

export const createPlainText = (seen: SeenText): PlainText => {
  let kind: keyof SeenText = 'output'
  const plain: PlainText = {
    at: -1,
    count(bytes) {
      seen[kind] += bytes
    },
    learn(at, name) {
      plain.at = at
      kind = name
    },
    forget() {
      plain.at = -1
    },
  }
  return plain
}

const bytesPerToken = 4

export const tokensOf = (bytes: number): number => Math.ceil(bytes / bytesPerToken)

export const addText = (seen: SeenText, kind: keyof SeenText, text: unknown): void => {
  if (typeof text === 'string') seen[kind] += text.length
}

/** The report of a stream that told no usage: what was seen of it, with the caller's own estimate of the prompt if there is one; missing when nothing was seen. */
export const estimatedReport = (report: UsageReport, seen: SeenText, context: ReadContext): UsageReport => {
  if (seen.output + seen.reasoning === 0) return report
  const tally = createTally()
  put(tally, 'output', tokensOf(seen.output))
  put(tally, 'reasoning', tokensOf(seen.reasoning))
  if (context.inputEstimate !== undefined && context.inputEstimate > 0) put(tally, 'input', Math.ceil(context.inputEstimate))
  else flag(tally, 'unknown-input')
  return { ...report, usage: tally.units, quality: 'estimated', flags: tally.flags }
}

/** Where the value of a key begins that ends at `at` (after its closing quote); -1 when no colon follows. */
export const valueAt = (text: string, at: number): number => {
  let index = at
  while (text.charCodeAt(index) === 32) index += 1
  if (text.charCodeAt(index) !== 58) return -1
  index += 1
  while (text.charCodeAt(index) === 32) index += 1
  return index
}

/** Bytes of the string that is the value of a key (`content"`), as they are after unescaping; -1 when there is no such string. */
export const stringBytes = (text: string, key: string, from = 0): number => {
  const at = text.indexOf(key, from)
  if (at === -1) return -1
  const start = valueAt(text, at + key.length)
  return text.charCodeAt(start) === 34 && scanString(text, start + 1) !== -1 ? scanned.bytes : -1
}

/** What the last scan found; one object, since this is done for every chunk of every stream. */
export const scanned = { start: -1, end: -1, bytes: 0 }

/**
 * Looks for the end of the string whose first char is at `from`: its closing quote (-1 when there is none), and its bytes as they
 * are after unescaping. Most of what is escaped as \uXXXX has three bytes; a pair for one emoji counts six instead of four.
 */
export const scanString = (text: string, from: number): number => {
  let bytes = 0
  scanned.start = from
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 34) {
      scanned.bytes = bytes
      return (scanned.end = index)
    }
    bytes += 1
    if (code !== 92) continue
    index += 1
    if (text.charCodeAt(index) !== 117) continue
    index += 4
    bytes += 2
  }
  return (scanned.end = -1)
}

/** The whole number that is the value of a key, 0 where there is none. */
export const numberAfter = (text: string, key: string, from: number): number => {
  const at = text.indexOf(key, from)
  if (at === -1) return 0
  const start = valueAt(text, at + key.length)
  let value = 0
  for (let index = start; index >= 0 && index < start + 15; index++) {
    const digit = text.charCodeAt(index) - 48
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
  }
  return value
}
