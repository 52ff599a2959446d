import { randomBytes } from 'node:crypto'
import { TaximeterError } from '../core/errors.ts'
import type { ClientKey, KeyRing, KeyUse } from '../intake/keys.ts'
import type { ServerLimits } from './limits.ts'

/** Who may ask: intake's key ring. `check` compares in constant time. */
export type Keys = Pick<KeyRing, 'check'>

export interface Caller {
  /** The client key that came with the request; absent where no keys are configured. */
  readonly key?: ClientKey
}

/** What access looks at, so that one function serves both the routes and whatever is mounted in front of them. */
export interface Knock {
  readonly method: string
  header(name: string): string | undefined
}

export interface AccessOptions {
  readonly keys?: Keys | undefined
  /** Host names under which this server may be called besides those of loopback. Only looked at where no keys are configured. */
  readonly hosts?: readonly string[] | undefined
  /** Origins of web pages that may read the API, such as "https://ops.example.com". None by default. */
  readonly origins?: readonly string[] | undefined
  readonly limits: Pick<ServerLimits, 'sessionsMax' | 'sessionMs'>
  readonly now: () => number
}

export interface Access {
  readonly needsKey: boolean
  /**
   * Throws FORBIDDEN_ORIGIN when a web page of somebody else's is behind the request. A page can have its own name resolve to
   * 127.0.0.1 (DNS rebinding), so that without keys only known host names are answered; and it can post without asking, so that
   * a foreign `Origin` is refused whatever the method.
   */
  checkOrigin(knock: Knock): void
  /** The origin to allow in the answer; undefined: say nothing, and browsers keep the answer from the page. */
  allowedOrigin(knock: Knock): string | undefined
  /**
   * Throws UNAUTHORIZED unless a key, or the cookie of a browser that signed in with one, comes with the request, and FORBIDDEN
   * when the key may do none of `uses`.
   */
  callerOf(knock: Knock, uses: readonly KeyUse[]): Promise<Caller>
  /** A cookie for a browser, given for a key that may read; undefined when it is not one. */
  signIn(secret: string, isSecure: boolean): Promise<string | undefined>
}

export const sessionCookie = 'taximeter_session'

export const createAccess = ({ keys, hosts = [], origins = [], limits, now }: AccessOptions): Access => {
  // The cookie holds a random name for the key, not the key: cookies of 127.0.0.1 are sent to every port of it.
  const sessions = new Map<string, { readonly secret: string; readonly until: number }>()
  const known = new Set([...loopbackNames, ...hosts.map((host) => host.toLowerCase())])

  const sessionKey = async (knock: Knock): Promise<ClientKey | undefined> => {
    const token = cookieOf(knock.header('cookie'))
    const session = token === undefined ? undefined : sessions.get(token)
    if (token === undefined || session === undefined) return undefined
    // Asked again each time, so that a key that is taken out of the configuration also ends its sessions.
    const key = session.until > now() ? await keys?.check(session.secret) : undefined
    if (key === undefined) sessions.delete(token)
    return key
  }

  return {
    needsKey: keys !== undefined,
    checkOrigin(knock) {
      const host = knock.header('host')
      if (keys === undefined && !known.has(hostNameOf(host))) {
        throw new TaximeterError(
          'FORBIDDEN_ORIGIN',
          'Without keys this server answers only to localhost, 127.0.0.1 and [::1]. Call it by one of these, or configure keys.',
        )
      }
      const origin = knock.header('origin')
      if (origin === undefined ? isForeignFetch(knock) : !isOwn(origin, host, origins)) {
        throw new TaximeterError('FORBIDDEN_ORIGIN', 'This request comes from a web page of another origin, which may not use this server.')
      }
    },
    allowedOrigin(knock) {
      const origin = knock.header('origin')
      return origin !== undefined && origins.includes(origin) ? origin : undefined
    },
    async callerOf(knock, uses) {
      if (keys === undefined || uses.length === 0) return {}
      const secret = secretOf(knock)
      const key = secret === undefined ? await sessionKey(knock) : await keys.check(secret)
      if (key === undefined) {
        throw new TaximeterError(
          'UNAUTHORIZED',
          `${secret === undefined ? 'A key is needed' : 'This key is not known'}. Send one of the configured keys as "authorization: Bearer …" or "x-taximeter-key".`,
        )
      }
      if (uses.some((use) => key.may.includes(use))) return { key }
      throw new TaximeterError(
        'FORBIDDEN',
        `The key "${key.id}" may ${key.may.join(', ') || 'do nothing'}; this needs ${uses.join(' or ')}. Use another key, or add it to the "may" of this one.`,
      )
    },
    async signIn(secret, isSecure) {
      if (!(await keys?.check(secret))?.may.includes('read')) return undefined
      const oldest = sessions.keys().next().value
      if (sessions.size >= limits.sessionsMax && oldest !== undefined) sessions.delete(oldest)
      const token = randomBytes(32).toString('base64url')
      sessions.set(token, { secret, until: now() + limits.sessionMs })
      const seconds = Math.floor(limits.sessionMs / 1_000)
      return `${sessionCookie}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`
    },
  }
}

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/** "localhost:4141" → "localhost". */
const hostNameOf = (host: string | undefined): string => (host ?? '').toLowerCase().replace(/:\d+$/, '')

const isOwn = (origin: string, host: string | undefined, origins: readonly string[]): boolean =>
  origins.includes(origin) || (host !== undefined && origin.replace(/^https?:\/\//, '').toLowerCase() === host.toLowerCase())

/** What a browser says of a request without an origin: an image, a script or a form of another page. Following a link is none of these. */
const isForeignFetch = (knock: Knock): boolean => {
  const site = knock.header('sec-fetch-site')
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  return knock.header('sec-fetch-mode') !== 'navigate' || (knock.method !== 'GET' && knock.method !== 'HEAD')
}

const secretOf = (knock: Knock): string | undefined =>
  /^Bearer +(\S+) *$/i.exec(knock.header('authorization') ?? '')?.[1] ?? knock.header('x-taximeter-key')

const cookieOf = (header: string | undefined): string | undefined =>
  new RegExp(`(?:^|; *)${sessionCookie}=([\\w-]{43})(?:;|$)`).exec(header ?? '')?.[1]
