import { type ErrorCode, errorCodes, TaximeterError } from '../core/errors.ts'
import type { Io } from './io.ts'

export interface ServerOptions {
  readonly url?: string
  readonly key?: string
}

const timeoutMs = 10_000

/** Asks a running server. The address and key come from the flags or TAXIMETER_URL and TAXIMETER_KEY. */
export const askServer = async <Answer>(io: Pick<Io, 'environment'>, options: ServerOptions, path: string): Promise<Answer> => {
  const base = (options.url ?? io.environment.TAXIMETER_URL ?? 'http://127.0.0.1:4141').replace(/\/+$/, '')
  const key = options.key ?? io.environment.TAXIMETER_KEY
  let answer: Response
  try {
    answer = await fetch(`${base}${path}`, {
      headers: { accept: 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (cause) {
    throw new TaximeterError('NOT_FOUND', `No taximeter answers at ${base}. Start one with "taximeter", or name its address with --url.`, {
      cause,
    })
  }
  const body: unknown = await answer.json().catch(() => undefined)
  if (answer.ok) return body as Answer
  const error = (body as { readonly error?: { readonly code?: string; readonly message?: string } } | undefined)?.error
  throw new TaximeterError(codeOf(error?.code), error?.message ?? `The server at ${base} answered ${answer.status}.`)
}

const codeOf = (code: string | undefined): ErrorCode => errorCodes.find((each) => each === code) ?? 'BAD_REQUEST'
