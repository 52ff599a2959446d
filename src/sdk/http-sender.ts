import type { EventJson, ItemResult } from '../intake/event-json.ts'
import { SendError } from './send-error.ts'
import type { Sender } from './sender.ts'

export interface HttpSenderOptions {
  /** Where `taximeter serve` listens. */
  readonly url: string
  readonly key?: string | undefined
  /** Asked for at every request, so that it is never a fetch that meters. */
  readonly fetch: () => typeof globalThis.fetch
}

/** Sends events to `POST /v1/events`. What the server did not acknowledge item by item counts as not sent. */
export const createHttpSender = (options: HttpSenderOptions): Sender => {
  const url = `${options.url.replace(/\/+$/, '')}/v1/events`
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (options.key !== undefined) headers.authorization = `Bearer ${options.key}`

  return {
    async send(events, signal) {
      const response = await post(options.fetch(), url, headers, events, signal)
      if (response.ok) return resultsOf(await response.json().catch(() => undefined), events.length, url)
      await response.body?.cancel()
      throw new SendError(kindOf(response.status), `${url} answered ${response.status}${hintOf(response.status)}`)
    },
    async close() {},
  }
}

const post = async (
  fetch: typeof globalThis.fetch,
  url: string,
  headers: Record<string, string>,
  events: readonly EventJson[],
  signal: AbortSignal,
): Promise<Response> => {
  try {
    // A redirect could carry the key to another host.
    return await fetch(url, { method: 'POST', headers, body: JSON.stringify(events), signal, redirect: 'error' })
  } catch (cause) {
    throw new SendError('temporary', `${url} cannot be reached${codeOf(cause)}`, { cause })
  }
}

const codeOf = (error: unknown): string => {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = typeof inner === 'object' && inner !== null && 'code' in inner ? inner.code : undefined
  return typeof code === 'string' ? ` (${code})` : ''
}

const kindOf = (status: number): SendError['kind'] => {
  if (status === 413) return 'too-large'
  // A key that is wrong and a path that is not there yet can be put right while the agent runs; what is malformed stays so.
  return status === 400 || status === 415 || status === 422 ? 'refused' : 'temporary'
}

const hintOf = (status: number): string => {
  if (status === 401 || status === 403) return ': is `key` right?'
  return status === 404 ? ': is `url` the address of a taximeter server?' : ''
}

const resultsOf = (answer: unknown, count: number, url: string): readonly ItemResult[] => {
  const results = typeof answer === 'object' && answer !== null && 'results' in answer ? answer.results : undefined
  if (Array.isArray(results) && results.length === count) return results
  throw new SendError('temporary', `${url} did not answer with one result per event: is it a taximeter server?`)
}
