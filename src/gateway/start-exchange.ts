import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Unit } from '../core/units.ts'
import type { BudgetGuard, Decision } from '../guard/guard.ts'
import type { Dialect } from '../providers/dialect.ts'
import { dialectNamed, recogniseDialect } from '../providers/dialects.ts'
import { mayUseOf } from '../providers/may-use.ts'
import { usageWishOf } from '../providers/stream-usage.ts'
import type { Caller } from './admission.ts'
import { attributionOf, ownHeaderPrefix } from './attribution.ts'
import type { GatewayError } from './error-forms.ts'
import { abandon, type Exchange, type MeteredCall, over, refuse, safely, type Workshop } from './exchange.ts'
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
    body: undefined,
    isClientGone: false,
    firstByteAt: undefined,
    isOver: false,
  }
  shop.counters.inFlight += 1
  const { dialect } = x
  if (dialect === undefined) forward(x)
  else if (shop.meterFailure === 'block' && shop.outbox.isFailing) refuse(x, 'blocked', ledgerError)
  else
    holdBody(request, shop.limits, shop.held, shop.atEndOfTurn, (held) => {
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

type Begun = Pick<MeteredCall, 'id' | 'dialect' | 'size' | 'asked' | 'attribution'> & { readonly mayUse: readonly Unit[] | undefined }

/** Asks the budgets, if there are any, and sends the call on or answers why not. */
const reserve = (x: Exchange, dialect: Dialect, held: HeldBody): void => {
  const { shop, route, request, caller } = x
  const { key } = caller
  const asked = safely(shop, () => dialect.ofRequest(held.fields, route.path)) ?? { isStream: false, operation: 'unknown' }
  const attribution = attributionOf(route.via, request.headers, key && { ...key.attribution, key: key.id })
  const size = { textBytes: held.textBytes, mediaBytes: held.mediaBytes }
  const call = { id: shop.nextId(), dialect, size, asked, attribution, mayUse: unitsOf(held, request, dialect) }
  const decision = shop.guard === undefined ? allowed : decisionOn(x, shop.guard, call)
  if (!(decision instanceof Promise)) decided(x, call, held, decision)
  else
    decision.then(
      (later) => decided(x, call, held, later),
      () => decided(x, call, held, undefined),
    )
}

/** Only a body of one piece is looked through: a word can lie across the border of two, and long bodies come in many. */
const unitsOf = (held: HeldBody, request: IncomingMessage, dialect: Dialect): readonly Unit[] | undefined => {
  const [only] = held.chunks
  if (!held.isWhole || held.chunks.length !== 1 || only === undefined || request.headers['content-encoding'] !== undefined) return undefined
  return mayUseOf(dialect, (word) => only.includes(word))
}

const allowed: Decision = { allowed: true, reservation: undefined }

const decisionOn = (
  x: Exchange,
  guard: BudgetGuard,
  { id, size, asked, attribution, mayUse }: Begun,
): Decision | undefined | Promise<Decision> => {
  const runBudgetUsd = x.request.headers[`${ownHeaderPrefix}run-budget-usd`]
  const { model = 'unknown', outputMax, isStream: _stream, operation: _operation, ...variant } = asked
  return safely(x.shop, () =>
    guard.reserve({
      ...attribution,
      ...variant,
      event: id,
      provider: x.route.upstream.provider,
      model,
      promptTokens: mostTokens(size),
      ...(outputMax !== undefined && { outputMax }),
      ...(mayUse && { mayUse }),
      ...(typeof runBudgetUsd === 'string' && { runBudgetUsd }),
    }),
  )
}

/** `undefined`: the budgets could not be asked at all. What then happens is what the user wants while nothing can be metered. */
const decided = (x: Exchange, begun: Begun, held: HeldBody, decision: Decision | undefined): void => {
  const { shop, route } = x
  if (decision === undefined && shop.meterFailure === 'block') {
    refuse(x, 'blocked', ledgerError)
    return
  }
  if (decision?.allowed === false) {
    refuse(x, 'refused', budgetError(decision.refusal))
    return
  }
  const wished = canAskForUsage(route.upstream, begun.dialect.name) ? safely(shop, () => withUsageWish(held)) : undefined
  const promptHash = safely(shop, () => shop.promptHash(held))
  const call: MeteredCall = {
    ...begun,
    promptHash,
    reservation: decision?.reservation,
    isUsageOurs: wished !== undefined,
    isSent: false,
    isRecorded: false,
  }
  x.call = call
  x.body = wished === undefined ? held : { ...held, chunks: [wished] }
  if (!x.response.destroyed) {
    forward(x)
    return
  }
  // The client left while its budget was being looked up: nothing was sent.
  abandon(x, call)
  over(x, 'aborted')
}

/** The body of a chat request with the wish for its stream's usage in it, where it lacks one. */
const withUsageWish = (held: HeldBody): Buffer | undefined => {
  if (!held.isWhole || held.fields.stream !== true || held.outline?.omitted.includes('stream_options')) return undefined
  const [only] = held.chunks
  const body = held.chunks.length === 1 && only !== undefined ? only : Buffer.concat(held.chunks)
  // A char for each byte: what is looked for is plain, and places are places in the body.
  const splice = usageWishOf(body.toString('latin1'), held.fields)
  return splice && Buffer.concat([body.subarray(0, splice.start), Buffer.from(splice.text), body.subarray(splice.end)])
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
