import type { IncomingMessage } from 'node:http'
import type { ClientKey, KeyRing } from '../intake/keys.ts'
import { ownHeaderPrefix } from './attribution.ts'
import type { GatewayError } from './error-forms.ts'
import type { Route } from './route.ts'
import { credentialHeaders, credentialQueries } from './upstreams.ts'

/** Who is calling, and whether what it showed as its key may go on to the provider. */
export interface Caller {
  readonly key: ClientKey | undefined
  /** A credential of the client is a key of ours. */
  readonly showedOurKey: boolean
}

export type Admission = { readonly caller: Caller } | { readonly error: GatewayError }

const stranger: Admission = { caller: { key: undefined, showedOurKey: false } }

/**
 * Whether a request may use the gateway. With keys, it must show one that may call this upstream; without, it must come from
 * this machine and from no foreign web page.
 */
export const admissionOf = (request: IncomingMessage, route: Route, ring: KeyRing | undefined): Admission | Promise<Admission> => {
  if (ring === undefined || ring.isEmpty) return admissionWithoutKeys(request)
  // A browser asks beforehand what it may send, and shows no key then. Nothing of ours goes with it (see `exchange`).
  if (request.method === 'OPTIONS') return stranger
  return admissionByKey(shownBy(request, route.query), 0, route, ring)
}

interface Shown {
  readonly value: string
  readonly isCredential: boolean
}

const admissionByKey = (shown: readonly Shown[], from: number, route: Route, ring: KeyRing): Admission | Promise<Admission> => {
  for (let index = from; index < shown.length; index++) {
    const { value } = shown[index] as Shown
    const key = ring.check(value)
    if (key instanceof Promise)
      return key.then((found) => (found ? admitted(found, value, shown, route) : admissionByKey(shown, index + 1, route, ring)))
    if (key !== undefined) return admitted(key, value, shown, route)
  }
  return { error: { status: 401, code: 'UNAUTHORIZED', message: unauthorizedSentence } }
}

const unauthorizedSentence =
  "This gateway needs a key of its own. Send it where the provider's key would be, or in the header x-taximeter-key beside the provider's."

const admitted = (key: ClientKey, value: string, shown: readonly Shown[], route: Route): Admission => {
  const { name } = route.upstream
  if (!key.may.includes('call')) return forbidden(`The key "${key.id}" may not call models.`)
  if (key.upstreams !== undefined && !key.upstreams.includes(name))
    return forbidden(`The key "${key.id}" may not use the upstream "${name}".`)
  return { caller: { key, showedOurKey: shown.some((each) => each.isCredential && each.value === value) } }
}

const forbidden = (message: string): Admission => ({ error: { status: 403, code: 'UNAUTHORIZED', message } })

/** All that a request shows as a key, the header that is only for ours first. */
const shownBy = (request: IncomingMessage, query: string): readonly Shown[] => {
  const shown: Shown[] = []
  const own = request.headers[`${ownHeaderPrefix}key`]
  if (typeof own === 'string') shown.push({ value: own, isCredential: false })
  for (const header of credentialHeaders) {
    const value = request.headers[header]
    if (typeof value === 'string') shown.push({ value: value.replace(/^Bearer\s+/i, ''), isCredential: true })
  }
  if (query !== '') {
    const parameters = new URLSearchParams(query)
    for (const name of credentialQueries) for (const value of parameters.getAll(name)) shown.push({ value, isCredential: true })
  }
  return shown
}

/** The query without what may be a key, untouched where there is none. */
export const withoutCredentials = (query: string): string => {
  if (query === '') return query
  const pairs = query.slice(1).split('&')
  const kept = pairs.filter((pair) => !credentialQueries.includes(pair.split('=')[0]?.toLowerCase() ?? ''))
  if (kept.length === pairs.length) return query
  return kept.length === 0 ? '' : `?${kept.join('&')}`
}

/**
 * The name under which a browser reached us is checked besides the address: a page of a stranger can have a name of its own that
 * leads to this machine, and may send plain requests anywhere without asking.
 */
const admissionWithoutKeys = (request: IncomingMessage): Admission => {
  if (!isLoopback(request.socket.remoteAddress))
    return {
      error: {
        status: 403,
        code: 'UNAUTHORIZED',
        message: 'Without "keys" in its configuration this gateway serves its own machine only.',
      },
    }
  const { host, origin } = request.headers
  if ((host !== undefined && !isLocalName(host)) || (origin !== undefined && !isLocalOrigin(origin)))
    return {
      error: {
        status: 403,
        code: 'FORBIDDEN_ORIGIN',
        message: 'Without "keys" in its configuration this gateway serves pages and names of its own machine only.',
      },
    }
  return stranger
}

/** Absent on a socket that is a file of this machine. */
const isLoopback = (address: string | undefined): boolean =>
  address === undefined || address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')

const localName = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i
const isLocalName = (host: string): boolean => localName.test(host)
const isLocalOrigin = (origin: string): boolean =>
  /^(?:https?:\/\/|null$)/.test(origin) && origin !== 'null' && localName.test(origin.replace(/^https?:\/\//, ''))
