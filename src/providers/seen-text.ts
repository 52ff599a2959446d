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

const bytesPerToken = 4

export const tokensOf = (bytes: number): number => Math.ceil(bytes / bytesPerToken)

export const addText = (seen: SeenText, kind: keyof SeenText, text: unknown): void => {
  if (typeof text === 'string') seen[kind] += Buffer.byteLength(text)
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

/** True when a key (written with its closing quote: `usage"`) has an object as its value, anywhere from `from` on. */
export const hasObject = (text: string, key: string, from: number): boolean => {
  for (let at = text.indexOf(key, from); at !== -1; at = text.indexOf(key, at + key.length)) {
    if (text.charCodeAt(valueAt(text, at + key.length)) === 123) return true
  }
  return false
}

/** Bytes of the string that is the value of a key (`content"`), as they are after unescaping; -1 when there is no such string. */
export const stringBytes = (text: string, key: string, from = 0): number => {
  const at = text.indexOf(key, from)
  if (at === -1) return -1
  const start = valueAt(text, at + key.length)
  const end = text.charCodeAt(start) === 34 ? quoteAfter(text, start + 1) : -1
  return end === -1 ? -1 : bytesBetween(text, start + 1, end)
}

/** Where the string ends whose first char is at `from`; -1 when it does not. */
export const quoteAfter = (text: string, from: number): number => {
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 34) return index
    if (code === 92) index += 1
  }
  return -1
}

/** Most of what is escaped as \uXXXX has three bytes; a pair for one emoji counts six instead of four. */
export const bytesBetween = (text: string, from: number, to: number): number => {
  const backslash = text.indexOf('\\', from)
  if (backslash === -1 || backslash >= to) return to - from
  let bytes = 0
  for (let index = from; index < to; index++) {
    bytes += 1
    if (text.charCodeAt(index) !== 92) continue
    if (text.charCodeAt(index + 1) === 117) {
      index += 5
      bytes += 2
    } else index += 1
  }
  return bytes
}
