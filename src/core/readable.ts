import { formatUsd } from './money.ts'

/**
 * Decimal dollars, rounded for reading: cents from a dollar on, four significant digits below, so that small charges stay
 * visible. The exact value is in --json and --csv.
 */
export const readableUsd = (amount: string | bigint): string => {
  const text = typeof amount === 'bigint' ? formatUsd(amount) : amount
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  const sign = text.startsWith('-') ? '-' : ''
  if (whole !== '0') return `${sign}$${grouped(roundedTo(`${whole}.${fraction}`, 2))}`
  if (/^0*$/.test(fraction)) return '$0'
  const zeros = /^0*/.exec(fraction)?.[0].length ?? 0
  return `${sign}$${roundedTo(`0.${fraction}`, Math.max(2, Math.min(12, zeros + 4))).replace(/(\.\d\d\d*?)0+$/, '$1')}`
}

/** Rounds the decimal text itself, half up: a float would change digits of large amounts. */
const roundedTo = (text: string, decimals: number): string => {
  const [whole = '0', fraction = ''] = text.split('.')
  const kept = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'))
  const up = (fraction[decimals] ?? '0') >= '5' ? 1n : 0n
  const digits = (kept + up).toString().padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** 1234567.8 → "1,234,567.8". */
export const grouped = (text: string): string => {
  const [whole = '', fraction] = text.split('.')
  const parts = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  return fraction === undefined ? parts : `${parts}.${fraction}`
}

/** How much `after` is more than `before`: "+38 %", "−7 %", "±0 %"; undefined where there was nothing before. */
export const readableChange = (before: bigint, after: bigint): string | undefined =>
  before === 0n ? undefined : readableShare(after - before, before)

/** A part of a whole with its sign: "+31 %". Small ones keep a decimal, so that a change is not shown as none. */
export const readableShare = (part: bigint, whole: bigint): string => {
  if (whole === 0n) return '–'
  const tenths = Number((part * 10_000n) / (whole < 0n ? -whole : whole)) / 10
  const size = Math.abs(tenths / 10)
  const sign = tenths > 0 ? '+' : tenths < 0 ? '−' : '±'
  return `${sign}${size >= 10 || size === 0 ? Math.round(size) : size.toFixed(1)} %`
}
