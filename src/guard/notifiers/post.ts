import { Agent, request } from 'undici'
import { isPrivateAddress, publicLookup, unsafeAddress } from '../../network/safe-address.ts'

export interface PostOptions {
  readonly url: string
  /** Private addresses may be reached. */
  readonly isPrivate: boolean
}

/** A receiver of JSON. Errors say what it answered and never its address: those of chat tools are secrets. */
export interface Post {
  (body: unknown, headers: Readonly<Record<string, string>>, signal: AbortSignal, path?: string): Promise<void>
  close(): Promise<void>
}

const connectTimeoutMs = 5_000
const answerBytesMax = 65_536

/**
 * Posts JSON to one address, and to no other: redirects are not followed, and unless configured otherwise neither a private
 * address nor a name that leads to one is connected to.
 */
export const createPost = ({ url, isPrivate }: PostOptions): Post => {
  const agent = new Agent({ connections: 2, connect: { timeout: connectTimeoutMs, ...(!isPrivate && { lookup: publicLookup() }) } })
  const target = new URL(url)
  const post = async (body: unknown, headers: Readonly<Record<string, string>>, signal: AbortSignal, path = ''): Promise<void> => {
    // A name is checked when it is looked up; an address that is written out is not looked up.
    if (!isPrivate && (target.hostname === 'localhost' || isPrivateAddress(target.hostname))) throw unsafeAddress(target.hostname)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    let status: number
    try {
      const answer = await request(`${url}${path}`, {
        dispatcher: agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'taximeter', ...headers },
        body: text,
        signal,
        headersTimeout: 10_000,
        bodyTimeout: 10_000,
      })
      status = answer.statusCode
      await answer.body.dump({ limit: answerBytesMax })
    } catch (error) {
      throw new Error(`could not be reached: ${reasonOf(error)}`)
    }
    if (status >= 300 && status < 400) throw new Error(`answered ${status}: redirects are not followed`)
    if (status < 200 || status >= 300) throw new Error(`answered ${status}`)
  }
  return Object.assign(post, { close: () => agent.destroy() })
}

/** A short code or name: messages of sockets and URLs can hold the address. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as Error & { readonly code?: unknown }
  return error.name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT'
    ? 'no answer in time'
    : typeof code === 'string'
      ? code
      : error.name
}
