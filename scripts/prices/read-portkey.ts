import type { Unit } from '../../src/core/units.ts'
import { type Candidate, createRates, decimalOf, listOf, type Reading, type Slot } from './candidate.ts'
import { providerSources } from './providers.ts'

interface Node {
  readonly price?: number
  readonly [key: string]: unknown
}
type Card = Readonly<Record<string, Node>>
interface Config {
  readonly pay_as_you_go?: Card
  readonly batch_config?: Card
}
interface Mode {
  readonly pricing_config?: Config
  readonly context_tiers?: Readonly<Record<string, { readonly pricing_config?: Config }>>
}
export interface PortkeyModel {
  readonly pricing_config?: Config
  readonly custom_pricing?: {
    readonly context_tier_map?: Readonly<Record<string, string>>
    readonly regions?: Readonly<Record<string, { readonly execution_modes?: Readonly<Record<string, Mode>> }>>
  }
}
export type PortkeyFile = Readonly<Record<string, PortkeyModel>>

/** Their names → our unit and the power of ten from cents for one to dollars for our quantity. */
const units: Readonly<Record<string, readonly [Unit, number]>> = {
  request_token: ['input', 4],
  request_text_token: ['input', 4],
  response_token: ['output', 4],
  response_text_token: ['output', 4],
  cache_read_input_token: ['cache_read', 4],
  cache_read_text_input_token: ['cache_read', 4],
  cache_write_input_token: ['cache_write_5m', 4],
  cache_write_1h: ['cache_write_1h', 4],
  request_audio_token: ['input_audio', 4],
  cache_read_audio_input_token: ['cache_read_audio', 4],
  response_audio_token: ['output_audio', 4],
  request_image_token: ['input_image', 4],
  cache_read_image_input_token: ['cache_read_image', 4],
  response_image_token: ['output_image', 4],
  image_token: ['output_image', 4],
  reasoning_token: ['reasoning', 4],
  web_search: ['web_search', 1],
  file_search: ['file_search', 1],
  x_search: ['x_search', 1],
  attachment_search: ['document_search', 1],
  code_execution: ['code_execution', 1],
}

/** Seen and left: they are no unit of ours, or price by a size that usage does not tell. */
const left = /^(additional_units|image|calculate|finetune|default_|video_|web_search_|cached_|code_interpreter|routing_|maps$|search$)/

/** Files that were older than their snapshot, with the last day for which they held. */
const stale: Readonly<Record<string, string>> = { deepseek: '2026-08-16' }

/** Reads Portkey-AI/models: cents per token; regions × execution modes × context tiers. One file per provider. */
export const readPortkey = (files: Readonly<Record<string, PortkeyFile>>, asOf: string): Reading => {
  const candidates: Candidate[] = []
  const unread = new Set<string>()
  for (const [provider, { portkey = [] }] of Object.entries(providerSources))
    for (const file of portkey)
      for (const [model, { rates }] of collect(files[file] ?? {}, unread))
        candidates.push({ source: 'portkey', provider, model, asOf: stale[file] ?? asOf, rates: withOtherUnits(model, rates) })
  return { candidates, left: [], unread: [...unread] }
}

/**
 * A rerank model's price of a search and a document reader's of a page stand under `request_token`: $2 per thousand searches
 * reads as $2,000 per million tokens. The same digits are right for a thousand of the true unit.
 */
const withOtherUnits = (model: string, rates: ReadonlyMap<Slot, string>): ReadonlyMap<Slot, string> => {
  const unit: Unit | undefined = /rerank|ranker/i.test(model) ? 'search_unit' : /ocr|document-ai/i.test(model) ? 'page' : undefined
  const input = rates.get('|0|input')
  if (unit === undefined || input === undefined || Number(input) < 100) return rates
  return new Map([[`|0|${unit}` as Slot, decimalOf(Number(input), -3)]])
}

type Collected = ReturnType<typeof createRates>

const collect = (file: PortkeyFile, unread: Set<string>): Map<string, Collected> => {
  const models = new Map<string, Collected>()
  for (const [key, model] of Object.entries(file)) {
    if (key === 'default') continue
    const { name, threshold } = nameOf(key)
    let collected = models.get(name)
    if (collected === undefined) models.set(name, (collected = createRates()))
    addConfig(collected, '', threshold, model.pricing_config, unread)
    addCustom(collected, model, unread)
  }
  return models
}

/**
 * Google's models are listed once for prompts up to a size and once beyond it ("gemini-2.5-pro-gt-128k"). The size in the name
 * is their own: since Gemini 2.5 the higher rates begin past 200k.
 */
const nameOf = (key: string): { name: string; threshold: number } => {
  const match = /^(.*?)-(lte|gt)-(128|200)k$/.exec(key)
  if (!match) return { name: key, threshold: 0 }
  const [, name = key, side] = match
  return { name, threshold: side === 'lte' ? 0 : /gemini-[01]\.|seed/.test(name) ? 128_000 : 200_000 }
}

const addCustom = (collected: Collected, { custom_pricing: custom }: PortkeyModel, unread: Set<string>): void => {
  const thresholds = new Map(Object.entries(custom?.context_tier_map ?? {}).map(([size, name]) => [name, Number(size)]))
  for (const [regions, { execution_modes: modes = {} }] of Object.entries(custom?.regions ?? {}))
    for (const region of regions === 'default' ? [undefined] : regions.split(','))
      for (const [mode, { pricing_config: flat, context_tiers: tiers = {} }] of Object.entries(modes)) {
        const list = listOf({
          ...(region !== undefined && { region }),
          ...(mode === 'fast' ? { speed: 'fast' } : mode !== 'standard' && { tier: mode }),
        })
        addConfig(collected, list, 0, flat, unread)
        for (const [tier, { pricing_config: config }] of Object.entries(tiers))
          addConfig(collected, list, thresholds.get(tier) ?? 0, config, unread)
      }
}

const addConfig = (collected: Collected, list: string, threshold: number, config: Config | undefined, unread: Set<string>): void => {
  addCard(collected, list, threshold, config?.pay_as_you_go, unread)
  addCard(collected, listOf({ tier: 'batch' }), threshold, list === '' ? config?.batch_config : undefined, unread)
}

const addCard = (collected: Collected, list: string, threshold: number, card: Card | undefined, unread: Set<string>): void => {
  const extra = (card?.additional_units ?? {}) as Card
  for (const [key, node] of [...Object.entries(extra), ...Object.entries(card ?? {})]) {
    const unit = units[key]
    if (unit !== undefined) collected.add(list, threshold, unit[0], node.price, unit[1])
    else if (!left.test(key)) unread.add(key)
  }
}
