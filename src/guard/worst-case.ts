import type { PicoUsd } from '../core/money.ts'
import type { PriceBook, RateCard } from '../core/price-book.ts'
import type { UnitPrice, UnitPrices } from '../core/rate-card.ts'
import { completionUnits, promptUnits, type Unit, unitNames } from '../core/units.ts'
import type { CallAhead } from './guard.ts'

/**
 * The most that one call can use and cost, as far as it can be seen before it is sent.
 *
 * Not foreseeable, and therefore not in it: searches that the provider makes on its own and what they add to the prompt, images,
 * pages, seconds of audio and machine time. They are spent when their entry comes.
 */
export interface WorstCase {
  readonly tokens: number
  readonly promptTokens: number
  readonly outputTokens: number
  /** Absent: the book has no price for the model at this time. */
  readonly rates: UpperRates | undefined
  readonly cost: PicoUsd | undefined
}

/** Upper bounds in pico-dollars per token, each rounded up, and what the request itself costs. */
export interface UpperRates {
  readonly prompt: bigint
  readonly output: bigint
  readonly request: bigint
}

/** Set aside as output where neither the caller nor the price book names a limit: as much as common models answer with at most. */
export const outputTokensAssumed = 32_768
/** A prompt estimate or an output limit above this is a mistake of units; it is clamped, so that a sum stays exact. */
const tokensMax = 1_000_000_000

/**
 * Prompt × the dearest rate that any of its tokens can have (a cache write, audio, a long context's rate once the estimate reaches
 * it) + output limit × the dearest rate of an answer, at the rates that hold at `at` (UTC ms), multipliers included.
 */
export const worstCaseOf = (call: CallAhead, at: number, book: PriceBook): WorstCase => {
  const promptTokens = clamp(call.promptTokens)
  const card = book.find(call.provider, call.model, at, call)
  const rates = typeof card === 'string' ? undefined : upperRatesOf(card, promptTokens, call.mayUse)
  const outputTokens = outputTokensOf(call, card, book)
  return {
    tokens: promptTokens + outputTokens,
    promptTokens,
    outputTokens,
    rates,
    cost: rates && costAt(rates, promptTokens, outputTokens),
  }
}

export const costAt = (rates: UpperRates, promptTokens: number, outputTokens: number): PicoUsd =>
  (BigInt(promptTokens) * rates.prompt + BigInt(outputTokens) * rates.output + rates.request) as PicoUsd

const outputTokensOf = (call: CallAhead, card: RateCard | string, book: PriceBook): number => {
  if (call.outputMax !== undefined) return clamp(call.outputMax)
  const known = book.outputMaxOf(call.provider, call.model)
  if (known !== undefined) return clamp(known)
  // A model with a price for prompts and none for answers (embeddings) answers with no tokens.
  if (typeof card !== 'string' && isPromptOnly(card.prices)) return 0
  return outputTokensAssumed
}

const clamp = (tokens: number): number => (tokens > 0 ? Math.min(Math.ceil(tokens), tokensMax) : 0)

/** Dearest rates by card and tier, for calls that may use every unit: worked out once, because this is asked before every call. */
const remembered = new WeakMap<RateCard, (UpperRates | undefined)[]>()

const upperRatesOf = (card: RateCard, promptTokens: number, mayUse: readonly Unit[] | undefined): UpperRates => {
  let reached = 0
  while (reached < card.tiers.length && isReached(card, reached, promptTokens)) reached += 1
  if (mayUse !== undefined) return dearest(card, reached, (unit) => mayUse.includes(unit))
  let byTier = remembered.get(card)
  if (byTier === undefined) remembered.set(card, (byTier = []))
  return (byTier[reached] ??= dearest(card, reached, () => true))
}

const isReached = (card: RateCard, index: number, promptTokens: number): boolean => {
  const tier = card.tiers[index]
  return tier !== undefined && (tier.op === 'gte' ? promptTokens >= tier.threshold : promptTokens > tier.threshold)
}

/** The prompt can turn out smaller than its estimate, so that every tier up to the one it reaches can be the one that is charged. */
const dearest = (card: RateCard, reached: number, mayBe: (unit: Unit) => boolean): UpperRates => {
  let prompt = 0n
  let output = 0n
  let request = 0n
  for (const prices of [card.prices, ...card.tiers.slice(0, reached).map((tier) => tier.prices)]) {
    prompt = most(prompt, prices, promptUnits, mayBe)
    output = most(output, prices, completionUnits, mayBe)
    request = most(request, prices, ['request'], () => true)
  }
  return { prompt, output, request }
}

const most = (least: bigint, prices: UnitPrices, among: readonly Unit[], mayBe: (unit: Unit) => boolean): bigint => {
  let top = least
  for (const unit of among) {
    const price = mayBe(unit) ? priceOf(prices, unit) : undefined
    const each = price === undefined ? 0n : (price.numerator + price.denominator - 1n) / price.denominator
    if (each > top) top = each
  }
  return top
}

const priceOf = (prices: UnitPrices, unit: Unit): UnitPrice | undefined => prices[unitNames.indexOf(unit)]

const isPromptOnly = (prices: UnitPrices): boolean =>
  completionUnits.every((unit) => priceOf(prices, unit) === undefined) && promptUnits.some((unit) => priceOf(prices, unit) !== undefined)
