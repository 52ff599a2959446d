/** A name that a provider gives to a model, an answer or a tier: short, on one line, or not taken. */
export const nameOf = (value: unknown, charsMax = nameCharsMax): string | undefined => {
  if (typeof value !== 'string' || value === '' || value.length > charsMax) return undefined
  let highest = 0
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code < 32) return undefined
    if (code > highest) highest = code
  }
  return highest > 127 && highest < 256 ? decoded(value) : value
}

/**
 * Names from a stream are UTF-8 with one char per byte (see stream-reader.ts), those of a body are not. Bytes that make sense as
 * UTF-8 are UTF-8: a name that is written in Latin letters never does.
 */
const decoded = (name: string): string => {
  const text = Buffer.from(name, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? name : text
}

export const nameCharsMax = 256

/** What providers call the tier that everybody gets; it has no name in our variants, so that equal calls have equal ones. */
const standardTiers: ReadonlySet<string> = new Set([
  'default',
  'standard',
  'standard_only',
  'auto',
  'on_demand',
  'payg',
  'unspecified',
  'none',
])

export const tierOf = (value: unknown): string | undefined => {
  const name = nameOf(value, codeCharsMax)?.toLowerCase()
  return name === undefined || standardTiers.has(name) ? undefined : name
}

/** The tier that a request asks for, where it has another price than the usual one. */
export const askedTier = (value: unknown): { readonly tier?: string } => {
  const tier = tierOf(value)
  return tier === undefined ? {} : { tier }
}

const codeCharsMax = 64

/**
 * A provider's error as a short code ("overloaded_error", "429"). A code can only be made of letters, digits and `_.:/-`:
 * whatever else stands there may be a sentence, and sentences can quote a prompt.
 */
export const errorCodeOf = (...values: readonly unknown[]): string => {
  for (const value of values) {
    if (typeof value === 'number' && Number.isInteger(value)) return String(value)
    if (typeof value === 'string' && /^[\w.:/-]{1,64}$/.test(value)) return value
  }
  return 'error'
}

/** A part of a path, percent-decoded where that can be done. */
export const decodeName = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Vertex and Bedrock name the model in the path: /models/{name}:rawPredict, /model/{name}/invoke. */
export const modelInPath = (path: string): string | undefined => {
  const name = /\/models?\/([^/:]+(?::\d+)?)(?=[/:])/.exec(path)?.[1]
  return name === undefined ? undefined : nameOf(decodeName(name))
}
