import { type Unit, units } from '../../src/core/units.ts'

/** A price change beyond this factor, up or down, is more often a slip of units than a price: it fails unless it is decided. */
export const jumpMax = 5

/** Dollars for the unit's own quantity, least and most. Token rates seen: $0.0008 (a cache read) to $600 (o1-pro's output). */
const limits: Readonly<Record<Unit, readonly [number, number]>> = {
  ...(Object.fromEntries(
    Object.entries(units)
      .filter(([, { side }]) => side !== 'other')
      .map(([unit]) => [unit, [0.0005, 700]]),
  ) as Record<Unit, [number, number]>),
  web_search: [1, 60],
  x_search: [1, 60],
  file_search: [0.1, 60],
  document_search: [0.1, 60],
  code_execution: [0.1, 60],
  search_unit: [0.05, 20],
  image: [0.0005, 2],
  page: [0.05, 100],
  second: [0.01, 4000],
  character: [0.1, 500],
  request: [0.01, 100],
  machine_ms: [0.01, 1000],
}

export const isSane = (unit: Unit, rate: string): boolean => {
  const [least, most] = limits[unit]
  return rate === '0' || (Number(rate) >= least && Number(rate) <= most)
}

export const isJump = (before: string, after: string): boolean => {
  const [from, to] = [Number(before), Number(after)]
  if (from === 0 || to === 0) return from !== to
  return Math.max(from / to, to / from) > jumpMax * (1 + 1e-9)
}

/** The deepest discount on cached input that is sold is 1/120 (DeepSeek), and none costs more than reading anew. */
export const isLikelyCache = (rate: string, input: string | undefined): boolean =>
  input === undefined || Number(input) === 0 || (Number(rate) * 200 >= Number(input) && Number(rate) <= Number(input))
