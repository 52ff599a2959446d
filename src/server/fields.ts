import { TaximeterError } from '../core/errors.ts'

/** What a field of a small JSON body should be; undefined when it is. */
export type FieldCheck = (value: unknown) => string | undefined

export const text =
  (charsMax: number): FieldCheck =>
  (value) =>
    typeof value === 'string' && value !== '' && value.length <= charsMax ? undefined : `should be a text of 1 to ${charsMax} characters`

export const whole =
  (max: number): FieldCheck =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
      ? undefined
      : `should be a whole number from 0 to ${max}`

export const list =
  (itemsMax: number, item: FieldCheck): FieldCheck =>
  (value) => {
    if (!Array.isArray(value) || value.length > itemsMax) return `should be a list of at most ${itemsMax}`
    const wrong = value.map(item).find((complaint) => complaint !== undefined)
    return wrong === undefined ? undefined : `should be a list, each of which ${wrong}`
  }

export const table =
  (entriesMax: number, value: FieldCheck): FieldCheck =>
  (given) => {
    if (!isRecord(given) || Object.keys(given).length > entriesMax) return `should be an object of at most ${entriesMax} fields`
    const wrong = Object.values(given)
      .map(value)
      .find((complaint) => complaint !== undefined)
    return wrong === undefined ? undefined : `should be an object, each of whose fields ${wrong}`
  }

export const oneOf =
  (names: readonly string[]): FieldCheck =>
  (value) =>
    names.includes(value as string) ? undefined : `should be one of ${names.join(', ')}`

export const object =
  (checks: Readonly<Record<string, FieldCheck>>, required: readonly string[] = []): FieldCheck =>
  (value) => {
    if (!isRecord(value)) return 'should be an object'
    const missing = required.find((name) => value[name] === undefined)
    if (missing !== undefined) return `needs "${missing}", which ${checks[missing]?.(undefined) ?? 'is missing'}`
    for (const [name, given] of Object.entries(value)) {
      if (!Object.hasOwn(checks, name)) return `has no "${name.slice(0, 40)}". Use ${Object.keys(checks).join(', ')}`
      const wrong = given === undefined ? undefined : checks[name]?.(given)
      if (wrong !== undefined) return `has "${name}", which ${wrong}`
    }
    return undefined
  }

/** Throws BAD_REQUEST with what the body should be. Nothing that it holds is repeated but the names of its fields. */
export const checkBody = (value: unknown, check: FieldCheck): void => {
  const wrong = check(value)
  if (wrong !== undefined) throw new TaximeterError('BAD_REQUEST', `The body ${wrong}.`)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
