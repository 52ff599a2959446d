import { jsonFieldsOf } from '../providers/json-fields.ts'

/** Values up to this many characters are read; of longer ones only the place is known. */
export const outlineValueCharsMax = 4_096

/** The top of a JSON object whose large values were stepped over. */
export interface BodyOutline {
  /** Small values as they are; a large one as an empty value of its kind. */
  readonly fields: Readonly<Record<string, unknown>>
  /** The text of the large values. */
  readonly large: Readonly<Record<string, string>>
}

/** Reads the small fields of a large request. Undefined when the text is no JSON object. */
export const outlineOf = (text: string): BodyOutline | undefined => {
  const fields: Record<string, unknown> = {}
  const large: Record<string, string> = {}
  try {
    for (const { name, start, end } of jsonFieldsOf(text)) {
      const value = text.slice(start, end)
      if (value.length <= outlineValueCharsMax) fields[name] = JSON.parse(value)
      else {
        fields[name] = value.startsWith('[') ? [] : value.startsWith('{') ? {} : ''
        large[name] = value
      }
    }
  } catch {
    return undefined
  }
  return { fields, large }
}
