import type { Unit } from '../../src/core/units.ts'
import { type Candidate, createRates, listOf, type Reading } from './candidate.ts'
import { providerSources } from './providers.ts'

interface Condition {
  readonly key?: string
  readonly values?: readonly string[]
  readonly operator: string
  readonly value?: number
}
export interface LangfuseModel {
  readonly modelName: string
  readonly updatedAt: string
  readonly pricingTiers: readonly { readonly conditions: readonly Condition[]; readonly prices: Readonly<Record<string, number>> }[]
}

/** The same price stands under every name that a usage object may use; one name per unit is enough, the first that is there. */
const units: Readonly<Partial<Record<Unit, readonly string[]>>> = {
  input: ['input', 'input_text', 'input_tokens', 'total'],
  output: ['output', 'output_text', 'output_tokens'],
  cache_read: ['input_cache_read', 'cache_read_input_tokens', 'input_cached_tokens', 'input_cached_text_tokens'],
  cache_write_5m: ['input_cache_creation_5m', 'input_cache_creation', 'cache_creation_input_tokens'],
  cache_write_1h: ['input_cache_creation_1h'],
  reasoning: ['output_reasoning', 'output_reasoning_tokens', 'reasoning_tokens', 'thoughts_token_count'],
  input_audio: ['input_audio', 'input_audio_tokens'],
  cache_read_audio: ['input_cached_audio_tokens'],
  output_audio: ['output_audio', 'output_audio_tokens'],
  input_image: ['input_image'],
}

/** Reads Langfuse's default prices: dollars per token of OpenAI's, Anthropic's and Google's models, with curated tiers. */
export const readLangfuse = (json: readonly LangfuseModel[]): Reading => {
  const candidates: Candidate[] = []
  for (const model of json) {
    const provider = Object.entries(providerSources).find(([, { langfuse }]) => langfuse?.test(model.modelName))?.[0]
    if (provider === undefined) continue
    const { rates, add } = createRates()
    for (const { conditions, prices } of model.pricingTiers) {
      const list = placeOf(conditions)
      if (list === undefined) continue
      for (const [unit, names = []] of Object.entries(units) as [Unit, readonly string[]][]) {
        const name = names.find((one) => prices[one] !== undefined)
        if (name !== undefined) add(list.list, list.threshold, unit, prices[name], 6)
      }
      add(list.list, list.threshold, 'web_search', prices.web_search_queries, 3)
    }
    candidates.push({ source: 'langfuse', provider, model: model.modelName, asOf: model.updatedAt.slice(0, 10), rates })
  }
  return { candidates, left: [], unread: [] }
}

/** The price list of a set of conditions; undefined for a condition that is not known, rather than a guess. */
const placeOf = (conditions: readonly Condition[]): { list: string; threshold: number } | undefined => {
  let list = ''
  let threshold = 0
  for (const { key, values = [], operator, value } of conditions) {
    if (key === 'service_tier' && values.includes('flex')) list = listOf({ tier: 'flex' })
    else if (key === 'service_tier' && values.includes('priority')) list = listOf({ tier: 'priority' })
    else if (key === 'speed' && values.includes('fast')) list = listOf({ speed: 'fast' })
    else if (operator === 'gt' && value !== undefined) threshold = value
    else return undefined
  }
  return { list, threshold }
}
