import { TaximeterError } from '../core/errors.ts'
import { isPrivateAddress, unsafeAddress } from '../network/safe-address.ts'
import type { ErrorForm } from './error-forms.ts'

/** Where a provider expects its key: a header, what stands before the key in it, and a query parameter that also may hold it. */
export interface CredentialForm {
  readonly header: string
  readonly prefix: string
  readonly query?: string
}

export interface UpstreamTimeouts {
  readonly connectMs: number
  /** From the request's last byte to the first byte of the answer's head: a long answer that is not streamed takes minutes. */
  readonly headersMs: number
  /** Between two pieces of an answer. */
  readonly idleMs: number
  /** How long an unused connection is kept, unless the upstream names a shorter time. */
  readonly keepAliveMs: number
}

/** One upstream as the gateway uses it. */
export interface Upstream {
  readonly name: string
  readonly provider: string
  /** Scheme, host and port; absent where configuration must name it first. */
  readonly origin: string | undefined
  /** What stands before every path, without a slash at its end. */
  readonly basePath: string
  readonly isPrivate: boolean
  readonly credential: CredentialForm
  /** The provider's key, where the gateway holds it; it takes the place of whatever the client sent. */
  readonly key: string | undefined
  readonly errors: ErrorForm
  /** Paths begin with one of these; others get `prefix` in front, because some clients have the version in their base URL and some not. */
  readonly roots: readonly string[]
  readonly prefix: string
  /** Path prefixes that the provider's own base URL has, and that a client may therefore send as well. */
  readonly surplus: readonly string[]
  /** Takes `stream_options.include_usage`; an unknown server might refuse what it does not know. */
  readonly takesIncludeUsage: boolean
  /** The dialect of requests whose path tells none. */
  readonly dialect: string | undefined
  readonly onDisconnect: 'drain' | 'cut'
  readonly timeouts: UpstreamTimeouts
}

const bearer: CredentialForm = { header: 'authorization', prefix: 'Bearer ' }
const publicTimeouts: UpstreamTimeouts = { connectMs: 10_000, headersMs: 600_000, idleMs: 300_000, keepAliveMs: 30_000 }
/** Small servers close idle connections after five seconds without saying so; a request into a closing connection fails. */
const ownTimeouts: UpstreamTimeouts = { ...publicTimeouts, keepAliveMs: 4_000 }

type Known = Partial<Omit<Upstream, 'name' | 'origin' | 'timeouts'>> & { readonly url?: string; readonly provider: string }

/**
 * The upstreams that need no configuration: the one place of the gateway where providers are named.
 *
 * A base URL of `<gateway>/<name>` works for each provider's official client, with or without the version that the client's own
 * default has at its end.
 */
const known: Readonly<Record<string, Known>> = {
  openai: { provider: 'openai', url: 'https://api.openai.com', takesIncludeUsage: true },
  anthropic: {
    provider: 'anthropic',
    url: 'https://api.anthropic.com',
    credential: { header: 'x-api-key', prefix: '' },
    errors: 'typed',
    roots: ['/v1', '/api'],
  },
  gemini: {
    provider: 'google',
    url: 'https://generativelanguage.googleapis.com',
    credential: { header: 'x-goog-api-key', prefix: '', query: 'key' },
    errors: 'status',
    roots: ['/v1', '/v1beta', '/v1alpha', '/upload', '/download', '/batch'],
    prefix: '/v1beta',
  },
  openrouter: { provider: 'openrouter', url: 'https://openrouter.ai/api', surplus: ['/api'], takesIncludeUsage: true },
  azure: { provider: 'azure', credential: { header: 'api-key', prefix: '' }, roots: ['/openai', '/'], takesIncludeUsage: true },
  mistral: { provider: 'mistral', url: 'https://api.mistral.ai' },
  groq: { provider: 'groq', url: 'https://api.groq.com/openai', surplus: ['/openai'], takesIncludeUsage: true },
  deepseek: {
    provider: 'deepseek',
    url: 'https://api.deepseek.com',
    roots: ['/v1', '/beta', '/anthropic', '/user'],
    takesIncludeUsage: true,
  },
  xai: { provider: 'xai', url: 'https://api.x.ai', takesIncludeUsage: true },
  ollama: {
    provider: 'ollama',
    url: 'http://127.0.0.1:11434',
    errors: 'sentence',
    roots: ['/'],
    isPrivate: true,
    takesIncludeUsage: true,
  },
}

/** The form of an error follows what the client asked for, since several providers serve each other's dialects. */
const errorForms: Readonly<Record<string, ErrorForm>> = {
  'openai-chat': 'coded',
  'openai-responses': 'coded',
  'anthropic-messages': 'typed',
  gemini: 'status',
  ollama: 'sentence',
}

