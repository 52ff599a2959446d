import type { Attribution } from '../core/attribution.ts'
import type { Charge } from '../core/charge.ts'
import type { CallStatus, ModelCall } from '../core/event.ts'
import { derivedEventId } from '../core/event-id.ts'
import { type PicoUsd, picoUsd, zeroUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price-book.ts'
import { settleCharge } from '../core/settle.ts'
import { totalTokensOf, type UsageFlag } from '../core/usage.ts'
import type { Used } from '../guard/guard.ts'
import { billedModelOf } from '../providers/billed-model.ts'
import type { UsageReport } from '../providers/dialect.ts'
import { clipped } from './attribution.ts'
import type { ModelEntry } from './outbox.ts'

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

/** A finished call: its entry, one for each other model that was billed inside the same answer, and what they cost together. */
export interface FinishedCall {
  readonly entries: readonly ModelEntry[]
  /** Of the call itself. */
  readonly charge: Charge
  readonly used: Used
}

/** Everything in an entry holds what the intake's door asks of an event, since these do not pass through it. */
export const finishedCall = (facts: CallFacts, ending: Ending, book: PriceBook): FinishedCall => {
  const main = entryOf(eventOf(facts, ending, ending.report, 0), book)
  const others = (ending.report?.also ?? []).map((report, index) => entryOf(eventOf(facts, ending, report, index + 1), book))
  const entries = [main, ...others]
  return { entries, charge: main.charge, used: usedBy(entries) }
}

const entryOf = (event: ModelCall, book: PriceBook): ModelEntry => ({ event, charge: settleCharge(event, book) })

type Draft = { -readonly [Name in keyof ModelCall]: ModelCall[Name] }

const eventOf = (facts: CallFacts, ending: Ending, report: UsageReport | undefined, step: number): ModelCall => {
  const { attribution, provider, requestedModel, operation, promptHash } = facts
  const event: Draft = {
    ...attribution,
    id: step === 0 ? facts.id : derivedEventId(facts.id, step),
    at: facts.at,
    source: 'gateway',
    kind: 'llm',
    provider,
    model: clipped((step === 0 ? billedModelOf(provider, report?.model, requestedModel) : report?.model) || 'unknown'),
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
  if (requestedModel) event.requestedModel = clipped(requestedModel)
  if (ending.error) event.error = clipped(ending.error)
  if (promptHash !== undefined) event.promptHash = promptHash
  event.durationMs = Math.min(Math.round(ending.durationMs), durationMsMax)
  if (ending.firstByteMs !== undefined) event.firstByteMs = Math.min(Math.round(ending.firstByteMs), durationMsMax)
  return event
}

const durationMsMax = 7 * 24 * 3_600_000
/** What a provider says that one call cost is a mistake past a million dollars; the price book then says it. */
const reportedMax: PicoUsd = picoUsd(10n ** 18n)

const describe = (event: Draft, report: UsageReport | undefined, more: readonly UsageFlag[] | undefined): void => {
  const flags = more === undefined ? report?.flags : [...new Set([...(report?.flags ?? []), ...more])]
  if (flags !== undefined && flags.length > 0) event.flags = flags
  if (report?.tier) event.tier = clipped(report.tier)
  if (report?.speed) event.speed = clipped(report.speed)
  if (report?.region) event.region = clipped(report.region)
  const reported = report?.reportedCost
  if (reported !== undefined && reported >= zeroUsd && reported <= reportedMax) event.reportedCost = reported
}

/** An error that says nothing of usage has none: providers bill answers. Of any other answer it is missing. */
const qualityOf = (report: UsageReport | undefined, status: CallStatus): UsageReport['quality'] => {
  if (report === undefined || report.quality === 'missing') return status === 'error' ? 'complete' : 'missing'
  return report.quality
}

const usedBy = (entries: readonly ModelEntry[]): Used => {
  let tokens = 0
  let cost = 0n
  let isPriced = true
  for (const { event, charge } of entries) {
    tokens += totalTokensOf(event.usage)
    if (charge.basis === 'unpriced') isPriced = false
    else cost += charge.total
  }
  return isPriced ? { cost: picoUsd(cost), tokens } : { tokens }
}
