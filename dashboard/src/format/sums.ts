import type { Figure, MeasureInfo } from '../state/measures.ts'
import { picoOf, usdTextOf } from './numbers.ts'

/** Adding and taking away figures of the API without losing a digit: money as pico-dollars, counts as whole numbers. */
const integerOf = (info: MeasureInfo, value: Figure): bigint => {
  if (value === null || value === undefined) return 0n
  if (info.form === 'usd') return picoOf(String(value)) ?? 0n
  return typeof value === 'number' ? BigInt(Math.round(value)) : BigInt(value)
}

const figureOf = (info: MeasureInfo, value: bigint): Figure => {
  if (info.form === 'usd') return usdTextOf(value)
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
}

/**
 * The whole less its parts: what a chart calls "other". Only for measures whose parts add up. Never below zero: a call that came in
 * between two questions can be in a part and not yet in the whole.
 */
export const restOf = (info: MeasureInfo, whole: Figure, parts: readonly Figure[]): Figure => {
  const rest = parts.reduce((left, part) => left - integerOf(info, part), integerOf(info, whole))
  return figureOf(info, rest < 0n ? 0n : rest)
}

/** Near enough to draw or to sort by; never to show. */
export const approximate = (value: Figure): number | null => (value === null || value === undefined ? null : Number(value))
