import type { Unit } from '../core/units.ts'
import { countMax, type UsageFlag, type UsageQuality } from '../core/usage.ts'

export type Json = Readonly<Record<string, unknown>>

export const objectOf = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined

export const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/**
 * The counts of one answer while they are being settled.
 *
 * `isKnown` is true once a main count (input or output as a whole) was read, `isLossy` once one had to be dropped: together they
 * are the quality. Details that had to be dropped are flagged and lower no quality, since the whole is still right.
 */
export interface Tally {
  readonly units: Partial<Record<Unit, number>>
  readonly flags: UsageFlag[]
  isKnown: boolean
  isLossy: boolean
}

export const createTally = (): Tally => ({ units: {}, flags: [], isKnown: false, isLossy: false })

export const flag = (tally: Tally, name: UsageFlag): void => {
  if (!tally.flags.includes(name)) tally.flags.push(name)
}

export const qualityOf = (tally: Tally): UsageQuality => {
  if (!tally.isKnown) return 'missing'
  return tally.isLossy ? 'partial' : 'complete'
}

/**
 * A count as a provider printed it. Absent and null are undefined; what is no whole number from 0 to `countMax` is flagged and
 * undefined. Strings are not read as numbers: no provider here sends them, so that one is a sign of a broken middleman.
 */
export const countOf = (tally: Tally, value: unknown): number | undefined => {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || Number.isNaN(value)) flag(tally, 'not-a-number')
  else if (value < 0) flag(tally, 'negative-count')
  else if (value > countMax) flag(tally, 'count-too-large')
  else if (!Number.isInteger(value)) flag(tally, 'fractional-count')
  else return value
  return undefined
}

/** A count of the whole input or output: knowing one makes the usage known, having to drop one makes it partial. */
export const mainCountOf = (tally: Tally, value: unknown): number | undefined => {
  if (value === undefined || value === null) return undefined
  const count = countOf(tally, value)
  if (count === undefined) tally.isLossy = true
  else tally.isKnown = true
  return count
}

/** A count that is part of another. */
export const detailOf = (tally: Tally, value: unknown): number => (value === undefined || value === null ? 0 : (countOf(tally, value) ?? 0))

export const put = (tally: Tally, unit: Unit, count: number): void => {
  if (count <= 0) return
  const sum = (tally.units[unit] ?? 0) + count
  if (sum > countMax) flag(tally, 'count-too-large')
  tally.units[unit] = Math.min(sum, countMax)
}

/** The rest of a whole after its parts; a negative one is clamped to 0 and flagged. */
export const remainderOf = (tally: Tally, whole: number, parts: number, name: UsageFlag): number => {
  if (parts <= whole) return whole - parts
  flag(tally, name)
  return 0
}

/** What went into a model, where the provider counts the cached and the written tokens inside the whole. */
export interface Prompt {
  readonly whole: number
  readonly cached: number
  readonly written?: number
  /** Of the written tokens, those that are kept for longer than the default. */
  readonly written1h?: number
  readonly written12h?: number
  readonly audio?: number
  readonly image?: number
  /** How the cached tokens divide; absent where the provider does not say. */
  readonly cachedAudio?: number | undefined
  readonly cachedImage?: number | undefined
}

/**
 * Settles a prompt into units that never overlap and sum to the whole.
 *
 * Where the provider does not say what kind the cached tokens are, text is taken first, then images, then audio: a cache is
 * read from the front of a prompt, and instructions stand there.
 */
export const putPrompt = (tally: Tally, prompt: Prompt): void => {
  const { whole, cached, written = 0, written1h = 0, written12h = 0, audio = 0, image = 0 } = prompt
  const short = remainderOf(tally, written, written1h + written12h, 'details-exceed-total')
  const long = Math.min(written12h, written - short)
  put(tally, 'cache_write_5m', short)
  put(tally, 'cache_write_12h', long)
  put(tally, 'cache_write_1h', written - short - long)
  if (audio === 0 && image === 0) {
    put(tally, 'cache_read', cached)
    put(tally, 'input', remainderOf(tally, whole, cached + written, 'cached-exceeds-input'))
    return
  }
  const text = remainderOf(tally, whole, audio + image, 'details-exceed-total')
  const freshText = Math.max(0, text - written)
  const isSplit = prompt.cachedAudio !== undefined || prompt.cachedImage !== undefined
  const cachedText = isSplit ? Math.max(0, cached - (prompt.cachedAudio ?? 0) - (prompt.cachedImage ?? 0)) : Math.min(cached, freshText)
  const cachedImage = isSplit ? (prompt.cachedImage ?? 0) : Math.min(cached - cachedText, image)
  const cachedAudio = isSplit ? (prompt.cachedAudio ?? 0) : Math.min(cached - cachedText - cachedImage, audio)
  const surplus = isSplit ? 0 : cached - cachedText - cachedImage - cachedAudio
  if (surplus > 0) flag(tally, 'cached-exceeds-input')
  put(tally, 'cache_read', cachedText + surplus)
  put(tally, 'cache_read_image', cachedImage)
  put(tally, 'cache_read_audio', cachedAudio)
  put(tally, 'input', remainderOf(tally, text, cachedText + written, 'cached-exceeds-input'))
  put(tally, 'input_image', remainderOf(tally, image, cachedImage, 'cached-exceeds-input'))
  put(tally, 'input_audio', remainderOf(tally, audio, cachedAudio, 'cached-exceeds-input'))
}

/** Something was billed for that no unit counts: what is counted is a part of the whole. */
export const putUncounted = (tally: Tally, value: unknown): void => {
  if (detailOf(tally, value) === 0) return
  flag(tally, 'billed-otherwise')
  tally.isLossy = true
}

/** Flags a total that is neither the sum of what was read nor absent. */
export const checkTotal = (tally: Tally, total: number | undefined, sum: number): void => {
  if (total !== undefined && total !== sum) flag(tally, 'total-mismatch')
}
