/** Every code that taximeter raises or answers with; each has a paragraph in docs/reference/errors.md. */
export const errorCodes = [
  'BAD_REQUEST',
  'BAD_EVENT',
  'BAD_QUESTION',
  'BAD_CONFIG',
  'BAD_PRICE',
  'BAD_BUDGET',
  'BODY_TOO_LARGE',
  'BATCH_TOO_LARGE',
  'BUDGET_EXCEEDED',
  'FORBIDDEN',
  'FORBIDDEN_ORIGIN',
  'INTERNAL',
  'LEDGER_NEWER',
  'LEDGER_FOREIGN',
  'LEDGER_DAMAGED',
  'LEDGER_BUSY',
  'LEDGER_CLOSED',
  'LEDGER_FAILED',
  'METHOD_NOT_ALLOWED',
  'MAX_STEPS',
  'NOT_FOUND',
  'TOO_MANY_STREAMS',
  'UNAUTHORIZED',
  'UPSTREAM_FAILED',
  'UPSTREAM_TIMEOUT',
  'UNKNOWN_DIALECT',
  'UNSAFE_ADDRESS',
  'UNSUPPORTED_MEDIA',
] as const
export type ErrorCode = (typeof errorCodes)[number]

/** A broken promise: a code for programs, a sentence for people (what was expected, what came, what to do), the cause kept. */
export class TaximeterError extends Error {
  override readonly name = 'TaximeterError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(`${code}: ${message}`, options)
    this.code = code
  }
}

/** The sentence of anything that was thrown, without its code. */
export const sentenceOf = (error: unknown): string => {
  if (error instanceof TaximeterError) return error.message.slice(error.code.length + 2)
  return error instanceof Error ? error.message : String(error)
}
