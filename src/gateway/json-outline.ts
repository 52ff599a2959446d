/**
 * The top level of a JSON object whose bytes go by, in constant memory: its short fields, and how much text it holds.
 *
 * A body can be 50 MB of pictures; what a budget and a meter need of it is a name, a flag and a number at the top. Strings are
 * skipped with a native search, so that a long one costs next to nothing, and nothing is kept but values that are short.
 * Never throws: what is not a JSON object has no fields.
 */
export interface JsonOutline {
  push(chunk: Uint8Array): void
  /** Fields of the top level seen whole so far whose value is at most `valueBytesMax` long; longer ones are left out. */
  fields(): Readonly<Record<string, unknown>>
  /** The names of the fields that were left out. */
  readonly omitted: readonly string[]
  /** The closing brace was seen, and nothing but space after it. */
  readonly isWhole: boolean
  /** What has come so far can be a JSON object. */
  readonly isObject: boolean
  /** Bytes so far that are not inside encoded media, and those that are. */
  readonly textBytes: number
  readonly mediaBytes: number
  /** Where the value of a field that was seen whole stands. */
  rangeOf(name: string): { readonly start: number; readonly end: number } | undefined
}

export interface OutlineOptions {
  readonly valueBytesMax: number
}

const keyBytesMax = 128
const fieldsMax = 256
/** A string shorter than this is text, whatever it looks like. */
const mediaBytesMin = 2_048
const sampleBytes = 64

const quote = 0x22
const backslash = 0x5c

type Expecting = 'open' | 'key' | 'colon' | 'value' | 'inside' | 'closed' | 'nothing'

export const createJsonOutline = (options: OutlineOptions): JsonOutline => {
  const { valueBytesMax } = options
  const ranges = new Map<string, { start: number; end: number; bytes: Uint8Array | undefined }>()
  const omitted: string[] = []
  let expecting: Expecting = 'open'
  let depth = 0
  /** Bytes of the chunks before this one. */
  let base = 0
  let isInString = false
  let hasBackslash = false
  let stringBytes = 0
  let isJudged = false
  let looksEncoded = false
  let mediaBytes = 0
  let name = ''
  let valueStart = 0
  /** What is being kept (a key or a value): parts of earlier chunks, their length, and where it goes on in this chunk. */
  let parts: Uint8Array[] = []
  let keptBytes = 0
  let keepFrom = -1
  let isKeeping = false

  const startKeeping = (index: number): void => {
    parts = []
    keptBytes = 0
    keepFrom = index
    isKeeping = true
  }

  const keepUpTo = (chunk: Uint8Array, end: number, bytesMax: number): void => {
    if (!isKeeping) return
    const piece = chunk.subarray(keepFrom, end)
    keepFrom = 0
    keptBytes += piece.length
    if (keptBytes > bytesMax) {
      isKeeping = false
      parts = []
    } else if (piece.length > 0) parts.push(piece)
  }

  const kept = (): Uint8Array | undefined => {
    if (!isKeeping) return undefined
    isKeeping = false
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  }

  const endValue = (chunk: Uint8Array, index: number): void => {
    keepUpTo(chunk, index, valueBytesMax)
    const bytes = kept()
    if (bytes === undefined && omitted.length < fieldsMax) omitted.push(name)
    if (ranges.size < fieldsMax) ranges.set(name, { start: valueStart, end: base + index, bytes })
    name = ''
  }

  const endString = (chunk: Uint8Array, index: number): void => {
    isInString = false
    if (looksEncoded && stringBytes >= mediaBytesMin) mediaBytes += stringBytes
    if (depth !== 1 || expecting !== 'key') return
    keepUpTo(chunk, index + 1, keyBytesMax)
    const bytes = kept()
    name = bytes === undefined ? '' : textOf(bytes)
    expecting = 'colon'
  }

  /** Goes through a string up to its closing quote or the end of the chunk; gives the index after what was read. */
  const readString = (chunk: Uint8Array, from: number): number => {
    const found = closingQuote(chunk, from, hasBackslash)
    const end = found === -1 ? chunk.length : found
    if (end - from >= mediaBytesMin) {
      looksEncoded = (!isJudged || looksEncoded) && isEncoded(chunk, from)
      isJudged = true
    }
    stringBytes += end - from
    if (found === -1) {
      hasBackslash = endsInBackslash(chunk, from, hasBackslash)
      return chunk.length
    }
    hasBackslash = false
    endString(chunk, found)
    return found + 1
  }

  const startString = (index: number): void => {
    isInString = true
    hasBackslash = false
    stringBytes = 0
    isJudged = false
    looksEncoded = false
    if (depth === 1 && expecting === 'key') startKeeping(index)
    else if (depth === 1 && expecting === 'value') startValue(index)
  }

  const startValue = (index: number): void => {
    valueStart = base + index
    expecting = 'inside'
    startKeeping(index)
  }

  const readMark = (chunk: Uint8Array, code: number, index: number): void => {
    switch (code) {
      case 0x7b: // {
      case 0x5b: // [
        if (expecting === 'open') expecting = code === 0x7b ? 'key' : 'nothing'
        else if (expecting === 'value') startValue(index)
        else if (expecting === 'closed') expecting = 'nothing'
        depth += 1
        return
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1
        if (depth > 0) return
        if (depth < 0) expecting = 'nothing'
        if (expecting === 'inside') endValue(chunk, index)
        expecting = expecting === 'nothing' ? 'nothing' : 'closed'
        return
      case 0x2c: // ,
        if (depth === 1 && expecting === 'inside') {
          endValue(chunk, index)
          expecting = 'key'
        }
        return
      case 0x3a: // :
        if (depth === 1 && expecting === 'colon') expecting = 'value'
        return
      default:
        if (expecting === 'value') startValue(index)
        else if (expecting === 'open' || expecting === 'closed') expecting = 'nothing'
    }
  }

  const mediaSoFar = (): number => mediaBytes + (isInString && looksEncoded && stringBytes >= mediaBytesMin ? stringBytes : 0)

  return {
    push(chunk) {
      let index = 0
      while (index < chunk.length && expecting !== 'nothing') {
        if (isInString) {
          index = readString(chunk, index)
          continue
        }
        const code = chunk[index] ?? 0
        if (code === quote) {
          if (depth === 0) expecting = 'nothing'
          else startString(index)
        } else if (code > 0x20 && !(expecting === 'inside' && isPlain[code] === 1)) readMark(chunk, code, index)
        index += 1
      }
      if (isKeeping) keepUpTo(chunk, chunk.length, expecting === 'key' ? keyBytesMax : valueBytesMax)
      base += chunk.length
    },
    fields() {
      const fields: Record<string, unknown> = {}
      for (const [field, { bytes }] of ranges) {
        const value = bytes === undefined ? undefined : parsedOf(bytes)
        if (value !== undefined) Object.defineProperty(fields, field, { value, enumerable: true, configurable: true, writable: true })
      }
      return fields
    },
    rangeOf: (field) => ranges.get(field),
    get omitted() {
      return omitted
    },
    get isWhole() {
      return expecting === 'closed'
    },
    get isObject() {
      return expecting !== 'nothing' && expecting !== 'open'
    },
    get textBytes() {
      return base - mediaSoFar()
    },
    get mediaBytes() {
      return mediaSoFar()
    },
  }
}

