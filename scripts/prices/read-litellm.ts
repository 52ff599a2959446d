import type { Unit } from '../../src/core/units.ts'
import { type Candidate, createRates, type Left, listOf, noPrice, type Reading } from './candidate.ts'
import { providerSources } from './providers.ts'

export type LitellmModel = Readonly<Record<string, unknown>>

/** Their keys without tier and size → our unit, and the power of ten from their quantity to ours. */
const units: Readonly<Record<string, readonly [Unit, number]>> = {
  input_cost_per_token: ['input', 6],
  output_cost_per_token: ['output', 6],
  output_cost_per_reasoning_token: ['reasoning', 6],
  cache_read_input_token_cost: ['cache_read', 6],
  cache_creation_input_token_cost: ['cache_write_5m', 6],
  cache_creation_input_token_cost_above_1hr: ['cache_write_1h', 6],
  input_cost_per_audio_token: ['input_audio', 6],
  cache_read_input_audio_token_cost: ['cache_read_audio', 6],
  output_cost_per_audio_token: ['output_audio', 6],
  input_cost_per_image_token: ['input_image', 6],
  output_cost_per_image_token: ['output_image', 6],
}

/** Keys that are read only for models of one mode, where their meaning is plain. */
const unitsByMode: Readonly<Record<string, typeof units>> = {
  audio_transcription: { input_cost_per_second: ['second', 0] },
  audio_speech: { input_cost_per_character: ['character', 6] },
  image_generation: { output_cost_per_image: ['image', 0] },
  ocr: { ocr_cost_per_page: ['page', 3] },
  rerank: { input_cost_per_query: ['search_unit', 3] },
}

/** Priced by what usage does not tell: seconds of video, edits, stores; or not a model. */
const modesLeft = new Set(['video_generation', 'image_edit', 'vector_store', 'search', 'moderation'])

/** Names that stand for a size, a class of models or a commitment rather than for a model. */
const notModels =
  /(^|\/)(\d+|max|low|medium|high|standard|hd)(-x-|\/)|steps?\/|-month-commitment|^together-ai-|^fireworks-ai-|^sample_spec$/

const tiers: Readonly<Record<string, string>> = { batches: 'batch', flex: 'flex', priority: 'priority' }

/** Reads LiteLLM's model prices: dollars per token; batch, flex and priority rates and prompt sizes in the names of the keys. */
export const readLitellm = (json: Readonly<Record<string, LitellmModel>>, asOf: string): Reading => {
  const ours = new Map(
    Object.entries(providerSources).flatMap(([provider, { litellm = [] }]) => litellm.map((name): [string, string] => [name, provider])),
  )
  const candidates: Candidate[] = []
  const left: Left[] = []
  const unread = new Set<string>()
  for (const [key, model] of Object.entries(json)) {
    const vendor = String(model.litellm_provider)
    const provider = ours.get(vendor)
    if (provider === undefined || notModels.test(key)) continue
    const { name, region } = nameOf(key, vendor, provider)
    if (modesLeft.has(String(model.mode))) {
      left.push({ provider, model: name, why: `no model of text or pictures (${model.mode})` })
      continue
    }
    const { rates, multipliers } = ratesOf(model, region === undefined ? {} : { region }, unread)
    const outputMax = outputMaxOf(model)
    if (rates.size > 0)
      candidates.push({ source: 'litellm', provider, model: name, asOf, rates, multipliers, ...(outputMax !== undefined && { outputMax }) })
    else left.push({ provider, model: name, why: noPrice })
  }
  return { candidates, left, unread: [...unread] }
}

/** Their keys begin with the vendor's name, and with a region where the price differs by it ("azure/eu/gpt-4o"). */
const nameOf = (key: string, vendor: string, provider: string): { name: string; region?: string } => {
  const [first = '', ...rest] = key.split('/')
  const prefix = vendor.replace(/-.*$|_converse$/, '')
  const name = rest.length > 0 && (first === prefix || first === vendor) ? rest.join('/') : key
  if (provider === 'azure') {
    const match = /^(?:(eu|us)|global|global-standard)\/(.+)$/.exec(name)
    if (match) return { name: match[2] ?? name, ...(match[1] !== undefined && { region: match[1] }) }
  }
  const match = provider === 'bedrock' ? /^([a-z]{2}(?:-gov)?-[a-z]+-\d)\/(.+)$/.exec(name) : null
  return match ? { name: match[2] ?? name, region: match[1] ?? '' } : { name }
}

const ratesOf = (model: LitellmModel, place: { region?: string }, unread: Set<string>) => {
  const { rates, add } = createRates()
  const byMode = unitsByMode[String(model.mode)] ?? {}
  for (const [key, value] of Object.entries(model)) {
    if (typeof value !== 'number' || !/cost/.test(key)) continue
    const match = /^(.+?)(?:_above_(\d+)k_tokens)?(?:_(batches|flex|priority))?$/.exec(key)
    const [, base = key, size, tier] = match ?? []
    const unit = units[base] ?? byMode[base]
    const name = tier === undefined ? undefined : tiers[tier]
    if (unit === undefined) unread.add(base)
    else
      add(
        listOf({ ...place, ...(name && { tier: name }) }),
        Number(size ?? 0) * 1000,
        unit[0],
        unit[0] === 'second' ? hourOf(value) : value,
        unit[1],
      )
  }
  const search = model.search_context_cost_per_query
  if (typeof search === 'object' && search !== null) {
    const sizes = new Set(Object.values(search))
    if (sizes.size === 1) add(listOf(place), 0, 'web_search', [...sizes][0], 3)
  }
  if (Array.isArray(model.tiered_pricing)) addRanges(add, model.tiered_pricing as readonly LitellmModel[])
  return { rates, multipliers: multipliersOf(model) }
}

/** A price of an hour, cut off to one of a second ($0.111 reads $0.00003083), with its own digits again. */
const hourOf = (second: number): number => {
  const hour = Number((second * 3600).toPrecision(3))
  return Math.abs(hour - second * 3600) < hour / 1000 ? hour : second * 3600
}

const addRanges = (add: ReturnType<typeof createRates>['add'], ranges: readonly LitellmModel[]): void => {
  for (const range of ranges) {
    const from = Array.isArray(range.range) ? Number(range.range[0]) : Number.NaN
    if (Number.isNaN(from)) continue
    for (const [key, value] of Object.entries(range)) {
      const unit = units[key]
      if (unit !== undefined) add('', from, unit[0], value, unit[1])
    }
  }
}

const multipliersOf = (model: LitellmModel): ReadonlyMap<string, string> => {
  const multipliers = new Map<string, string>()
  const add = (list: string, value: unknown) => typeof value === 'number' && multipliers.set(list, String(value))
  add('region=us', model.regional_processing_uplift_multiplier_us)
  add('region=eu', model.regional_processing_uplift_multiplier_eu)
  const special = model.provider_specific_entry as Readonly<Record<string, unknown>> | undefined
  add('region=us', special?.us)
  add('speed=fast', special?.fast)
  return multipliers
}

/** An output limit that is as large as the context is the context said twice. */
const outputMaxOf = ({ max_output_tokens: output, max_input_tokens: input }: LitellmModel): number | undefined =>
  typeof output === 'number' && Number.isInteger(output) && output > 0 && typeof input === 'number' && output < input ? output : undefined
