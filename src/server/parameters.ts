import { TaximeterError } from '../core/errors.ts'

/** One parameter of a URL: how it is read, and how /openapi.json tells of it. Written here so that a server at rest loads no schema library. */
export interface Parameter<Value> {
  /** The values that were given, in order: none, one, or several where it `repeats`. A text is what is wrong with them. */
  read(values: readonly string[]): { readonly value: Value } | string
  readonly repeats?: true
  readonly schema: Readonly<Record<string, unknown>>
  readonly description?: string
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>
export type Values<Described extends Parameters> = {
  readonly [Name in keyof Described]: Described[Name] extends Parameter<infer Value> ? Value : never
}

export const textParameter = (charsMax: number, description?: string, example?: string): Parameter<string | undefined> => ({
  read: ([value]) =>
    value !== undefined && value.length > charsMax
      ? `should have at most ${charsMax} characters`
      : { value: value === '' ? undefined : value },
  schema: { type: 'string', maxLength: charsMax, ...(example !== undefined && { examples: [example] }) },
  ...(description !== undefined && { description }),
})

/** A whole number from `min` to `max`. */
export const countParameter = (min: number, max: number, otherwise: number): Parameter<number> => ({
  read([value]) {
    if (value === undefined) return { value: otherwise }
    const count = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
    return count >= min && count <= max ? { value: count } : `should be a whole number from ${min} to ${max}`
  },
  schema: { type: 'integer', minimum: min, maximum: max, default: otherwise },
})

export const choiceParameter = <const Names extends readonly string[], Otherwise extends Names[number] | undefined>(
  names: Names,
  otherwise: Otherwise,
  description?: string,
): Parameter<Names[number] | Otherwise> => ({
  read([value]) {
    if (value === undefined) return { value: otherwise }
    const name = names.find((known) => known === value)
    return name === undefined ? `should be ${names.join(', ')}` : { value: name }
  },
  schema: { type: 'string', enum: names, ...(otherwise !== undefined && { default: otherwise }) },
  ...(description !== undefined && { description }),
})

/** May be given several times. */
export const listParameter = (charsMax: number, valuesMax: number, description: string, example: string): Parameter<readonly string[]> => ({
  read(values) {
    if (values.length > valuesMax) return `may be given at most ${valuesMax} times`
    return values.some((value) => value.length > charsMax) ? `should have at most ${charsMax} characters` : { value: values }
  },
  repeats: true,
  schema: { type: 'array', items: { type: 'string', maxLength: charsMax }, maxItems: valuesMax, examples: [[example]] },
  description,
})

/** The parameters of a URL. Throws BAD_REQUEST that names the parameters there are; `where` says of what. */
export const readParameters = (described: Parameters, given: URLSearchParams, where: string): Readonly<Record<string, unknown>> => {
  for (const name of given.keys()) {
    if (Object.hasOwn(described, name)) continue
    const names = Object.keys(described)
    throw new TaximeterError(
      'BAD_REQUEST',
      `"${name.slice(0, 40)}" is not a parameter of ${where}. ${names.length === 0 ? 'It takes none' : `Use ${names.join(', ')}`}.`,
    )
  }
  const values: Record<string, unknown> = {}
  for (const [name, parameter] of Object.entries(described)) {
    const all = given.getAll(name)
    if (all.length > 1 && !parameter.repeats) throw new TaximeterError('BAD_REQUEST', `"${name}" is given twice. Give it once.`)
    const read = parameter.read(all)
    if (typeof read === 'string') throw new TaximeterError('BAD_REQUEST', `"${name}" ${read}.`)
    values[name] = read.value
  }
  return values
}
