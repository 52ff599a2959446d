import type { Unit } from '../../src/core/units.ts'
import { type Candidate, createRates, listOf, type Reading } from './candidate.ts'
import { providerSources } from './providers.ts'

type Cost = Readonly<Record<string, unknown>>
export interface ModelsDevModel {
  readonly cost: Cost & { readonly tiers?: readonly (Cost & { readonly tier: { readonly size: number } })[] }
  readonly modes?: Readonly<
    Record<string, { readonly cost?: Cost; readonly provider?: { readonly body?: Readonly<Record<string, string>> } }>
  >
}
export type ModelsDev = Readonly<Record<string, Readonly<Record<string, ModelsDevModel>>>>

const units: Readonly<Record<string, Unit>> = {
  input: 'input',
  output: 'output',
  reasoning: 'reasoning',
  cache_read: 'cache_read',
  cached_input: 'cache_read',
  cache_write: 'cache_write_5m',
  cached_write: 'cache_write_5m',
  input_audio: 'input_audio',
  output_audio: 'output_audio',
  request: 'request',
}

/** Reads models.dev: dollars per million tokens, prompt sizes, fast modes. */
export const readModelsDev = (json: ModelsDev, asOf: string): Reading => {
  const candidates: Candidate[] = []
  const unread = new Set<string>()
  for (const [provider, { modelsDev = [] }] of Object.entries(providerSources))
    for (const theirs of modelsDev)
      for (const [model, { cost, modes = {} }] of Object.entries(json[theirs] ?? {})) {
        const { rates, add } = createRates()
        const addCost = (list: string, threshold: number, card: Cost) => {
          for (const [key, value] of Object.entries(card)) {
            const unit = units[key]
            if (unit !== undefined) add(list, threshold, unit, value, 0)
            else if (typeof value === 'number') unread.add(key)
          }
        }
        addCost('', 0, cost)
        for (const tier of cost.tiers ?? []) addCost('', tier.tier.size, tier)
        for (const mode of Object.values(modes)) {
          const { speed, service_tier: tier } = mode.provider?.body ?? {}
          if (mode.cost !== undefined && (speed || tier)) addCost(listOf({ ...(speed && { speed }), ...(tier && { tier }) }), 0, mode.cost)
        }
        candidates.push({ source: 'models-dev', provider, model, asOf, rates })
      }
  return { candidates, left: [], unread: [...unread] }
}
