import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Decision } from '../guard/guard.ts'
import type { Dialect } from '../providers/dialect.ts'
import { dialectNamed, recogniseDialect } from '../providers/dialects.ts'
import type { Caller } from './admission.ts'
import { withUsageWish } from './ask-for-usage.ts'
import { attributionOf, ownHeaderPrefix } from './attribution.ts'
import type { GatewayError } from './error-forms.ts'
import { abandon, type Exchange, type MeteredCall, over, refuse, type Workshop } from './exchange.ts'
import { forward } from './forward.ts'
import { type HeldBody, holdBody, mostTokens } from './request-body.ts'
import type { Route } from './route.ts'
import { canAskForUsage, type Upstream } from './upstreams.ts'

/** Takes a request that may use its upstream through all its stages. */
export const startExchange = (shop: Workshop, route: Route, request: IncomingMessage, response: ServerResponse, caller: Caller): void => {
  const x: Exchange = {
    shop,
    route,
    request,
    response,
    caller,
    startedAt: shop.now(),
    dialect: dialectOf(route, request),
    call: undefined,
    isClientGone: false,
    firstByteAt: undefined,
    isOver: false,
  }
  shop.counters.inFlight += 1
  const { dialect } = x
  if (dialect === undefined) forward(x)
  else if (shop.meterFailure === 'block' && shop.outbox.isFailing) refuse(x, 'blocked', ledgerError)
  else
    holdBody(request, shop.limits, shop.held, (held) => {
      if (held === 'gone') over(x, 'aborted')
      else if (held === 'too-large') refuse(x, 'failed', tooLargeError(shop.limits.requestBytesMax))
      else reserve(x, dialect, held)
    })
}

/** Only POST asks a model for something; the path says for what. */
const dialectOf = ({ path, upstream }: Route, request: IncomingMessage): Dialect | undefined => {
  if (request.method !== 'POST') return undefined
  let known = knownOf.get(upstream)
  if (known === undefined) knownOf.set(upstream, (known = new Map()))
  if (known.has(path)) return known.get(path)
  const found = recogniseDialect({ path, provider: upstream.provider })?.dialect ?? dialectNamed(upstream.dialect ?? '')
  if (known.size >= knownMax) known.clear()
  known.set(path, found)
  return found
}

/** The dialects of paths that were asked for already; some have a model's name in them. */
const knownOf = new WeakMap<Upstream, Map<string, Dialect | undefined>>()
const knownMax = 1_000

/** Asks the budgets, if there are any, and sends the call on or answers why not. */
const reserve = (x: Exchange, dialect: Dialect, held: HeldBody): void => {
  const { shop, route, request, caller } = x
  const asked = dialect.ofRequest(held.fields, route.path)
  const key = caller.key
  const attribution = attributionOf(route.via, request.headers, key && { ...key.attribution, key: key.id })
  const call = { id: shop.nextId(), dialect, held, asked, attribution }
  if (shop.guard === undefined) {
    decided(x, call, undefined)
    return
  }
  const runBudgetUsd = request.headers[`${ownHeaderPrefix}run-budget-usd`]
  const decision = shop.guard.reserve({
    ...attribution,
    event: call.id,
    provider: route.upstream.provider,
    model: asked.model ?? 'unknown',
    promptTokens: mostTokens(held),
    ...(asked.outputMax !== undefined && { outputMax: asked.outputMax }),
    ...(typeof runBudgetUsd === 'string' && { runBudgetUsd }),
  })
  if (decision instanceof Promise)
    decision.then(
      (later) => decided(x, call, later),
      () => refuse(x, 'blocked', ledgerError),
    )
  else decided(x, call, decision)
}

const decided = (
  x: Exchange,
  call: Pick<MeteredCall, 'id' | 'dialect' | 'held' | 'asked' | 'attribution'>,
  decision: Decision | undefined,
): void => {
  if (decision?.allowed === false) {
    refuse(x, 'refused', budgetError(decision.refusal))
    return
  }
  const { held, dialect } = call
  x.call = {
    ...call,
    promptHash: x.shop.promptHash(held),
    reservation: decision?.reservation,
    wished: canAskForUsage(x.route.upstream, dialect.name) ? withUsageWish(held) : undefined,
    isSent: false,
    isRecorded: false,
  }
  if (!x.response.destroyed) {
    forward(x)
    return
  }
  // The client left while its budget was being looked up: nothing was sent.
  abandon(x, x.call)
  over(x, 'aborted')
}

const ledgerError: GatewayError = {
  status: 503,
  code: 'LEDGER_FAILED',
  message: 'The ledger does not take events just now, and this gateway is set to let no call pass unmetered ("meterFailure: block").',
  retryAfterSeconds: 5,
}

const tooLargeError = (bytesMax: number): GatewayError => ({
  status: 413,
  code: 'BODY_TOO_LARGE',
  message: `A request may have at most ${bytesMax} bytes.`,
})

const budgetError = (refusal: Extract<Decision, { readonly allowed: false }>['refusal']): GatewayError => ({
  status: 402,
  code: 'BUDGET_EXCEEDED',
  message: refusal.message,
  budget: refusal,
  shouldRetry: false,
})
