import type { Attribution } from '../core/attribution.ts'
import type { Charge } from '../core/charge.ts'
import type { CallStatus, ModelCall } from '../core/event.ts'
import { derivedEventId } from '../core/event-id.ts'
import { formatUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price-book.ts'
import { settleCharge } from '../core/settle.ts'
import { totalTokensOf, type UsageFlag } from '../core/usage.ts'
import type { Used } from '../guard/guard.ts'
import type { EventJson } from '../intake/event-json.ts'
import type { UsageReport } from '../providers/dialect.ts'
import { clipped } from './attribution.ts'

/** What is known of a call besides its answer. */
export interface CallFacts {
  readonly id: string
  readonly at: number
  readonly provider: string
  readonly requestedModel: string | undefined
  readonly operation: string | undefined
  readonly attempt: number
  readonly promptHash: string | undefined
  readonly attribution: Attribution
}

/** How a call ended, and what its answer told. */
export interface Ending {
  readonly status: CallStatus
  readonly error?: string | undefined
  readonly report?: UsageReport | undefined
  /** Names the answer where its body does not. */
  readonly requestId?: string | undefined
  readonly flags?: readonly UsageFlag[]
  readonly durationMs: number
  readonly firstByteMs: number | undefined
}

/** A finished call: its event, one for each other model that was billed inside the same answer, and what they cost together. */
export interface FinishedCall {
  readonly events: readonly EventJson[]
  /** Of the call itself. */
  readonly charge: Charge
  readonly used: Used
}

export const finishedCall = (facts: CallFacts, ending: Ending, book: PriceBook): FinishedCall => {
  const main = eventOf(facts, ending, ending.report, 0)
  const charge = chargeOf(main, facts, ending.report, book)
  const also = ending.report?.also
  if (also === undefined || also.length === 0) return { events: [main], charge, used: usedBy([charge], [ending.report]) }
  const others = also.map((report, index) => eventOf(facts, ending, report, index + 1))
  const charges = [charge, ...others.map((event, index) => chargeOf(event, facts, also[index], book))]
  return { events: [main, ...others], charge, used: usedBy(charges, [ending.report, ...also]) }
}

type Draft = { -readonly [Name in keyof EventJson]: EventJson[Name] }

const eventOf = (facts: CallFacts, ending: Ending, report: UsageReport | undefined, step: number): EventJson => {
  const { attribution, provider, requestedModel, operation, promptHash } = facts
  const event: Draft = {
    ...attribution,
    id: step === 0 ? facts.id : derivedEventId(facts.id, step),
    at: facts.at,
    kind: 'llm',
    provider,
    model: clipped(report?.model ?? requestedModel ?? 'unknown'),
    status: ending.status,
    attempt: facts.attempt,
    usage: report?.usage ?? {},
    quality: qualityOf(report, ending.status),
  }
  if (operation !== undefined) event.operation = operation
  describe(event, report, step === 0 ? ending.flags : undefined)
  const key = report?.responseId ?? ending.report?.responseId ?? ending.requestId
  if (key !== undefined) event.callKey = step === 0 ? clipped(`${provider}:${key}`, 400) : `${clipped(`${provider}:${key}`, 390)}#${step}`
  if (step > 0) return event
  if (requestedModel !== undefined) event.requestedModel = clipped(requestedModel)
  if (ending.error !== undefined) event.error = clipped(ending.error)
  if (promptHash !== undefined) event.promptHash = promptHash
  event.durationMs = ending.durationMs
  if (ending.firstByteMs !== undefined) event.firstByteMs = ending.firstByteMs
  return event
}

const describe = (event: Draft, report: UsageReport | undefined, more: readonly UsageFlag[] | undefined): void => {
  const flags = more === undefined ? report?.flags : [...new Set([...(report?.flags ?? []), ...more])]
  if (flags !== undefined && flags.length > 0) event.flags = flags
  if (report?.tier !== undefined) event.tier = clipped(report.tier)
  if (report?.speed !== undefined) event.speed = clipped(report.speed)
  if (report?.region !== undefined) event.region = clipped(report.region)
  if (report?.reportedCost !== undefined) event.reportedCostUsd = formatUsd(report.reportedCost)
}

/** An error that says nothing of usage has none: providers bill answers. Of any other answer it is missing. */
const qualityOf = (report: UsageReport | undefined, status: CallStatus): UsageReport['quality'] => {
  if (report === undefined || report.quality === 'missing') return status === 'error' ? 'complete' : 'missing'
  return report.quality
}

/** The charge that the ledger will come to: the same function, the same book. */
const chargeOf = (event: EventJson, facts: CallFacts, report: UsageReport | undefined, book: PriceBook): Charge =>
  settleCharge(
    {
      provider: facts.provider,
      model: event.model ?? 'unknown',
      at: facts.at,
      usage: report?.usage ?? {},
      quality: event.quality as ModelCall['quality'],
      status: event.status as CallStatus,
      ...(event.durationMs !== undefined && { durationMs: event.durationMs }),
      ...(report?.tier !== undefined && { tier: report.tier }),
      ...(report?.speed !== undefined && { speed: report.speed }),
      ...(report?.region !== undefined && { region: report.region }),
      ...(report?.reportedCost !== undefined && { reportedCost: report.reportedCost }),
    },
    book,
  )

const usedBy = (charges: readonly Charge[], reports: readonly (UsageReport | undefined)[]): Used => {
  const tokens = reports.reduce((sum, report) => sum + (report === undefined ? 0 : totalTokensOf(report.usage)), 0)
  let cost = 0n
  for (const charge of charges) {
    if (charge.basis === 'unpriced') return { tokens }
    cost += charge.total
  }
  return { cost: cost as NonNullable<Used['cost']>, tokens }
}
