/**
 * Money as the API sends it, decimal dollars with up to twelve decimals, → text. The digits are handled as an integer of
 * pico-dollars, so that what is shown is the API's figure rounded once and never a float's idea of it.
 */
export const usd = (value: string | null | undefined): string => {
  const pico = picoOf(value)
  return pico === undefined ? dash : fixed(pico, decimalsOf(pico))
}

/** What stands for a figure that is not known or not defined. */
export const dash = '–'

const picoPerUsd = 1_000_000_000_000n

/** "0.000117650000" → 117_650_000n; undefined for anything that is not a plain decimal. */
export const picoOf = (value: string | null | undefined): bigint | undefined => {
  const match = /^(-?)(\d+)(?:\.(\d{1,12})\d*)?$/.exec(value ?? '')
  if (match === null) return undefined
  const pico = BigInt(match[2] ?? '0') * picoPerUsd + BigInt((match[3] ?? '').padEnd(12, '0'))
  return match[1] ? -pico : pico
}

/** Pico-dollars → dollars as the API writes them. */
export const usdTextOf = (pico: bigint): string => {
  const digits = abs(pico).toString().padStart(13, '0')
  return `${pico < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`
}

/** Every digit that there is: "$0.00011765". */
export const exactUsd = (value: string | null | undefined): string => {
  const pico = picoOf(value)
  if (pico === undefined) return dash
  const [whole = '0', fraction = ''] = usdTextOf(abs(pico)).split('.')
  return `${signOf(pico)}$${grouped(whole)}.${fraction.replace(/0+$/, '').padEnd(2, '0')}`
}

/** Cents from a dollar up; below that three digits that mean something. */
const decimalsOf = (pico: bigint): number => {
  const size = abs(pico)
  if (size === 0n || size >= picoPerUsd) return 2
  const leading = 12 - size.toString().length
  return Math.min(12, leading + 3)
}

/** How many decimals a column needs so that its figures can be compared: chosen by its largest, so that small ones do not set the width. */
export const decimalsFor = (values: Iterable<string | null | undefined>): number => {
  let largest = 0n
  for (const value of values) {
    const size = abs(picoOf(value) ?? 0n)
    if (size > largest) largest = size
  }
  if (largest === 0n || largest >= 10n * picoPerUsd) return 2
  if (largest >= picoPerUsd / 10n) return 4
  return Math.min(12, decimalsOf(largest) + 1)
}

/** With a column's decimals. What rounds to nothing and is not nothing says so: "<$0.01". */
export const usdWith = (value: string | null | undefined, decimals: number): string => {
  const pico = picoOf(value)
  if (pico === undefined) return dash
  if (pico === 0n) return '$0.00'
  if (rounded(abs(pico), decimals) === 0n) return `<$${`0.${'0'.repeat(decimals - 1)}1`}`
  return fixed(pico, decimals)
}

/** For the ends of an axis: "$1.2k". */
export const axisUsd = (dollars: number): string => {
  if (dollars === 0) return '$0'
  const size = Math.abs(dollars)
  if (size >= 1_000_000) return `$${trimmed(dollars / 1_000_000)}M`
  if (size >= 10_000) return `$${trimmed(dollars / 1_000)}k`
  if (size >= 1) return `$${trimmed(dollars)}`
  // Dollars have cents: "$0.20" beside "$0.05".
  return `$${String(Number(dollars.toPrecision(2))).replace(/\.\d$/, '$&0')}`
}

/** The difference of two amounts with its sign: "+$1.20". */
export const signedUsd = (value: string | null | undefined): string => {
  const pico = picoOf(value)
  if (pico === undefined) return dash
  return pico > 0n ? `+${fixed(pico, decimalsOf(pico))}` : fixed(pico, decimalsOf(pico))
}

const fixed = (pico: bigint, decimals: number): string => {
  const scaled = rounded(abs(pico), decimals)
    .toString()
    .padStart(decimals + 1, '0')
  const whole = decimals === 0 ? scaled : scaled.slice(0, -decimals)
  return `${signOf(pico)}$${grouped(whole)}${decimals === 0 ? '' : `.${scaled.slice(-decimals)}`}`
}

