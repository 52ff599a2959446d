/** A name that a provider gives to a model, an answer or a tier: short, on one line, or not taken. */
export const nameOf = (value: unknown, charsMax = nameCharsMax): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= charsMax && isOneLine(value) ? value : undefined

export const nameCharsMax = 256

const isOneLine = (text: string): boolean => {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) < 32) return false
  return true
}

/** What providers call the tier that everybody gets; it has no name in our variants, so that equal calls have equal ones. */
const standardTiers: ReadonlySet<string> = new Set(['default', 'standard', 'standard_only', 'auto', 'on_demand', 'unspecified', 'none'])

export const tierOf = (value: unknown): string | undefined => {
  const name = nameOf(value, codeCharsMax)?.toLowerCase()
  return name === undefined || standardTiers.has(name) ? undefined : name
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
