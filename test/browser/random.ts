/** Repeatable chance: everything it gives follows from the seed. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number
  below(limit: number): number
  pick<T>(items: readonly T[]): T
  weighted<T extends { readonly weight: number }>(items: readonly T[]): T
  /** Around `median`, never below 0, with a long tail that grows with `spread`. */
  logNormal(median: number, spread: number): number
  hex(digits: number): string
  /** The same digits for the same text. */
  hexOf(text: string, digits: number): string
  /** A UUID of version 7 for an instant, UTC ms. */
  uuid7(at: number): string
}

export const createRandom = (seed: number): Random => {
  const next = mulberry(seed)
  const hex = (digits: number): string => hexFrom(next, digits)
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    pick: (items) => itemAt(items, below(items.length)),
    weighted(items) {
      let left = next() * items.reduce((sum, item) => sum + item.weight, 0)
      for (const item of items) {
        left -= item.weight
        if (left < 0) return item
      }
      return itemAt(items, items.length - 1)
    },
    logNormal: (median, spread) => median * Math.exp(spread * gaussian(next)),
    hex,
    hexOf: (text, digits) => hexFrom(mulberry(hashOf(text)), digits),
    uuid7(at) {
      const time = Math.floor(at).toString(16).padStart(12, '0')
      return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${'89ab'[below(4)]}${hex(3)}-${hex(12)}`
    },
  }
}

const itemAt = <T>(items: readonly T[], index: number): T => {
  const item = items[index]
  if (item === undefined) throw new Error('Nothing to pick from.')
  return item
}

/** Mulberry32: small, fast, and good enough to draw sample data from. */
const mulberry = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const gaussian = (next: () => number): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())

const hexFrom = (next: () => number, digits: number): string => {
  let text = ''
  for (let index = 0; index < digits; index += 1) text += Math.floor(next() * 16).toString(16)
  return text
}

const hashOf = (text: string): number => {
  let hash = 2_166_136_261
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 16_777_619)
  return hash >>> 0
}
