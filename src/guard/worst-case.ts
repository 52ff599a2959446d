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
 * it) + output limit × the dearest rate of an answer, at the rates that hold at `at` (UTC ms), multipliers included. A tier, a speed
 * or a place that is asked for need not be what is given: the usual rates count as well.
 */
export const worstCaseOf = (call: CallAhead, at: number, book: PriceBook): WorstCase => {
  const promptTokens = clamp(call.promptTokens)
  const card = book.find(call.provider, call.model, at, {})
  const rates = upperRatesOf(card, promptTokens, call.mayUse)
  const asked = isVaried(call) ? upperRatesOf(book.find(call.provider, call.model, at, call), promptTokens, call.mayUse) : rates
  const outputTokens = outputTokensOf(call, card, book)
  return {
    tokens: promptTokens + outputTokens,
    promptTokens,
    outputTokens,
    rates: rates && asked && dearer(rates, asked),
    cost: rates && asked && costAt(dearer(rates, asked), promptTokens, outputTokens),
  }
}

const isVaried = ({ tier, speed, region }: CallAhead): boolean => tier !== undefined || speed !== undefined || region !== undefined

const dearer = (left: UpperRates, right: UpperRates): UpperRates =>
  left === right
    ? left
    : {
        prompt: larger(left.prompt, right.prompt),
        output: larger(left.output, right.output),
        request: larger(left.request, right.request),
      }

const larger = (left: bigint, right: bigint): bigint => {
  if (left > right) return left
  return right
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

/** Dearest rates by card, list of units and tier: worked out once, because this is asked before every call. */
const remembered = new WeakMap<RateCard, WeakMap<readonly Unit[], (UpperRates | undefined)[]>>()

const upperRatesOf = (card: RateCard | string, promptTokens: number, mayUse: readonly Unit[] = unitNames): UpperRates | undefined => {
  if (typeof card === 'string') return undefined
  let reached = 0
  while (reached < card.tiers.length && isReached(card, reached, promptTokens)) reached += 1
  let byUnits = remembered.get(card)
  if (byUnits === undefined) remembered.set(card, (byUnits = new WeakMap()))
  let byTier = byUnits.get(mayUse)
  if (byTier === undefined) byUnits.set(mayUse, (byTier = []))
  return (byTier[reached] ??= dearest(card, reached, mayUse))
}

const isReached = (card: RateCard, index: number, promptTokens: number): boolean => {
  const tier = card.tiers[index]
  return tier !== undefined && (tier.op === 'gte' ? promptTokens >= tier.threshold : promptTokens > tier.threshold)
}

/** The prompt can turn out smaller than its estimate, so that every tier up to the one it reaches can be the one that is charged. */
const dearest = (card: RateCard, reached: number, mayUse: readonly Unit[]): UpperRates => {
  let prompt = 0n
  let output = 0n
  let request = 0n
  for (const prices of [card.prices, ...card.tiers.slice(0, reached).map((tier) => tier.prices)]) {
    prompt = most(prompt, prices, promptUnits, mayUse)
    output = most(output, prices, completionUnits, mayUse)
    request = most(request, prices, ['request'], ['request'])
  }
  return { prompt, output, request }
}

const most = (least: bigint, prices: UnitPrices, among: readonly Unit[], mayUse: readonly Unit[]): bigint => {
  let top = least
  for (const unit of among) {
    const price = mayUse.includes(unit) ? priceOf(prices, unit) : undefined
    const each = price === undefined ? 0n : (price.numerator + price.denominator - 1n) / price.denominator
    if (each > top) top = each
  }
  return top
}

const priceOf = (prices: UnitPrices, unit: Unit): UnitPrice | undefined => prices[unitNames.indexOf(unit)]

const isPromptOnly = (prices: UnitPrices): boolean =>
  completionUnits.every((unit) => priceOf(prices, unit) === undefined) && promptUnits.some((unit) => priceOf(prices, unit) !== undefined)