export const errorFormOf = (upstream: Upstream | undefined, dialect: string | undefined): ErrorForm =>
  errorForms[dialect ?? ''] ?? upstream?.errors ?? 'coded'

/** Whether a request can be made to ask for the usage of its stream. */
export const canAskForUsage = (upstream: Upstream, dialect: string): boolean => upstream.takesIncludeUsage && dialect === 'openai-chat'

/** All headers and query parameters in which a client may have put a key. */
export const credentialHeaders: readonly string[] = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key']
export const credentialQueries: readonly string[] = ['key']

/** What a path of the gateway may not begin with: the server's own routes. */
const reserved = ['v1', 'metrics', 'healthz', 'readyz', 'openapi.json', 'via', '-', 'assets', 'api', 'dashboard']
const namePattern = /^[a-z0-9][a-z0-9._-]{0,63}$/
export const upstreamsMax = 256

/** One item of `upstreams:` as a person writes it. A known name changes that upstream; another one needs `url` and `provider`. */
export interface UpstreamSettings {
  readonly name: string
  readonly url?: string
  readonly provider?: string
  readonly dialect?: string
  readonly key?: string
  readonly keyHeader?: string
  readonly onDisconnect?: 'drain' | 'cut'
  readonly private?: boolean
  readonly includeUsage?: boolean
  readonly timeouts?: Partial<UpstreamTimeouts>
}

export type Upstreams = ReadonlyMap<string, Upstream>

/**
 * The list of `upstreams:` from configuration, added to the known ones. Throws BAD_CONFIG or UNSAFE_ADDRESS; `locate` says where a
 * path such as `upstreams[0].url` stands.
 */
export const parseUpstreams = (list: readonly unknown[], locate: (path: string) => string = (path) => path): Upstreams => {
  const upstreams = new Map(Object.entries(known).map(([name, defaults]) => [name, upstreamOf({ name }, defaults)]))
  if (list.length > upstreamsMax) throw complaint(locate('upstreams'), `At most ${upstreamsMax} upstreams, got ${list.length}`)
  const seen = new Set<string>()
  list.forEach((item, index) => {
    const at = (field: string): string => locate(`upstreams[${index}]${field === '' ? '' : `.${field}`}`)
    const settings = parseSettings(item, at)
    if (seen.has(settings.name)) throw complaint(at('name'), `"${settings.name}" is there twice`)
    seen.add(settings.name)
    upstreams.set(settings.name, configured(settings, at))
  })
  return upstreams
}

const configured = (settings: UpstreamSettings, at: (field: string) => string): Upstream => {
  const defaults = Object.hasOwn(known, settings.name) ? known[settings.name] : undefined
  if (defaults === undefined && settings.url === undefined) throw complaint(at(''), `"${settings.name}" needs a "url"`)
  const provider = settings.provider ?? defaults?.provider
  if (provider === undefined) throw complaint(at(''), `"${settings.name}" needs a "provider": the name under which its models are priced`)
  const sibling = Object.values(known).find((upstream) => upstream.provider === provider)
  // An address of one's own is asked as it stands: only a known provider's paths are known.
  const own: Known = { ...defaults, ...(sibling && defaults === undefined && shareable(sibling)), provider }
  const upstream = upstreamOf(settings, defaults === undefined ? { roots: ['/'], ...own } : own)
  const host = upstream.origin === undefined ? undefined : new URL(upstream.origin).hostname
  if (host !== undefined && !upstream.isPrivate && (isPrivateAddress(host) || /^(.*\.)?localhost$/.test(host)))
    throw new TaximeterError('UNSAFE_ADDRESS', `${at('url')}: ${unsafeAddress(host).message.replace(/^UNSAFE_ADDRESS: /, '')}`)
  return upstream
}

/** What a second upstream of a known provider has in common with the first. */
const shareable = ({ credential, errors, takesIncludeUsage }: Known): Partial<Known> => ({
  ...(credential && { credential }),
  ...(errors && { errors }),
  ...(takesIncludeUsage !== undefined && { takesIncludeUsage }),
})

const upstreamOf = (settings: UpstreamSettings, defaults: Known): Upstream => {
  const url = settings.url ?? defaults.url
  const parsed = url === undefined ? undefined : new URL(url)
  const isOwn = settings.url !== undefined
  const credential = defaults.credential ?? bearer
  return {
    name: settings.name,
    provider: defaults.provider,
    origin: parsed?.origin,
    basePath: parsed === undefined ? '' : parsed.pathname.replace(/\/+$/, ''),
    isPrivate: settings.private ?? (isOwn ? false : (defaults.isPrivate ?? false)),
    credential:
      settings.keyHeader === undefined
        ? credential
        : { header: settings.keyHeader.toLowerCase(), prefix: settings.keyHeader.toLowerCase() === 'authorization' ? 'Bearer ' : '' },
    key: settings.key,
    errors: defaults.errors ?? 'coded',
    roots: defaults.roots ?? ['/v1'],
    prefix: defaults.prefix ?? '/v1',
    surplus: defaults.surplus ?? [],
    takesIncludeUsage: settings.includeUsage ?? defaults.takesIncludeUsage ?? false,
    dialect: settings.dialect,
    onDisconnect: settings.onDisconnect ?? 'cut',
    timeouts: { ...(isOwn ? ownTimeouts : publicTimeouts), ...settings.timeouts },
  }
}

