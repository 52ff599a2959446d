import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Attribution } from '../core/attribution.ts'
import type { Basis } from '../core/charge.ts'
import { formatUsd, zeroUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price-book.ts'
import { type UsageFlag, usedUnits } from '../core/usage.ts'
import type { BudgetGuard } from '../guard/guard.ts'
import type { Dialect, RequestReport, UsageReport } from '../providers/dialect.ts'
import type { Caller } from './admission.ts'
import { clipped, ownHeaderPrefix } from './attribution.ts'
import { type Ending, finishedCall } from './call-events.ts'
import type { MutableCounters, Outcome } from './counters.ts'
import { errorBodyOf, type GatewayError } from './error-forms.ts'
import type { GatewayLimits } from './limits.ts'
import type { Outbox } from './outbox.ts'
import { type BodySize, type HeldBody, type HeldBytes, likelyTokens, type PromptHash } from './request-body.ts'
import type { Route } from './route.ts'
import type { Later } from './turn.ts'
import type { UpstreamPools } from './upstream-pools.ts'
import { errorFormOf } from './upstreams.ts'

/** What all calls of one gateway share. */
export interface Workshop {
  readonly book: () => PriceBook
  readonly guard: BudgetGuard | undefined
  readonly meterFailure: 'pass' | 'block'
  readonly limits: GatewayLimits
  readonly pools: UpstreamPools
  readonly outbox: Outbox
  readonly promptHash: PromptHash
  readonly nextId: () => string
  readonly now: () => number
  readonly counters: MutableCounters
  readonly held: HeldBytes
  /** Does many small things in one go (turn.ts). */
  readonly atEndOfTurn: Later
  readonly soon: Later
  readonly finished: () => void
  readonly warn: (sentence: string) => void
}

/** One request of a client on its way to an upstream and back. */
export interface Exchange {
  readonly shop: Workshop
  readonly route: Route
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly caller: Caller
  readonly startedAt: number
  /** Absent: not a model call, or none that can be metered; it passes untouched. */
  readonly dialect: Dialect | undefined
  call: MeteredCall | undefined
  /** Of a metered call, until it is sent. */
  body: HeldBody | undefined
  /** The client left before it had the whole answer. */
  isClientGone: boolean
  firstByteAt: number | undefined
  isOver: boolean
}

/** What is known of a metered call before it is sent. */
export interface MeteredCall {
  readonly id: string
  readonly dialect: Dialect
  readonly size: BodySize
  readonly asked: RequestReport
  readonly attribution: Attribution
  readonly promptHash: string | undefined
  readonly reservation: string | undefined
  /** We asked for the usage of its stream, and take it out of the answer again. */
  readonly isUsageOurs: boolean
  /** The request was on its way: the provider may have worked for it. */
  isSent: boolean
  isRecorded: boolean
}

/**
 * Metering never breaks a call: what fails in it is counted, and the call goes on. Only the kind of the error is told, since its
 * message may quote what was being read.
 */
export const safely = <Result>(shop: Pick<Workshop, 'counters' | 'warn'>, work: () => Result): Result | undefined => {
  try {
    return work()
  } catch (error) {
    meterFailed(shop, error)
    return undefined
  }
}

export const meterFailed = ({ counters, warn }: Pick<Workshop, 'counters' | 'warn'>, error: unknown): void => {
  counters.meterErrors += 1
  if (counters.meterErrors > 1) return
  warn(`A call could not be metered: ${error instanceof Error ? error.name : typeof error}. This is a fault of the gateway.`)
}

/** The exchange is over; said once. */
export const over = (x: Exchange, outcome: Outcome): void => {
  if (x.isOver) return
  x.isOver = true
  x.shop.counters.inFlight -= 1
  x.shop.counters.requests[outcome] += 1
  x.shop.finished()
}

/** Answers in place of the upstream. */
export const refuse = (x: Exchange, outcome: Outcome, error: GatewayError): void => {
  answerError(x.response, error, errorFormOf(x.route.upstream, x.dialect?.name))
  over(x, outcome)
}

export const answerError = (response: ServerResponse, error: GatewayError, form: Parameters<typeof errorBodyOf>[1]): void => {
  if (response.headersSent || response.destroyed) return
  const body = Buffer.from(errorBodyOf(error, form))
  const headers: string[] = ['content-type', 'application/json', 'content-length', String(body.length)]
  if (error.shouldRetry !== undefined) headers.push('x-should-retry', String(error.shouldRetry))
  if (error.retryAfterSeconds !== undefined) headers.push('retry-after', String(error.retryAfterSeconds))
  if (error.status === 401) headers.push('www-authenticate', 'Bearer')
  response.writeHead(error.status, headers)
  response.end(body)
}

const nothing = { cost: zeroUsd, tokens: 0 }

/** A call that never left: there is nothing to tell the ledger, and nothing stays set aside. */
export const abandon = ({ shop }: Exchange, call: MeteredCall): void => {
  if (call.isRecorded) return
  call.isRecorded = true
  if (call.reservation !== undefined) shop.guard?.settle(call.reservation, nothing)
}

export interface Told {
  readonly id: string
  readonly costUsd: string | undefined
  readonly basis: Basis
}

export interface CallEnd extends Pick<Ending, 'status' | 'error' | 'requestId'> {
  readonly report?: UsageReport | undefined
  readonly flags?: readonly UsageFlag[]
  /** The answer is not whole: the client left, or the upstream broke off. */
  readonly isCut?: boolean
}

/** The call is over: its events go to the ledger, its reservation is settled. Said once; gives what the answer may say of it. */
export const record = (x: Exchange, call: MeteredCall, end: CallEnd): Told | undefined => {
  if (call.isRecorded) return undefined
  call.isRecorded = true
  return safely(x.shop, () => tellLedger(x, call, end))
}

const tellLedger = (x: Exchange, call: MeteredCall, ending: CallEnd): Told => {
  const { shop, route } = x
  const now = shop.now()
  const { entries, charge, used } = finishedCall(
    {
      id: call.id,
      at: x.startedAt,
      provider: route.upstream.provider,
      requestedModel: call.asked.model === undefined ? undefined : clipped(call.asked.model),
      operation: call.asked.operation,
      attempt: attemptOf(x.request),
      promptHash: call.promptHash,
      attribution: call.attribution,
    },
    {
      ...ending,
      report: ending.isCut && call.isSent ? likelyReport(call, ending.report) : ending.report,
      durationMs: Math.max(0, now - x.startedAt),
      firstByteMs: x.firstByteAt === undefined ? undefined : Math.max(0, x.firstByteAt - x.startedAt),
    },
    shop.book(),
  )
  for (const entry of entries) shop.outbox.add(entry)
  if (call.reservation !== undefined) shop.guard?.settle(call.reservation, used)
  return { id: call.id, basis: charge.basis, costUsd: charge.basis === 'unpriced' ? undefined : formatUsd(charge.total) }
}

/** A call that broke off before its answer told anything has still been put to the model: its prompt is estimated, never taken for nothing. */
const likelyReport = (call: MeteredCall, report: UsageReport | undefined): UsageReport | undefined => {
  const input = likelyTokens(call.size)
  if (input === 0 || (report !== undefined && usedUnits(report.usage).length > 0)) return report
  return { flags: [], ...report, usage: { input }, quality: 'estimated' }
}

/** The official clients number their tries; others may say it in a header of ours. */
const attemptOf = (request: IncomingMessage): number => {
  const text = request.headers['x-stainless-retry-count'] ?? request.headers[`${ownHeaderPrefix}attempt`]
  return typeof text === 'string' && /^\d{1,3}$/.test(text) ? Number(text) : 0
}
