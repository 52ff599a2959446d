import type { Confidence } from '../../src/core/book-json.ts'
import type { Unit } from '../../src/core/units.ts'
import type { Variant } from '../../src/core/variant.ts'

/** The sources, the most trustworthy first: what one says alone stands over what a later one says alone. */
export const sourceIds = ['genai-prices', 'langfuse', 'models-dev', 'portkey', 'litellm'] as const
export type SourceId = (typeof sourceIds)[number]

/** What one source says of one model, for as long as it says so. */
export interface Candidate {
  readonly source: SourceId
  readonly provider: string
  readonly model: string
  /** The day on which the source said so. */
  readonly asOf: string
  /** First day of the rates, where the source dates them. */
  readonly from?: string
  /** The source has dated rates for this model: what is undated then holds before the first date, and no longer. */
  readonly isDated?: boolean
  readonly rates: ReadonlyMap<Slot, string>
  /** Price lists that are stated as a multiple of the standard one. */
  readonly multipliers?: ReadonlyMap<string, string>
  readonly outputMax?: number
  /** For a source that has rules rather than names: whether the rule takes a model of this name. */
  readonly matches?: (name: string) => boolean
}

export interface Agreed {
  readonly value: string
  readonly confidence: Confidence
}

/** The rates of one model from a day on (or from ever), as the sources have it together. */
export interface AgreedPeriod {
  readonly from?: string
  readonly rates: ReadonlyMap<Slot, Agreed>
  /** Price lists that are a multiple of the standard one. */
  readonly multipliers: ReadonlyMap<string, Agreed>
}

/** Where a rate belongs in a price list: which list, from which prompt size on (0 for all), of which unit. */
export type Slot = `${string}|${number}|${Unit}`

export const slotOf = (list: string, threshold: number, unit: Unit): Slot => `${list}|${threshold}|${unit}`

export interface SlotParts {
  readonly list: string
  readonly threshold: number
  readonly unit: Unit
}

export const partsOf = (slot: Slot): SlotParts => {
  const [list = '', threshold = '0', unit] = slot.split('|')
  return { list, threshold: Number(threshold), unit: unit as Unit }
}

/** The name of a price list: '' for the standard one, else its variant ("tier=batch,region=eu") or its hours ("hours=01:00-04:00"). */
export const listOf = ({ tier, speed, region }: Variant): string =>
  [tier && `tier=${tier}`, speed && `speed=${speed}`, region && `region=${region}`].filter(Boolean).join(',')

export const variantOf = (list: string): Variant =>
  Object.fromEntries(list.split(',').flatMap((part) => (part.includes('=') ? [part.split('=') as [string, string]] : [])))

/**
 * A source's number × 10^shift as a plain decimal string without trailing zeros. The number is first rounded to twelve
 * significant digits, which takes off the noise of binary floats (2.9999999999999997e-06) and no digit of any true rate.
 */
export const decimalOf = (value: number, shift: number): string => {
  if (value === 0) return '0'
  const match = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential(11))
  if (!match || value < 0) throw new Error(`A rate should be a number that is not negative, got ${value}.`)
  const fraction = match[2] ?? ''
  const digits = `${match[1]}${fraction}`
  const decimals = fraction.length - Number(match[3]) - shift
  if (decimals <= 0) return BigInt(digits + '0'.repeat(-decimals)).toString()
  const padded = digits.padStart(decimals + 1, '0')
  return `${padded.slice(0, -decimals)}.${padded.slice(-decimals)}`.replace(/\.?0+$/, '')
}

/** Collects the rates of a candidate; what is not a number is not a price. */
export const createRates = () => {
  const rates = new Map<Slot, string>()
  return {
    rates,
    add(list: string, threshold: number, unit: Unit, value: unknown, shift: number): void {
      if (typeof value === 'number' && Number.isFinite(value) && value >= 0)
        rates.set(slotOf(list, threshold, unit), decimalOf(value, shift))
    },
  }
}

export const noPrice = 'no source has a price for it that is read'

/** A model that a source names and that is no candidate, and why. */
export interface Left {
  readonly provider: string
  readonly model: string
  readonly why: string
}

/** What a reader made of a source: its candidates, the models that it left, and the names of prices that it does not know. */
export interface Reading {
  readonly candidates: readonly Candidate[]
  readonly left: readonly Left[]
  readonly unread: readonly string[]
}
