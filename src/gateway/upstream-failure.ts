import { TaximeterError } from '../core/errors.ts'
import type { GatewayError } from './error-forms.ts'

/** Why an upstream gave no whole answer: what the client is told, and the short code that is kept with the call. */
export interface UpstreamFailure {
  readonly error: GatewayError
  readonly code: string
}

const timeouts: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'could not be connected to in time',
  UND_ERR_HEADERS_TIMEOUT: 'did not begin to answer in time',
  UND_ERR_BODY_TIMEOUT: 'stopped in the middle of its answer',
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ENOTFOUND: 'has a name that cannot be found',
  EAI_AGAIN: 'has a name that cannot be looked up just now',
  ECONNRESET: 'closed the connection before its answer was whole',
  EPIPE: 'closed the connection before its answer was whole',
  UND_ERR_SOCKET: 'closed the connection before its answer was whole',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'sent an answer of another length than it said',
  UND_ERR_HEADERS_OVERFLOW: 'sent headers that are too long',
}

/** A sentence without anything that an upstream or a client wrote. */
export const failureOf = (cause: Error, upstream: string): UpstreamFailure => {
  const code = codeIn(cause)
  const late = timeouts[code]
  if (late !== undefined)
    return { code: 'upstream-timeout', error: { status: 504, code: 'UPSTREAM_TIMEOUT', message: `The upstream "${upstream}" ${late}.` } }
  if (code === 'UNSAFE_ADDRESS')
    return {
      code: 'unsafe-address',
      error: {
        status: 502,
        code: 'UNSAFE_ADDRESS',
        message: `The name of the upstream "${upstream}" leads to a private network, which its configuration does not allow.`,
      },
    }
  if (code === 'UND_ERR_INVALID_ARG')
    return {
      code: 'bad-request',
      error: { status: 400, code: 'BAD_REQUEST', message: `This request cannot be sent on: ${cause.message}.` },
    }
  if (cause instanceof RangeError)
    return {
      code: 'body-too-large',
      error: { status: 413, code: 'BODY_TOO_LARGE', message: 'The request is longer than this gateway lets pass.' },
    }
  const isTls = code.startsWith('ERR_TLS') || code.includes('CERT')
  const reason = isTls
    ? 'has a certificate that is not trusted'
    : (reasons[code] ?? (code.startsWith('HPE_') ? 'does not speak HTTP' : 'gave no answer'))
  const isUnreached = code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || isTls
  return {
    code: isUnreached ? 'unreachable' : 'connection-lost',
    error: { status: 502, code: 'UPSTREAM_FAILED', message: `The upstream "${upstream}" ${reason}${code === '' ? '' : ` (${code})`}.` },
  }
}

/** Of the error itself or, where several addresses were tried, of the first try. */
const codeIn = (cause: Error): string => {
  if (cause instanceof TaximeterError) return cause.code
  if ('code' in cause && typeof cause.code === 'string') return cause.code
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return codeIn(cause.errors[0])
  return cause.cause instanceof Error ? codeIn(cause.cause) : ''
}
