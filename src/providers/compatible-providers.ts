import type { PicoUsd } from '../core/money.ts'
import { type Json, objectOf } from './counts.ts'
import { usdOf, usdOfTicks } from './reported-cost.ts'

/**
 * Where servers that speak an OpenAI dialect differ, by provider. What is not listed is as `usual`: it knows every spelling, since
 * a field that is there was meant, whoever sent it.
 */
export interface Traits {
  /**
   * Where `reasoning_tokens` are: part of `completion_tokens`, or beside them and part of the total, or in neither. The total, where
   * there is one, decides between the first two.
   */
  readonly reasoning: 'inside' | 'beside' | 'beyond'
  /** True where the total is larger than prompt and completion by reasoning tokens that no field names. */
  readonly isGapReasoning: boolean
  /** True where the stream ends with `[DONE]`; elsewhere the usage that follows the last choice is its end as well. */
  readonly endsWithDone: boolean
  /** What the provider itself says that the call cost. */
  readonly costOf: (usage: Json) => PicoUsd | undefined
}

const ticks = (usage: Json): PicoUsd | undefined => usdOfTicks(usage.cost_in_usd_ticks)

/**
 * `cost` is what OpenRouter takes. With the caller's own provider key it is only the fee, and the provider bills the inference
 * besides; without one `upstream_inference_cost` is part of `cost` and must not be added (openrouter.ai/docs, usage accounting).
 * Vercel's gateway answers in the same terms; there `cost` is the inference alone, and `gateway_cost` has the surcharges too.
 */
const openrouterCost = (usage: Json): PicoUsd | undefined => {
  const cost = usdOf(usage.gateway_cost) ?? usdOf(usage.cost)
  if (cost === undefined || usage.is_byok !== true) return cost
  return (cost + (usdOf(objectOf(usage.cost_details)?.upstream_inference_cost) ?? 0n)) as PicoUsd
}

const totalCost = (usage: Json): PicoUsd | undefined => usdOf(objectOf(usage.cost)?.total_cost)

/** A number alone may be of any currency; beside OpenRouter's details it is OpenRouter's, whichever host it came through. */
const usualCost = (usage: Json): PicoUsd | undefined =>
  ticks(usage) ?? (objectOf(usage.cost_details) === undefined ? undefined : openrouterCost(usage))

const usual: Traits = { reasoning: 'inside', isGapReasoning: false, endsWithDone: false, costOf: usualCost }
const openaiLike: Traits = { ...usual, endsWithDone: true }

export const traits: Readonly<Record<string, Traits>> = {
  openai: openaiLike,
  azure: openaiLike,
  deepseek: openaiLike,
  groq: openaiLike,
  moonshotai: openaiLike,
  mistral: openaiLike,
  xai: { ...openaiLike, reasoning: 'beside' },
  openrouter: { ...openaiLike, costOf: openrouterCost },
  perplexity: { ...usual, reasoning: 'beyond', costOf: totalCost },
  // The compatibility endpoint of Gemini counts thoughts in the total alone.
  google: { ...usual, isGapReasoning: true },
  vertex: { ...usual, isGapReasoning: true },
}

/** What is known of a provider's servers. */
export const traitsOf = (provider: string): Traits => (Object.hasOwn(traits, provider) ? (traits[provider] ?? usual) : usual)
