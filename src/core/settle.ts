import { type Basis, bases, type Charge, chargeByCard, type ModelRef, type UnpricedReason } from './charge.ts'
import type { ModelCall, ToolCall } from './event.ts'
import { divideHalfEven, type PicoUsd, zeroUsd } from './money.ts'
import type { PriceBook, RateCard } from './price-book.ts'
import type { ToolPrices } from './tool-prices.ts'
import type { Unit } from './units.ts'
import { countMax, type Usage, type UsageQuality } from './usage.ts'

export type { ToolPrices } from './tool-prices.ts'

/** What settling needs to know of a model call: any event, or an answer that was read without one. */
export type CallToCharge = ModelRef &
  Pick<ModelCall, 'at' | 'usage' | 'quality'> &
  Partial<Pick<ModelCall, 'status' | 'durationMs' | 'reportedCost'>>

/**
 * The charge of a model call, as kept in the ledger: the one function that intake, quotes and repricing call.
 *
 * What the provider reports is the charge, and what the book computes is kept beside it. Without a report the book's charge
 * stands, but is never surer than the usage that it was computed from. An error that says nothing of usage costs exactly zero:
 * providers bill answers. An answer that says nothing, or that began and broke off, is unpriced. Never throws.
 */
export const settleCharge = (call: CallToCharge, book: PriceBook): Charge => chargeWithReport(computedCharge(call, book), call.reportedCost)

const computedCharge = (call: CallToCharge, book: PriceBook): Charge => {
  const isSilent = isUnused(call.usage)
  if (call.status === 'error' && isSilent && call.quality === 'complete')
    return { basis: 'computed', total: zeroUsd, lines: [], book: book.version }
  const card = book.find(call.provider, call.model, call.at, call)
  if (typeof card === 'string') return { basis: 'unpriced', reason: isSilent && call.quality !== 'complete' ? 'missing-usage' : card }
  const usage = withMachineTime(call.usage, call.durationMs, card)
  // A machine's time is known even where the answer told no usage; without it there is nothing to price.
  if (isSilent && call.quality !== 'complete' && usage === call.usage) return { basis: 'unpriced', reason: 'missing-usage' }
  return lessSure(chargeByCard(usage, card, book.version), basisOf[call.quality])
}

const isUnused = (usage: Usage): boolean => {
  for (const unit in usage) if ((usage[unit as Unit] ?? 0) > 0) return false
  return true
}

const basisOf = { complete: 'computed', partial: 'partial', missing: 'partial', estimated: 'estimated' } as const satisfies Record<
  UsageQuality,
  Basis
>

const lessSure = (charge: Charge, basis: 'computed' | 'partial' | 'estimated'): Charge =>
  charge.basis === 'unpriced' || bases.indexOf(charge.basis) >= bases.indexOf(basis) ? charge : { ...charge, basis }

/** The provider's word as the charge, with what the book computed beside it. Without a report the computed charge is returned as it is. */
export const chargeWithReport = (computed: Charge, reported: PicoUsd | undefined): Charge => {
  if (reported === undefined) return computed
  if (computed.basis === 'unpriced') return { basis: 'reported', total: reported, lines: [] }
  return { ...computed, basis: 'reported', total: reported, computed: computed.total }
}

/**
 * The usage with the time of the machine, for models that are priced by it; as it is for all others. The call's duration is
 * taken for the machine's: a local server answers one call with one machine.
 */
export const withMachineTime = (usage: Usage, durationMs: number | undefined, card: RateCard): Usage => {
  if (card.rates.machine_ms === undefined || usage.machine_ms !== undefined || durationMs === undefined) return usage
  const ms = Math.min(Math.round(durationMs), countMax)
  return ms > 0 ? { ...usage, machine_ms: ms } : usage
}

/** What settling needs to know of a tool call. `units` is how many of the tool's own unit it used, for tools that are priced by one. */
export type ToolCallToCharge = Pick<ToolCall, 'tool'> & Partial<Pick<ToolCall, 'cost' | 'durationMs'>> & { readonly units?: number }

/**
 * The charge of a tool call: what its caller says that it cost, else its configured price, else unpriced. A call that failed
 * costs the same: whoever sells the tool has done the work. One line, so that the total is the sum of the lines here too.
 */
export const toolCharge = (call: ToolCallToCharge, prices?: ToolPrices): Charge => {
  const cost = call.cost ?? configuredCost(call, prices)
  if (cost === undefined) return { basis: 'unpriced', reason: 'unpriced-tool' satisfies UnpricedReason }
  return { basis: 'computed', total: cost, lines: [{ unit: 'request', count: 1, rate: cost, per: 1, total: cost }] }
}

const configuredCost = (call: ToolCallToCharge, prices: ToolPrices | undefined): PicoUsd | undefined => {
  const price = prices?.get(call.tool)
  if (price === undefined) return undefined
  let cost: bigint = price.perCall ?? 0n
  if (price.perUnit !== undefined) {
    if (call.units === undefined) return undefined
    cost += BigInt(Math.round(call.units)) * price.perUnit
  }
  if (price.perHour !== undefined) {
    if (call.durationMs === undefined) return undefined
    cost += divideHalfEven(BigInt(Math.round(call.durationMs)) * price.perHour, 3_600_000n)
  }
  return cost as PicoUsd
}
