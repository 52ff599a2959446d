import type { Value } from '../core/answer.ts'
import type { Measure } from '../core/question.ts'

/** How a person reads a figure in a terminal. "–" is "not defined", which is never shown as zero. */
export const figure = (measure: Measure | string, value: Value | undefined): string => {
  if (value === null || value === undefined) return '–'
  if (isMoney(measure)) return dollars(String(value))
  if (measure === 'efficiency') return Number(value).toFixed(3)
  if (measure === 'cacheHitRate') return `${(Number(value) * 100).toFixed(1)} %`
  if (measure.startsWith('latency')) return `${Math.round(Number(value))} ms`
  return typeof value === 'number' ? grouped(Number.isInteger(value) ? String(value) : value.toFixed(1)) : grouped(value)
}

const isMoney = (measure: string): boolean => /cost|burnRate/i.test(measure)

/**
 * Decimal dollars, rounded for reading: cents from a dollar on, four significant digits below, so that small charges stay
 * visible. The exact value is in --json and --csv.
 */
export const dollars = (text: string): string => {
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

const grouped = (text: string): string => {
  const [whole = '', fraction] = text.split('.')
  const parts = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  return fraction === undefined ? parts : `${parts}.${fraction}`
}