/** 1 for bytes that change nothing inside a value: all but quotes, braces, brackets and commas. */
const isPlain = new Uint8Array(256).fill(1)
for (const mark of '"{}[],') isPlain[mark.charCodeAt(0)] = 0

/** Most strings are short: a native search has a cost of its own that is only worth it for long ones. */
const nearBytes = 48

/** The index of the quote that ends the string, -1 when it is not in this chunk. `hasBackslash`: the byte before `from` escapes. */
const closingQuote = (chunk: Uint8Array, from: number, hasBackslash: boolean): number => {
  let index = hasBackslash ? from + 1 : from
  const near = Math.min(chunk.length, from + nearBytes)
  while (index < near) {
    const code = chunk[index]
    if (code === quote) return index
    index += code === backslash ? 2 : 1
  }
  for (let found = chunk.indexOf(quote, index); found !== -1; found = chunk.indexOf(quote, found + 1)) {
    let before = found - 1
    while (before >= index && chunk[before] === backslash) before -= 1
    if ((found - before) % 2 === 1) return found
  }
  return -1
}

const endsInBackslash = (chunk: Uint8Array, from: number, hasBackslash: boolean): boolean => {
  let index = chunk.length - 1
  while (index >= from && chunk[index] === backslash) index -= 1
  const run = chunk.length - 1 - index
  return (run + (index < from && hasBackslash ? 1 : 0)) % 2 === 1
}

/** Base64 or a data URL, judged by a sample of this piece: no spaces, no escapes, nothing outside the alphabet. */
const isEncoded = (chunk: Uint8Array, from: number): boolean => {
  for (let index = from; index < from + sampleBytes; index++) {
    const code = chunk[index] ?? 0
    const isLetter = (code >= 0x30 && code <= 0x3a) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
    // + / = _ - : ; , .  as in "data:image/png;base64,…"
    if (!isLetter && !'+/=_-:;,.'.includes(String.fromCharCode(code))) return false
  }
  return true
}

const textOf = (bytes: Uint8Array): string => {
  const value = parsedOf(bytes)
  return typeof value === 'string' ? value : ''
}

const parsedOf = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}
