import type { Unit } from '../../src/core/units.ts'
import { type Candidate, createRates, type Left, noPrice, type Reading, type Slot } from './candidate.ts'
import { providerSources } from './providers.ts'

type Match =
  | { readonly or: readonly Match[] }
  | { readonly and: readonly Match[] }
  | { readonly equals: string }
  | { readonly contains: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly regex: string }

type Price = number | { readonly base: number; readonly tiers: readonly { readonly start: number; readonly price: number }[] }
type Prices = Readonly<Record<string, Price>>

interface Conditional {
  readonly constraint?: { readonly start_date: string } | { readonly start_time: string; readonly end_time: string }
  readonly prices: Prices
}

export interface GenaiProvider {
  readonly id: string
  readonly models: readonly { readonly id: string; readonly match: Match; readonly prices: Prices | readonly Conditional[] }[]
}

/** Their price keys: our unit, and the power of ten from their quantity to ours. */
const units: Readonly<Record<string, readonly [Unit, number]>> = {
  input_mtok: ['input', 0],
  output_mtok: ['output', 0],
  cache_read_mtok: ['cache_read', 0],
  cache_write_mtok: ['cache_write_5m', 0],
  cache_write_1h_mtok: ['cache_write_1h', 0],
  input_audio_mtok: ['input_audio', 0],
  cache_audio_read_mtok: ['cache_read_audio', 0],
  output_audio_mtok: ['output_audio', 0],
  input_image_mtok: ['input_image', 0],
  cache_image_read_mtok: ['cache_read_image', 0],
  output_image_mtok: ['output_image', 0],
  output_reasoning_mtok: ['reasoning', 0],
  web_searches_kcount: ['web_search', 0],
  storage_searches_kcount: ['file_search', 0],
  requests_kcount: ['request', 0],
  input_audio_hours: ['second', 0],
  input_document_kpages: ['page', 0],
}

/** Reads pydantic/genai-prices: dollars per million tokens, match rules per provider, dated and hourly prices. */
export const readGenai = (json: readonly GenaiProvider[], asOf: string): Reading => {
  const candidates: Candidate[] = []
  const left: Left[] = []
  const unread = new Set<string>()
  for (const [provider, { genai = [] }] of Object.entries(providerSources))
    for (const { models } of json.filter(({ id }) => genai.includes(id)))
      for (const { id, match, prices } of models) {
        const dated = periodsOf(
          'prices' in ((prices as readonly Conditional[])[0] ?? {}) ? (prices as readonly Conditional[]) : [{ prices: prices as Prices }],
        )
        for (const { from, lists } of dated) {
          const rates = ratesOf(lists, unread)
          if (rates.size === 0) {
            left.push({ provider, model: id, why: noPrice })
            continue
          }
          candidates.push({
            source: 'genai-prices',
            provider,
            // They name the endpoints of a continent "regional."; the names in use are "us.", "eu." and so on.
            model: id.replace(/^regional\./, 'us.'),
            asOf,
            ...(from !== undefined && { from }),
            ...(dated.length > 1 && { isDated: true }),
            rates,
            // Those rules also take names without a continent, which are endpoints of another price.
            matches: (name) => isMatch(match, name) && (!id.startsWith('regional.') || /^[a-z-]{2,6}\./.test(name)),
          })
        }
      }
  return { candidates, left, unread: [...unread] }
}

interface Dated {
  readonly from?: string
  readonly lists: [list: string, prices: Prices][]
}

/**
 * Their conditional prices as dated ones. Hours of the day are listed without a date, so that a reader would apply them to the
 * time before they existed; they belong to the last dated period.
 */
const periodsOf = (prices: readonly Conditional[]): readonly Dated[] => {
  const periods: Dated[] = []
  for (const { constraint, prices: card } of prices) {
    if (constraint !== undefined && 'start_time' in constraint) {
      const hours = `hours=${constraint.start_time.slice(0, 5)}-${constraint.end_time.slice(0, 5)}`
      periods.at(-1)?.lists.push([hours, card])
    } else {
      periods.push({ ...(constraint !== undefined && { from: constraint.start_date }), lists: [['', card]] })
    }
  }
  return periods
}

const ratesOf = (lists: Dated['lists'], unread: Set<string>): ReadonlyMap<Slot, string> => {
  const { rates, add } = createRates()
  for (const [list, prices] of lists)
    for (const [key, price] of Object.entries(prices)) {
      const unit = units[key]
      if (unit === undefined) {
        unread.add(key)
        continue
      }
      const [name, shift] = unit
      add(list, 0, name, typeof price === 'number' ? price : price.base, shift)
      // Their tiers begin past `start`; where a provider's begin at the threshold they write 271999 for 272000.
      if (typeof price === 'object')
        for (const tier of price.tiers) add(list, Math.round(tier.start / 1000) * 1000, name, tier.price, shift)
    }
  return rates
}

const isMatch = (match: Match, name: string): boolean => {
  if ('or' in match) return match.or.some((part) => isMatch(part, name))
  if ('and' in match) return match.and.every((part) => isMatch(part, name))
  if ('equals' in match) return name === match.equals
  if ('contains' in match) return name.includes(match.contains)
  if ('starts_with' in match) return name.startsWith(match.starts_with)
  if ('ends_with' in match) return name.endsWith(match.ends_with)
  return new RegExp(match.regex).test(name)
}
