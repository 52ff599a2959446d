import type { PicoUsd } from '../core/money.ts'
import { usdOf } from './reported-cost.ts'

/** Headers in which gateways say what an answer cost, in dollars. */
const costHeaders: readonly string[] = [
  // LiteLLM's proxy: docs.litellm.ai, "Response headers". It prints "None" when it does not know.
  'x-litellm-response-cost',
]

/**
 * What a gateway says an answer cost. A cost of exactly zero is not taken for an answer: gateways print it for models that they have
 * no price for and for streams whose end they have not seen when the headers go out.
 */
export const reportedCostOfHeaders = (headers: { get(name: string): string | null }): PicoUsd | undefined => {
  for (const name of costHeaders) {
    const cost = usdOf(headers.get(name) ?? undefined)
    if (cost !== undefined && cost > 0n) return cost
  }
  return undefined
}
