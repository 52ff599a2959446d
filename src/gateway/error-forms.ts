import type { Refusal } from '../core/budget.ts'
import type { ErrorCode } from '../core/errors.ts'

/** What the gateway itself has to say to a client, in place of the provider's answer. */
export interface GatewayError {
  readonly status: number
  readonly code: ErrorCode
  readonly message: string
  readonly budget?: Refusal
  /** What the official clients heed before they repeat a request: a spent budget is not worth a second try. */
  readonly shouldRetry?: boolean
  readonly retryAfterSeconds?: number
}

/**
 * The shapes in which providers write errors, so that each official client reads ours with its own error class.
 *
 * `coded`: `{"error":{"message","type","param","code"}}`. `typed`: `{"type":"error","error":{"type","message"}}`.
 * `status`: `{"error":{"code","message","status"}}`. `sentence`: `{"error":"…"}`.
 */
export type ErrorForm = 'coded' | 'typed' | 'status' | 'sentence'

export const errorBodyOf = (error: GatewayError, form: ErrorForm): string => {
  const { status, code, message, budget } = error
  const type = typeOf(status)
  switch (form) {
    case 'coded':
      return JSON.stringify({ error: { message, type, param: null, code, ...(budget && { budget }) } })
    case 'typed':
      return JSON.stringify({ type: 'error', error: { type, message, code, ...(budget && { budget }) } })
    case 'status':
      return JSON.stringify({
        error: { code: status, message, status: rpcStatusOf(status), details: [{ reason: code, ...(budget && { budget }) }] },
      })
    case 'sentence':
      return JSON.stringify({ error: message, code, ...(budget && { budget }) })
    default:
      return form satisfies never
  }
}

const types: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'budget_exceeded',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  503: 'overloaded_error',
  504: 'timeout_error',
}
const typeOf = (status: number): string => types[status] ?? 'api_error'

/** Names of google.rpc.Code. A spent budget is what quotas are there. */
const rpcStatuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}
const rpcStatusOf = (status: number): string => rpcStatuses[status] ?? 'INTERNAL'
