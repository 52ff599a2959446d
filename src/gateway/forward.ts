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
  const { body, length } = bodyOf(x)
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
        contentLength: length,
        coding: x.call?.isUsageOurs ? 'identity' : 'readable',
      }),
      body: body as Buffer | null,
    },
    relay,
  )
}

/** A whole body that is longer than this is sent piece by piece all the same: what was sent then leaves the memory at once. */
const wholeBytesMax = 65_536

interface OutgoingBody {
  readonly body: Buffer | AsyncGenerator<Buffer> | null
  /** Absent where it is not known, or where whoever sends the body says it. */
  readonly length?: number | undefined
}

/** Short bodies go as one buffer; what is still coming goes as it comes, at the upstream's pace. */
const bodyOf = (x: Exchange): OutgoingBody => {
  const { body: held, request, shop } = x
  const declared = declaredLength(request.headers['content-length'])
  let bytes = 0
  const sent = (length: number): void => {
    bytes += length
    shop.counters.bytesUp += length
    if (bytes > shop.limits.requestBytesMax) throw new RangeError('The body is longer than it may be.')
  }
  if (held === undefined) {
    const hasBody = request.headers['transfer-encoding'] !== undefined || (declared ?? 0) > 0
    return hasBody ? { body: restOf([], request, sent), length: declared } : { body: null }
  }
  x.body = undefined
  const { chunks } = held
  if (!held.isWhole) return { body: restOf(chunks, request, sent), length: declared }
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  if (length > wholeBytesMax) return { body: restOf(chunks, undefined, sent), length }
  sent(length)
  const [only] = chunks
  return { body: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks) }
}

const declaredLength = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

const unconfiguredError = (name: string): GatewayError => ({
  status: 404,
  code: 'NOT_FOUND',
  message: `The upstream "${name}" has no address yet. Give it one: "upstreams: [{ name: ${name}, url: https://… }]".`,
})
