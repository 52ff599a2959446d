/**
 * Call keys as they are kept. Providers make them of a few prefixes ("openai:chatcmpl-") and some thirty random letters and
 * digits: the prefix is a name, and a letter takes six bits. A key of another form is kept as text.
 */
export interface SplitKey {
  readonly prefix: string
  readonly rest: string
  readonly isPlain: boolean
}

const restMin = 8

/** At the last sign that is neither a letter nor a digit. */
export const splitKey = (key: string): SplitKey => {
  let start = key.length
  while (start > 0 && codes[key.charCodeAt(start - 1)] !== none) start -= 1
  const isPlain = key.length - start >= restMin
  return isPlain ? { prefix: key.slice(0, start), rest: key.slice(start), isPlain } : { prefix: '', rest: key, isPlain }
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const none = 255
/** Fills the last byte: no letter has this code. */
const end = 63
const codes = new Uint8Array(65_536).fill(none)
for (let index = 0; index < alphabet.length; index++) codes[alphabet.charCodeAt(index)] = index

export const packedBytes = (letters: number): number => Math.ceil((letters * 6) / 8)

/** Writes letters and digits as six bits each; gives the place after them. */
export const packLetters = (text: string, bytes: Uint8Array, at: number): number => {
  let bits = 0
  let held = 0
  let place = at
  for (let index = 0; index < text.length; index++) {
    held = (held << 6) | (codes[text.charCodeAt(index)] as number)
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[place++] = held >> bits
    held &= (1 << bits) - 1
  }
  if (bits > 0) bytes[place++] = (held << (8 - bits)) | (end >> (bits - 2))
  return place
}

export const unpackLetters = (bytes: Uint8Array): string => {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 6) {
      bits -= 6
      const code = (held >> bits) & 63
      if (code !== end) text += alphabet[code]
      held &= (1 << bits) - 1
    }
  }
  return text
}
