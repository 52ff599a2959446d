import type { Dispatcher } from 'undici'
import { withoutCredentials } from './admission.ts'
import type { GatewayError } from './error-forms.ts'
import { type Exchange, refuse } from './exchange.ts'
import { requestHeadersOf } from './headers.ts'
import { createRelay } from './relay.ts'
import { restOf } from './request-body.ts'

/** Sends the request to its upstream and the answer back. */
export const forward = (x: Exchange): void => {
  const { route, shop, request } = x
  const { upstream } = route
  if (upstream.origin === undefined) {
    refuse(x, 'failed', unconfiguredError(upstream.name))
    return
  }
  const relay = createRelay(x)
  const body = bodyOf(x)
  const dropsCredentials = x.caller.showedOurKey || upstream.key !== undefined
  // What undici refuses before sending anything comes back as an error of the relay.
  shop.pools.of(upstream).dispatch(
    {
      path: route.path + (dropsCredentials ? withoutCredentials(route.query) : route.query),
      method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
      headers: requestHeadersOf(request.rawHeaders, {
        // A browser that asks what it may send has shown no key: the provider's does not go with that.
        key: request.method === 'OPTIONS' ? undefined : upstream.key,
        credential: upstream.credential,
        dropsCredentials,
        connection: request.headers.connection,
        contentLength: body === null || Buffer.isBuffer(body) ? undefined : declaredLength(request.headers['content-length']),
        coding: x.call?.wished === undefined ? 'readable' : 'identity',
      }),
      body: body as Buffer | null,
    },
    relay,
  )
}

/** Whole bodies go as one buffer; what is still coming goes as it comes, at the upstream's pace. */
const bodyOf = (x: Exchange): Buffer | AsyncGenerator<Buffer> | null => {
  const { call, request, shop } = x
  const bytesMax = shop.limits.requestBytesMax
  let bytes = 0
  const sent = (length: number): void => {
    bytes += length
    shop.counters.bytesUp += length
    if (bytes > bytesMax) throw new RangeError('The body is longer than it may be.')
  }
  if (call !== undefined) {
    const chunks = call.wished ?? call.held.chunks
    if (!call.held.isWhole) return restOf(chunks, request, sent)
    const [only] = chunks
    const whole = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)
    sent(whole.length)
    return whole
  }
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  return coding === undefined && (length === undefined || length === '0') ? null : restOf([], request, sent)
}

const declaredLength = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

const unconfiguredError = (name: string): GatewayError => ({
  status: 404,
  code: 'NOT_FOUND',
  message: `The upstream "${name}" has no address yet. Give it one: "upstreams: [{ name: ${name}, url: https://… }]".`,
})
