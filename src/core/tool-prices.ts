import { TaximeterError } from './errors.ts'
import { type PicoUsd, parseUsd } from './money.ts'

/** What one use of a tool costs: the sum of what is given. */
export interface ToolPrice {
  readonly perCall?: PicoUsd
  /** For one of the tool's own unit (a page, a megabyte), which the call counts. */
  readonly perUnit?: PicoUsd
  /** For an hour of the call's duration. */
  readonly perHour?: PicoUsd
}

export type ToolPrices = ReadonlyMap<string, ToolPrice>

/** Tool prices as configuration writes them: dollars as decimal strings; a bare string is the price of a call. */
export type ToolPricesJson = Readonly<
  Record<string, string | { readonly perCall?: string; readonly perUnit?: string; readonly perHour?: string }>
>

const priceKeys = ['perCall', 'perUnit', 'perHour'] as const

/** Reads tool prices. Throws BAD_PRICE with the path of the key that is wrong. */
export const parseToolPrices = (json: unknown, path = 'tools'): ToolPrices => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw bad(path, 'prices by tool', json)
  return new Map(Object.entries(json).map(([tool, price]) => [tool, toolPriceOf(price, `${path}.${tool}`)]))
}

const toolPriceOf = (json: unknown, path: string): ToolPrice => {
  if (typeof json === 'string' || typeof json === 'number') return { perCall: dollarsOf(json, path) }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw bad(path, 'a price such as "0.005"', json)
  const price: { -readonly [Key in keyof ToolPrice]: PicoUsd } = {}
  for (const [key, value] of Object.entries(json)) {
    const known = priceKeys.find((name) => name === key)
    if (known === undefined) throw bad(`${path}.${key}`, `one of ${priceKeys.join(', ')}`, key)
    price[known] = dollarsOf(value, `${path}.${key}`)
  }
  if (Object.keys(price).length === 0) throw bad(path, `one of ${priceKeys.join(', ')}`, json)
  return price
}

const dollarsOf = (value: unknown, path: string): PicoUsd => {
  // YAML reads `0.005` as a number, whose shortest decimal is what was written.
  const amount = typeof value === 'string' || typeof value === 'number' ? parseUsd(String(value)) : undefined
  if (amount === undefined || amount < 0n) throw bad(path, 'dollars as a decimal string such as "0.005"', value)
  return amount
}

const bad = (path: string, expected: string, got: unknown) =>
  new TaximeterError('BAD_PRICE', `${path} should be ${expected}, got ${JSON.stringify(got)}.`)
