/** Values up to this many characters are read; of longer ones only the place is known. */
export const outlineValueCharsMax = 4_096

/** The top of a JSON object whose large values were stepped over. */
export interface BodyOutline {
  /** Small values as they are; a large one as an empty value of its kind. */
  readonly fields: Readonly<Record<string, unknown>>
  /** The text of the large values. */
  readonly large: Readonly<Record<string, string>>
}

/**
 * Reads the fields of a large request without parsing what they hold: pictures in base64 are most of such a body, and JSON.parse
 * of 15 MB holds the event loop up for as long as a short call takes. Strings are stepped over by searching for their end.
 * Undefined when the text is no JSON object.
 */
export const outlineOf = (text: string): BodyOutline | undefined => {
  const fields: Record<string, unknown> = {}
  const large: Record<string, string> = {}
  let at = afterSpace(text, 0)
  if (text[at] !== '{') return undefined
  at = afterSpace(text, at + 1)
  try {
    while (text[at] === '"') {
      const keyEnd = stringEnd(text, at)
      const key: unknown = JSON.parse(text.slice(at, keyEnd))
      at = afterSpace(text, keyEnd)
      if (text[at] !== ':') return undefined
      const start = afterSpace(text, at + 1)
      const end = valueEnd(text, start)
      const value = text.slice(start, end)
      if (value.length <= outlineValueCharsMax) fields[String(key)] = JSON.parse(value)
      else {
        fields[String(key)] = value.startsWith('[') ? [] : value.startsWith('{') ? {} : ''
        large[String(key)] = value
      }
      at = afterSpace(text, end)
      if (text[at] !== ',') break
      at = afterSpace(text, at + 1)
      if (text[at] !== '"') return undefined
    }
  } catch {
    return undefined
  }
  return text[at] === '}' && afterSpace(text, at + 1) === text.length ? { fields, large } : undefined
}

const quote = 34
const backslash = 92

const afterSpace = (text: string, from: number): number => {
  let at = from
  while (at < text.length && text.charCodeAt(at) <= 32) at += 1
  return at
}

/** Just past the closing quote of the string that begins at `start`. Throws when there is none. */
export const stringEnd = (text: string, start: number): number => {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
  throw new SyntaxError('A string does not end.')
}

const valueEnd = (text: string, start: number): number => {
  const first = text.charCodeAt(start)
  if (first === quote) return stringEnd(text, start)
  let depth = 0
  for (let at = start; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = stringEnd(text, at)
      continue
    }
    // Brackets differ from braces by 32 in the alphabet; which of the two it is does not matter to where the value ends.
    if (code === 91 || code === 123) depth += 1
    else if (code === 93 || code === 125) {
      if (depth === 0) return at
      depth -= 1
      if (depth === 0) return at + 1
    } else if (code === 44 && depth === 0) return at
    at += 1
  }
  throw new SyntaxError('A value does not end.')
}
