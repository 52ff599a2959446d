import { TaximeterError } from '../../core/errors.ts'
import { parseSpan } from '../../core/window.ts'

/**
 * Reads the fields of a rule by name and form, and complains of those that nobody asked for. Defaults are given as configuration
 * would write them, so that the reader also knows what the reference has to say of each field.
 */
export const createReader = (json: Readonly<Record<string, unknown>>, path: string) => {
  const used = new Map<string, string>()
  const take = (name: string, otherwise?: string | number): unknown => {
    used.set(name, otherwise === undefined ? (used.get(name) ?? '–') : String(otherwise))
    return json[name] ?? otherwise
  }

  function text(name: string): string | undefined
  function text(name: string, otherwise: string): string
  function text(name: string, otherwise?: string): string | undefined {
    const value = take(name, otherwise)
    if (value === undefined) return undefined
    return typeof value === 'string' && value !== '' && value.length <= 100
      ? value
      : refuse(`${path}.${name}`, 'a text of at most 100 characters', value)
  }

  function number(name: string): number | undefined
  function number(name: string, otherwise: number): number
  function number(name: string, otherwise?: number): number | undefined {
    const value = take(name, otherwise)
    if (value === undefined) return undefined
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value.replace(/^\$/, '')) : value
    return typeof parsed === 'number' && Number.isFinite(parsed) && parsed >= 0
      ? parsed
      : refuse(`${path}.${name}`, 'a number that is not negative', value)
  }

  function share(name: string): number | undefined
  function share(name: string, otherwise: string): number
  function share(name: string, otherwise?: string): number | undefined {
    const value = take(name, otherwise)
    const percent = percentOf(value)
    if (percent !== undefined) return percent / 100
    return value === undefined || Number.isFinite(Number(value))
      ? number(name)
      : refuse(`${path}.${name}`, 'a number or a share such as 30%', value)
  }

  function span(name: string): number | undefined
  function span(name: string, otherwise: string): number
  function span(name: string, otherwise?: string): number | undefined {
    const value = otherwise === undefined ? text(name) : text(name, otherwise)
    return value === undefined ? undefined : (parseSpan(value) ?? refuse(`${path}.${name}`, 'a span such as 5m, 1h or 7d', value))
  }

  function oneOf<Name extends string>(name: string, names: readonly Name[]): Name | undefined
  function oneOf<Name extends string>(name: string, names: readonly Name[], otherwise: Name): Name
  function oneOf<Name extends string>(name: string, names: readonly Name[], otherwise?: Name): Name | undefined {
    const value = otherwise === undefined ? text(name) : text(name, otherwise)
    return value === undefined ? undefined : (names.find((each) => each === value) ?? refuse(`${path}.${name}`, names.join(', '), value))
  }

  const list = (name: string): readonly string[] => {
    const value = take(name)
    const texts = value === undefined ? [] : Array.isArray(value) ? value : [value]
    return texts.every((each) => typeof each === 'string') && texts.length <= 20
      ? texts
      : refuse(`${path}.${name}`, 'a text or a list of at most 20 texts', value)
  }

  return {
    text,
    number,
    share,
    /** A share as it was written, where it was written as one. */
    percent: (name: string): string | undefined => (percentOf(json[name]) === undefined ? undefined : String(json[name])),
    span,
    oneOf,
    list,
    end: (): void => {
      const unknown = Object.keys(json).find((name) => !used.has(name))
      if (unknown !== undefined) throw bad(`${path}.${unknown}`, `one of ${[...used.keys()].join(', ')}`, unknown)
    },
    /** The fields that were asked for, each with its default. */
    fields: (): Readonly<Record<string, string>> => Object.fromEntries(used),
  }
}

const percentOf = (value: unknown): number | undefined => {
  const text = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*%$/.exec(value)?.[1] : undefined
  return text === undefined ? undefined : Number(text)
}

export type Reader = ReturnType<typeof createReader>

export const refuse = (path: string, expected: string, got: unknown): never => {
  throw bad(path, expected, got)
}

export const bad = (path: string, expected: string, got: unknown) =>
  new TaximeterError('BAD_CONFIG', `${path} should be ${expected}, got ${JSON.stringify(got)?.slice(0, 80)}.`)
