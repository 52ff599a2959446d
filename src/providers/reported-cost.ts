import { type PicoUsd, parseUsd } from '../core/money.ts'

/** More than this for one call is a mistake of units, not a price. */
const costCharsMax = 40

/**
 * Dollars as a provider prints them, a JSON number or a decimal string, with an exponent or not ("1.1e-05") → pico-dollars.
 *
 * A JSON number has been through a double; its shortest decimal form is what the provider printed, as long as that had at most
 * 15 digits. Undefined for anything else, negative amounts included.
 */
export const usdOf = (value: unknown): PicoUsd | undefined => {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const text = String(value).trim()
  if (text.length > costCharsMax || text.startsWith('-')) return undefined
  const match = /^(\d{0,18})(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text)
  if (match === null || (match[1] === '' && !match[2])) return undefined
  const exponent = Number(match[3] ?? 0)
  return parseUsd(exponent === 0 ? plain(match[1] ?? '', match[2] ?? '') : shifted(match[1] ?? '', match[2] ?? '', exponent))
}

const plain = (whole: string, fraction: string): string =>
  `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction.slice(0, 30)}`}`

const shifted = (whole: string, fraction: string, exponent: number): string => {
  const digits = whole + fraction
  const point = whole.length + exponent
  if (point <= 0) return plain('0', '0'.repeat(-point) + digits)
  return plain(
    digits
      .slice(0, point)
      .padEnd(point, '0')
      .replace(/^0+(?=\d)/, ''),
    digits.slice(point),
  )
}

/** Ten billion ticks are a dollar (xAI), so that one is a hundred pico-dollars. */
export const usdOfTicks = (value: unknown): PicoUsd | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? ((BigInt(value) * 100n) as PicoUsd) : undefined
