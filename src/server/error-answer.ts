import { type ErrorCode, sentenceOf, TaximeterError } from '../core/errors.ts'
import type { ErrorJson } from './api.ts'

/** The HTTP status of every code. */
export const statusOf = {
  BAD_REQUEST: 400,
  BAD_EVENT: 400,
  BAD_QUESTION: 400,
  BAD_CONFIG: 422,
  BAD_PRICE: 422,
  BAD_BUDGET: 422,
  BODY_TOO_LARGE: 413,
  BATCH_TOO_LARGE: 413,
  BUDGET_EXCEEDED: 402,
  FORBIDDEN: 403,
  FORBIDDEN_ORIGIN: 403,
  INTERNAL: 500,
  LEDGER_NEWER: 503,
  LEDGER_FOREIGN: 503,
  LEDGER_DAMAGED: 503,
  LEDGER_BUSY: 503,
  LEDGER_CLOSED: 503,
  LEDGER_FAILED: 503,
  MAX_STEPS: 500,
  METHOD_NOT_ALLOWED: 405,
  NOT_FOUND: 404,
  TOO_MANY_STREAMS: 503,
  UNAUTHORIZED: 401,
  UPSTREAM_FAILED: 502,
  UPSTREAM_TIMEOUT: 504,
  UNKNOWN_DIALECT: 400,
  UNSAFE_ADDRESS: 400,
  UNSUPPORTED_MEDIA: 415,
} as const satisfies Record<ErrorCode, number>

/** Seconds after which the same request may be worth sending again. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = { LEDGER_BUSY: 1, LEDGER_FAILED: 5, TOO_MANY_STREAMS: 15 }

export const sentenceCharsMax = 2_000

/**
 * Anything that was thrown → the answer. What is not one of ours says nothing of itself to the caller: its words may hold what
 * they should not.
 */
export const errorAnswer = (error: unknown): Response => {
  const code = error instanceof TaximeterError ? error.code : 'INTERNAL'
  const message =
    code === 'INTERNAL' ? 'Something failed here that should not. The log of the server says what.' : safeSentence(sentenceOf(error))
  const body: ErrorJson = { error: { code, message } }
  const retryAfter = retryAfterSeconds[code]
  return new Response(`${JSON.stringify(body)}\n`, {
    status: statusOf[code],
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      ...(code === 'UNAUTHORIZED' && { 'www-authenticate': 'Bearer realm="taximeter"' }),
    },
  })
}

/** Bounded, and without the characters that could move a terminal's cursor or turn the direction of its text. */
export const safeSentence = (sentence: string): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  const plain = sentence.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '�')
  return plain.length > sentenceCharsMax ? `${plain.slice(0, sentenceCharsMax)}…` : plain
}