const rounded = (pico: bigint, decimals: number): bigint => {
  const divisor = 10n ** BigInt(12 - decimals)
  const quotient = pico / divisor
  const twice = (pico % divisor) * 2n
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ',')
const abs = (value: bigint): bigint => (value < 0n ? -value : value)
const signOf = (value: bigint): string => (value < 0n ? '−' : '')
const trimmed = (value: number): string => Number(value.toPrecision(3)).toString()

/** A count as the API sends it: a number, past 2⁵³ a string of digits. All digits, grouped. */
export const count = (value: number | string | null | undefined): string => {
  if (value === null || value === undefined) return dash
  if (typeof value === 'string') return /^-?\d+$/.test(value) ? grouped(value) : dash
  return Number.isInteger(value) ? grouped(value.toString()) : decimal(value)
}

/** "1 call", "12 calls", "– calls". */
export const counted = (value: number | string | null | undefined, what: string): string =>
  `${count(value)} ${what}${Number(value) === 1 ? '' : 's'}`

/** A count in three digits: "12.4M". What is shorter written out is written out. */
export const compact = (value: number | string | null | undefined): string => {
  if (value === null || value === undefined) return dash
  const size = Number(value)
  if (!Number.isFinite(size)) return dash
  if (Math.abs(size) < 10_000) return count(size)
  for (const [suffix, unit] of scales) {
    const scaled = size / unit
    if (Math.abs(scaled) >= 0.9995)
      return `${Math.abs(scaled) < 999.5 ? scaled.toPrecision(3) : grouped(Math.round(scaled).toString())}${suffix}`
  }
  return count(size)
}

const scales: readonly (readonly [string, number])[] = [
  ['T', 1e12],
  ['B', 1e9],
  ['M', 1e6],
  ['k', 1e3],
]

/** A number that need not be whole: an average, a rate. */
export const decimal = (value: number | null | undefined): string => {
  if (value === null || value === undefined || !Number.isFinite(value)) return dash
  if (Math.abs(value) >= 1_000) return grouped(Math.round(value).toString())
  return Math.abs(value) >= 100 ? Math.round(value).toString() : value.toPrecision(3).replace(/\.?0+$/, '')
}

/** A share of one: "12.3 %" is written "12.3%". Never "100%" or "0%" for what is not all or nothing. */
export const percent = (share: number | null | undefined): string => {
  if (share === null || share === undefined || !Number.isFinite(share)) return dash
  const hundred = share * 100
  if (hundred > 99.9 && hundred < 100) return '>99.9%'
  if (hundred > 0 && hundred < 0.1) return '<0.1%'
  return `${hundred === 0 || Math.abs(hundred) >= 100 ? Math.round(hundred) : hundred.toFixed(1)}%`
}

/** From one figure to another. `undefined`: there is nothing to compare with. */
export const changeOf = (now: number | null | undefined, before: number | null | undefined): number | undefined => {
  if (now === null || now === undefined || before === null || before === undefined || before === 0) return undefined
  return (now - before) / Math.abs(before)
}

/** "+12%", "−3.4%", "×14". */
export const changeText = (change: number | undefined): string => {
  if (change === undefined) return dash
  if (change >= 9) return `×${Math.round(change + 1)}`
  const hundred = Math.abs(change * 100)
  const digits = hundred >= 10 ? Math.round(hundred).toString() : hundred.toFixed(1)
  if (Number(digits) === 0) return '±0%'
  return `${change < 0 ? '−' : '+'}${digits}%`
}

export const duration = (ms: number | null | undefined): string => {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return dash
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${(seconds % 60).toString().padStart(2, '0')}s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 2_880) return `${Math.floor(minutes / 60)}h ${(minutes % 60).toString().padStart(2, '0')}m`
  return `${Math.floor(minutes / 1_440)}d ${Math.floor((minutes % 1_440) / 60)}h`
}
