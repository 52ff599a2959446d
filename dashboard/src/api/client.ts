import type { ErrorCode, ErrorJson } from '../../../src/server/api.ts'

/** `UNREACHABLE`: nobody answered. `UNREADABLE`: something answered that is not this API. */
export type FailureCode = ErrorCode | 'UNREACHABLE' | 'UNREADABLE'

/** Why the API gave no answer: its own sentence where it gave one. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: FailureCode
  readonly status: number

  constructor(code: FailureCode, status: number, message: string) {
    super(message)
    this.code = code
    this.status = status
  }
}

const timeoutMs = 30_000

export const getJson = <T>(path: string, signal?: AbortSignal): Promise<T> => ask<T>(path, { signal: signal ?? null })

const ask = async <T>(path: string, init: RequestInit): Promise<T> => {
  const deadline = AbortSignal.timeout(timeoutMs)
  let response: Response
  try {
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline
    response = await fetch(path, { ...init, signal, headers: { accept: 'application/json', ...init.headers } })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new ApiError(
      'UNREACHABLE',
      0,
      deadline.aborted ? 'The server took longer than 30 seconds to answer.' : 'The server does not answer.',
    )
  }
  if (response.ok) return await jsonOf<T>(response)
  throw await errorOf(response)
}

const jsonOf = async <T>(response: Response): Promise<T> => {
  try {
    return (await response.json()) as T
  } catch {
    throw new ApiError('UNREADABLE', response.status, 'The answer was cut off or is not from taximeter.')
  }
}

const errorOf = async (response: Response): Promise<ApiError> => {
  try {
    const { error } = (await response.json()) as ErrorJson
    return new ApiError(error.code, response.status, error.message)
  } catch {
    // A proxy in between answers with a page of its own when the server is gone.
    const code = response.status >= 502 && response.status <= 504 ? 'UNREACHABLE' : 'UNREADABLE'
    return new ApiError(code, response.status, `The server answered with status ${response.status}.`)
  }
}

export const codeOf = (error: unknown): FailureCode | undefined => (error instanceof ApiError ? error.code : undefined)
