import type { IncomingHttpHeaders } from 'node:http'
import { ownHeaderPrefix } from './attribution.ts'
import { type CredentialForm, credentialHeaders } from './upstreams.ts'

/** Headers that belong to one connection and not to the message (RFC 9110, 7.6.1), and those that the upstream side sets itself. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** `cookie`: what a browser keeps for the gateway's address belongs to the dashboard on the same address, never to a provider. */
const notForwarded: ReadonlySet<string> = new Set([...hopByHop, 'host', 'expect', 'cookie', 'content-length', 'accept-encoding', 'trailer'])

/** Content codings that the meter can read. A client's wish for others is not passed on: the answer could not be metered. */
const readableCodings: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'identity', '*'])

export interface RequestHeaderOptions {
  /** The provider's key, where the gateway holds it, and where it goes. */
  readonly key: string | undefined
  readonly credential: CredentialForm
  /** The client's own credentials are ours, or are replaced: none of them goes on. */
  readonly dropsCredentials: boolean
  /** The client's `Connection` header, which can name further headers that end here. */
  readonly connection: string | undefined
  /** Undefined: the body's length is set by whoever sends it. */
  readonly contentLength: number | undefined
  /** `identity` where bytes must be taken out of the answer on the way. */
  readonly coding: 'identity' | 'readable'
}

/** The client's headers as name, value, name, value … → those that the upstream gets, in order and spelling as they came. */
export const requestHeadersOf = (raw: readonly string[], options: RequestHeaderOptions): string[] => {
  const { key, credential, dropsCredentials, contentLength, coding, connection } = options
  const headers: string[] = []
  const named = connection === undefined ? undefined : namedIn(connection, undefined)
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? ''
    const value = raw[index + 1] ?? ''
    const lower = name.toLowerCase()
    if (notForwarded.has(lower)) {
      if (lower === 'accept-encoding' && coding === 'readable') headers.push(name, readable(value))
      continue
    }
    if (lower.startsWith(ownHeaderPrefix) || named?.has(lower)) continue
    if (dropsCredentials && credentialHeaders.includes(lower)) continue
    headers.push(name, value)
  }
  if (coding === 'identity') headers.push('accept-encoding', 'identity')
  if (contentLength !== undefined) headers.push('content-length', String(contentLength))
  if (key !== undefined) headers.push(credential.header, credential.prefix + key)
  return headers
}

const readable = (value: string): string => {
  const kept = value
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => readableCodings.has(coding.split(';')[0]?.trim().toLowerCase() ?? ''))
    // "*" would let an upstream choose a coding that is unknown here.
    .filter((coding) => !coding.startsWith('*') || /;\s*q=0(?:\.0*)?$/.test(coding))
  return kept.length === 0 ? 'identity' : kept.join(', ')
}

/**
 * An upstream's headers → name, value, name, value …, as they go to the client. Own headers of ours that an upstream sends would be
 * lies. Names come in lower case, as undici has read them: to keep their spelling too cost 3 µs per answer.
 */
export const answerHeadersOf = (sent: IncomingHttpHeaders, dropped?: ReadonlySet<string>): string[] => {
  const headers: string[] = []
  const named = typeof sent.connection === 'string' ? namedIn(sent.connection, undefined) : undefined
  for (const name in sent) {
    if (hopByHop.has(name) || dropped?.has(name) || named?.has(name) || name.startsWith(ownHeaderPrefix)) continue
    const value = sent[name]
    if (typeof value === 'string') headers.push(name, value)
    else for (const each of value ?? []) headers.push(name, each)
  }
  return headers
}

/** The further headers that a `Connection` header calls its own; never those that tell what a body is. */
const namedIn = (value: string, before: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined => {
  if (value === 'keep-alive' || value === 'close') return before
  const names = value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'keep-alive' && name !== 'close' && !name.startsWith('content-'))
  return names.length === 0 ? before : new Set([...(before ?? []), ...names])
}
