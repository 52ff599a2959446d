import { completionUnits, promptUnits, type Unit, unitNames } from './units.ts'

/**
 * What one call consumed.
 *
 * The units never overlap: every token is counted in exactly one of them. Providers disagree on this (OpenAI counts cached
 * tokens inside the input, Anthropic beside it); `providers/` settles it, once. Counts are whole numbers from 1 to `countMax`;
 * a unit that was not used is absent.
 */
export type Usage = Readonly<Partial<Record<Unit, number>>>

/** No single call has ever used a trillion of anything; a larger count is a mistake of units, and sums stay far inside 64 bits. */
export const countMax = 1_000_000_000_000

/** How much of a call's usage is known. `missing`: the provider answered and said nothing. `estimated`: derived by us from what was seen. */
export type UsageQuality = 'complete' | 'partial' | 'estimated' | 'missing'

/** What was odd about a provider's numbers; each is kept with the entry and counted. */
export const usageFlags = [
  'negative-count',
  'fractional-count',
  'count-too-large',
  'not-a-number',
  'cached-exceeds-input',
  'details-exceed-total',
  'total-mismatch',
  'repeated-start',
  'repeated-usage',
  'truncated-stream',
  'malformed-chunk',
  'unknown-input',
  'unpriced-variant',
  'stream-limit',
  'billed-otherwise',
] as const
export type UsageFlag = (typeof usageFlags)[number]

const sumOf = (usage: Usage, over: readonly Unit[]): number => {
  let sum = 0
  for (const unit of over) sum += usage[unit] ?? 0
  return sum
}

/** All tokens that went into the model: fresh, cached, audio and image. */
export const promptTokensOf = (usage: Usage): number => sumOf(usage, promptUnits)

/** All tokens that came out of the model, reasoning included. */
export const completionTokensOf = (usage: Usage): number => sumOf(usage, completionUnits)

export const totalTokensOf = (usage: Usage): number => promptTokensOf(usage) + completionTokensOf(usage)

/** The units that were used, in the order of the list. */
export const usedUnits = (usage: Usage): readonly Unit[] => unitNames.filter((unit) => (usage[unit] ?? 0) > 0)

export const addUsage = (left: Usage, right: Usage): Usage => {
  const sum: Partial<Record<Unit, number>> = { ...left }
  for (const unit of usedUnits(right)) sum[unit] = (sum[unit] ?? 0) + (right[unit] ?? 0)
  return sum
}