/**
 * The path that an upstream is asked for, from what stands behind its name in the client's URL. `/openai/v1/models`,
 * `/openai/models` and `/openai/v1/v1/models` are all `/v1/models` there.
 */
export const upstreamPathOf = (upstream: Upstream, path: string): string => {
  let rest = path === '' ? '/' : path
  for (const surplus of upstream.surplus) if (isBelow(rest, surplus)) rest = rest.slice(surplus.length) || '/'
  const twice = doubledVersion.exec(rest)
  if (twice !== null) rest = rest.slice(1 + (twice[1] ?? '').length)
  const ending = versionAtEnd.exec(upstream.basePath)?.[0]
  if (ending !== undefined && isBelow(rest, ending)) return upstream.basePath + rest.slice(ending.length)
  const isRooted = rest === '/' || upstream.roots.some((root) => root === '/' || isBelow(rest, root))
  return upstream.basePath + (isRooted ? rest : upstream.prefix + rest)
}

/** A version that stands twice, once from the base URL of the client and once from its own paths. */
const doubledVersion = /^\/(v\d+[a-z]*)\/\1(?=\/|$)/
const versionAtEnd = /\/v\d+[a-z]*$/

const isBelow = (path: string, root: string): boolean => path === root || path.startsWith(`${root}/`)

const parseSettings = (item: unknown, at: (field: string) => string): UpstreamSettings => {
  if (typeof item !== 'object' || item === null || Array.isArray(item))
    throw complaint(at(''), 'An upstream should be a table with a "name"')
  for (const field of Object.keys(item))
    if (!Object.hasOwn(checks, field))
      throw complaint(at(field), `"${field}" is not a setting of an upstream. Use ${Object.keys(checks).join(', ')}`)
  const settings = item as Readonly<Record<string, unknown>>
  for (const [field, check] of Object.entries(checks)) {
    const value = settings[field]
    if (value === undefined || value === null ? field === 'name' : !check.holds(value))
      throw complaint(at(field), `"${field}" should be ${check.expected}`)
  }
  return settings as unknown as UpstreamSettings
}

const isText = (value: unknown, charsMax: number): value is string => typeof value === 'string' && value !== '' && value.length <= charsMax
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/
const isOptionalBoolean = { expected: 'true or false', holds: (value: unknown) => typeof value === 'boolean' }

/** What each setting must be. The value itself is never repeated: one of them is a secret. */
const checks: Readonly<Record<keyof UpstreamSettings, { readonly expected: string; readonly holds: (value: unknown) => boolean }>> = {
  name: {
    expected: `lower-case letters, digits, ".", "_" or "-", and none of ${reserved.join(', ')}`,
    holds: (value) => typeof value === 'string' && namePattern.test(value) && !reserved.includes(value),
  },
  url: {
    expected: 'an http or https address without a user, a query or a fragment, such as https://llm.example.com/base',
    holds: (value) => isPlainUrl(value),
  },
  provider: { expected: 'the name of a provider in lower case', holds: (value) => typeof value === 'string' && namePattern.test(value) },
  dialect: { expected: 'the name of a dialect', holds: (value) => isText(value, 64) },
  key: { expected: 'a key of one line', holds: (value) => isText(value, 4_096) && /^[\x21-\x7e]+$/.test(value) },
  keyHeader: { expected: 'the name of a header', holds: (value) => typeof value === 'string' && headerName.test(value) },
  onDisconnect: { expected: '"drain" or "cut"', holds: (value) => value === 'drain' || value === 'cut' },
  private: isOptionalBoolean,
  includeUsage: isOptionalBoolean,
  timeouts: {
    expected: `a table of ${Object.keys(publicTimeouts).join(', ')}, each in milliseconds from 1 to 3600000`,
    holds: (value) =>
      typeof value === 'object' &&
      value !== null &&
      Object.entries(value).every(
        ([name, ms]) => Object.hasOwn(publicTimeouts, name) && Number.isInteger(ms) && Number(ms) >= 1 && Number(ms) <= 3_600_000,
      ),
  },
}

const isPlainUrl = (value: unknown): boolean => {
  if (!isText(value, 2_048) || !URL.canParse(value)) return false
  const url = new URL(value)
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

const complaint = (where: string, sentence: string) => new TaximeterError('BAD_CONFIG', `${where}: ${sentence}.`)
