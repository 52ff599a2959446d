/** A field of a JSON object, and where its value stands in the text. */
export interface JsonField {
  readonly name: string
  readonly start: number
  readonly end: number
}

/**
 * The fields of a JSON object, one after the other, their values stepped over and not parsed: pictures in base64 are most of a large
 * request, and JSON.parse of 15 MB holds the event loop up for as long as a short call takes. Throws a SyntaxError where the text is
 * no JSON object, perhaps after some fields; values are only looked at as far as it takes to find their end.
 */
export function* jsonFieldsOf(text: string): Generator<JsonField, void> {
  let at = afterSpace(text, 0)
  if (text[at] !== '{') throw new SyntaxError('The text is no object.')
  at = afterSpace(text, at + 1)
  while (text[at] === '"') {
    const nameEnd = stringEnd(text, at)
    const name = String(JSON.parse(text.slice(at, nameEnd)))
    at = afterSpace(text, nameEnd)
    if (text[at] !== ':') throw new SyntaxError('A name has no value.')
    const start = afterSpace(text, at + 1)
    const end = valueEnd(text, start)
    yield { name, start, end }
    at = afterSpace(text, end)
    if (text[at] !== ',') break
    at = afterSpace(text, at + 1)
    if (text[at] !== '"') throw new SyntaxError('A comma has nothing after it.')
  }
  if (text[at] !== '}' || afterSpace(text, at + 1) !== text.length) throw new SyntaxError('The object does not end where the text does.')
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
