declare const brand: unique symbol

/** US dollars × 10⁻¹², so that "$0.0375 per million tokens" is the integer 37_500 per token. Never a float. */
export type PicoUsd = bigint & { readonly [brand]: 'PicoUsd' }

export const picoPerUsd = 1_000_000_000_000n
export const zeroUsd = 0n as PicoUsd

/** A price change, an uplift or a discount as an exact fraction: "1.1" is 11/10. */
export interface Multiplier {
  readonly numerator: bigint
  readonly denominator: bigint
}

export const picoUsd = (value: bigint): PicoUsd => value as PicoUsd

const decimal = /^(-?)(\d{1,18})(?:\.(\d{1,30}))?$/

/**
 * Dollars as a decimal string ("0.0123", "-4") → pico-dollars. More than twelve decimals are rounded half-even.
 * Undefined when the text is not a plain decimal number: exponents, signs other than "-", spaces and separators are refused.
 */
export const parseUsd = (text: string): PicoUsd | undefined => {
  const match = decimal.exec(text)
  if (!match) return undefined
  const fraction = match[3] ?? ''
  const digits = BigInt(match[2] + fraction)
  const scaled =
    fraction.length <= 12 ? digits * 10n ** BigInt(12 - fraction.length) : divideHalfEven(digits, 10n ** BigInt(fraction.length - 12))
  return (match[1] ? -scaled : scaled) as PicoUsd
}

/** Pico-dollars → dollars with all twelve decimals: "0.000117650000". `parseUsd` gives back the same integer. */
export const formatUsd = (value: bigint): string => {
  const sign = value < 0n ? '-' : ''
  const digits = magnitude(value).toString().padStart(13, '0')
  return `${sign}${digits.slice(0, -12)}.${digits.slice(-12)}`
}

/** An amount without its sign. */
export const magnitude = (amount: bigint): bigint => (amount < 0n ? -amount : amount)

/** The quotient rounded to the nearest integer, ties to the even one, so that many roundings do not drift upwards. The divisor is positive. */
export const divideHalfEven = (dividend: bigint, divisor: bigint): bigint => {
  const quotient = dividend / divisor
  const remainder = dividend % divisor
  if (remainder === 0n) return quotient
  const twice = magnitude(remainder) * 2n
  if (twice < divisor || (twice === divisor && quotient % 2n === 0n)) return quotient
  return dividend < 0n ? quotient - 1n : quotient + 1n
}

/** "1.1" → 11/10. Undefined unless the text is a plain positive decimal. */
export const parseMultiplier = (text: string): Multiplier | undefined => {
  const match = /^(\d{1,6})(?:\.(\d{1,12}))?$/.exec(text)
  if (!match) return undefined
  const fraction = match[2] ?? ''
  const numerator = BigInt(match[1] + fraction)
  return numerator === 0n ? undefined : { numerator, denominator: 10n ** BigInt(fraction.length) }
}
