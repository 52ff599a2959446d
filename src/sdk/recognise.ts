import type { Dialect } from '../providers/dialect.ts'
import { recogniseDialect } from '../providers/dialects.ts'
import { dialectOfProvider, hostInfo } from '../providers/hosts.ts'

/** Which API a request goes to, as far as its address tells. */
export interface Recognised {
  readonly dialect: Dialect
  readonly provider: string
  /** The host is the provider's own (or was named by the user), and not merely one whose path looks like it. */
  readonly isKnownHost: boolean
  /** The host takes `stream_options.include_usage`. */
  readonly takesStreamUsage: boolean
}

/** Whose models a dialect speaks of where neither host nor path says it. */
const providerOfDialect: Readonly<Record<string, string>> = {
  'anthropic-messages': 'anthropic',
  gemini: 'google',
  'gemini-interactions': 'google',
  ollama: 'ollama',
  mistral: 'mistral',
  cohere: 'cohere',
  perplexity: 'perplexity',
  'bedrock-converse': 'bedrock',
}

/** Gateways name the upstream in a part of the path: `/openai/v1/chat/completions`. */
const providerOfPathPart: ReadonlyMap<string, string> = new Map([
  ...[
    'openai',
    'anthropic',
    'google',
    'vertex',
    'azure',
    'bedrock',
    'mistral',
    'cohere',
    'deepseek',
    'groq',
    'xai',
    'openrouter',
    'perplexity',
    'moonshotai',
    'ollama',
  ].map((name) => [name, name] as const),
  ['gemini', 'google'],
])

/** What an address tells of the API behind it: the path says the dialect; the host, else the path, else the dialect the provider. */
export const createRecogniser = (hosts: Readonly<Record<string, string>> = {}): ((url: URL) => Recognised | undefined) => {
  const named = new Map(Object.entries(hosts).map(([host, provider]) => [host.toLowerCase(), provider]))

  return (url) => {
    const path = url.pathname
    // Nearly every request of a patched process goes elsewhere: this is all that they pay for.
    const byPath = recogniseDialect({ path })
    if (byPath === undefined) return undefined
    const given = named.get(url.host)
    const known = given === undefined ? hostInfo(url.host) : undefined
    const provider = given ?? known?.provider ?? providerInPath(path) ?? providerOfDialect[byPath.dialect.name] ?? 'openai'
    const dialect = recogniseDialect({ path, provider })?.dialect ?? byPath.dialect
    const takes = given === undefined ? (known?.takesIncludeUsage ?? false) : dialectOfProvider(given, 'openai-chat') === undefined
    return {
      dialect,
      provider,
      isKnownHost: given !== undefined || known !== undefined,
      takesStreamUsage: takes && dialect.name === 'openai-chat',
    }
  }
}

const providerInPath = (path: string): string | undefined => {
  for (const part of path.split('/')) {
    const provider = providerOfPathPart.get(part)
    if (provider !== undefined) return provider
  }
  return undefined
}
