import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PriceBook } from '../core/price-book.ts'
import type { BudgetGuard } from '../guard/guard.ts'
import type { KeyRing } from '../intake/keys.ts'
import { type Admission, admissionOf } from './admission.ts'
import { createCounters, type GatewayCounters } from './counters.ts'
import type { GatewayError } from './error-forms.ts'
import { createEventIds } from './event-ids.ts'
import { answerError, meterFailed, type Workshop } from './exchange.ts'
import { type GatewayLimits, gatewayLimits } from './limits.ts'
import { createMemorySpool } from './memory-spool.ts'
import { type Admitting, createOutbox } from './outbox.ts'
import { createPromptHash } from './request-body.ts'
import { isEvasive, type Route, routeOf } from './route.ts'
import { createSpool } from './spool.ts'
import { startExchange } from './start-exchange.ts'
import { createSweep, createTurn } from './turn.ts'
import { createUpstreamPools } from './upstream-pools.ts'
import { errorFormOf, parseUpstreams, type Upstreams } from './upstreams.ts'

export interface GatewayOptions {
  /** Where events go: the intake of the same process. */
  readonly intake: Admitting
  /** Asked for at every call, so that a reload is a plain assignment. */
  readonly book: () => PriceBook
  /** Absent: nothing is held to a budget. */
  readonly guard?: BudgetGuard
  /** Asked for at every request. Absent or empty: this machine only. */
  readonly keys?: () => KeyRing
  /** From `parseUpstreams`; absent: the known ones. */
  readonly upstreams?: Upstreams
  /** What becomes of a call while the ledger fails. Absent: `pass`. */
  readonly meterFailure?: 'pass' | 'block'
  /** Where events wait while the ledger fails; absent: in memory, for as long as the process lives. */
  readonly spoolFolder?: string
  /** Key of the prompt hashes; absent: a random one. */
  readonly hashKey?: string
  readonly limits?: Partial<GatewayLimits>
  /** UTC milliseconds. */
  readonly now?: () => number
  /** Told of what an operator should know. Never holds anything of a request or an answer. */
  readonly warn?: (sentence: string) => void
}

export interface Gateway {
  /** True when the path is one of the gateway's and the request is taken; false, and nothing has happened, otherwise. */
  handle(request: IncomingMessage, response: ServerResponse): boolean
  /** From now on these upstreams; calls under way are not disturbed. */
  setUpstreams(upstreams: Upstreams): void
  counters(): GatewayCounters
  /** Takes no more calls, lets those under way end (at most `withinMs`), and puts every event into the ledger or on disk. */
  close(withinMs?: number): Promise<void>
}

/** Stands between clients and providers: takes bytes there and back untouched, and tells the ledger what they cost. Does not listen. */
export const createGateway = (options: GatewayOptions): Gateway => {
  const limits = { ...gatewayLimits, ...options.limits }
  const { intake, warn, spoolFolder } = options
  const spool =
    spoolFolder === undefined
      ? createMemorySpool(limits.waitingEventsMax)
      : createSpool({ folder: spoolFolder, bytesMax: limits.spoolBytesMax })
  const now = options.now ?? Date.now
  let upstreams = options.upstreams ?? parseUpstreams([])
  let isClosed = false
  let idle: (() => void) | undefined
  const shop: Workshop = {
    book: options.book,
    guard: options.guard,
    meterFailure: options.meterFailure ?? 'pass',
    limits,
    pools: createUpstreamPools(limits),
    outbox: createOutbox({ intake, spool, limits, ...(warn && { warn }) }),
    promptHash: createPromptHash(options.hashKey),
    nextId: createEventIds(now),
    now,
    counters: createCounters(),
    held: { total: 0 },
    atEndOfTurn: createTurn((error) => meterFailed(shop, error)),
    soon: createSweep(sweepMs, (error) => meterFailed(shop, error)),
    warn: warn ?? (() => undefined),
    finished: () => {
      if (shop.counters.inFlight === 0) idle?.()
    },
  }

  const refuseEarly = (
    route: Route,
    response: ServerResponse,
    outcome: 'unauthorized' | 'blocked' | 'failed',
    error: GatewayError,
  ): void => {
    shop.counters.requests[outcome] += 1
    answerError(response, error, errorFormOf(route.upstream, undefined))
  }

  const admit = (route: Route, request: IncomingMessage, response: ServerResponse): void => {
    const admission = admissionOf(request, route, options.keys?.())
    if (!(admission instanceof Promise)) enter(admission, route, request, response)
    else
      admission.then(
        (later) => enter(later, route, request, response),
        () => refuseEarly(route, response, 'unauthorized', uncheckedError),
      )
  }

  const enter = (admission: Admission, route: Route, request: IncomingMessage, response: ServerResponse): void => {
    if ('error' in admission) refuseEarly(route, response, 'unauthorized', admission.error)
    else startExchange(shop, route, request, response, admission.caller)
  }

  return {
    handle(request, response) {
      const route = routeOf(request.url ?? '', upstreams)
      if (route === undefined) return false
      if (isClosed) refuseEarly(route, response, 'blocked', closedError)
      else if (shop.counters.inFlight >= limits.inFlightMax) refuseEarly(route, response, 'blocked', fullError(limits.inFlightMax))
      else if (isEvasive(route.path)) refuseEarly(route, response, 'failed', evasiveError)
      else admit(route, request, response)
      return true
    },
    setUpstreams(next) {
      upstreams = next
      shop.pools.keepOnly(new Set(next.values()))
    },
    counters: () => ({
      ...shop.counters,
      requests: { ...shop.counters.requests },
      events: shop.outbox.counters(),
      waitingEvents: shop.outbox.waiting,
      spoolBytes: spool.bytes,
      isLedgerFailing: shop.outbox.isFailing,
    }),
    async close(withinMs = 10_000) {
      isClosed = true
      if (shop.counters.inFlight > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, withinMs)
          idle = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      // What is still under way is broken off, so that its event is written before the ledger is closed.
      await shop.pools.destroy()
      await shop.outbox.close()
    },
  }
}

/** How late it may be seen that a stream which stays open is complete. */
const sweepMs = 25

const uncheckedError: GatewayError = { status: 503, code: 'INTERNAL', message: 'The key could not be checked.' }
const closedError: GatewayError = { status: 503, code: 'UPSTREAM_FAILED', message: 'This gateway is being stopped.', retryAfterSeconds: 5 }
const fullError = (most: number): GatewayError => ({
  status: 503,
  code: 'UPSTREAM_FAILED',
  message: `This gateway already has ${most} calls under way.`,
  retryAfterSeconds: 1,
})
const evasiveError: GatewayError = { status: 400, code: 'BAD_REQUEST', message: 'A path may not have dot segments or backslashes.' }
