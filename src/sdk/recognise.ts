import { withHeaders } from '../providers/answer-headers.ts'
import type { Dialect } from '../providers/dialect.ts'
import { recogniseDialect } from '../providers/dialects.ts'
import { dialectOfProvider, hostInfo } from '../providers/hosts.ts'
import { createUsageFilter, usageWishOf } from '../providers/stream-usage.ts'

/** Which API a request goes to, as far as its address tells. */
export interface Recognised {
  readonly dialect: Dialect
  readonly provider: string
  /** The host is the provider's own (or was named by the user), and not merely one whose path looks like it. */
  readonly isKnownHost: boolean
  /** Where the host takes `stream_options.include_usage`: how to ask for it, and how to take what comes of it out again. */
  readonly streamUsage: StreamUsage | undefined
  /** What an answer told, with what its headers say besides. Here, like all that reads answers, so that it is loaded with the dialects. */
  readonly withHeaders: typeof withHeaders
}

export interface StreamUsage {
  readonly wishOf: typeof usageWishOf
  readonly createFilter: typeof createUsageFilter
}

const streamUsage: StreamUsage = { wishOf: usageWishOf, createFilter: createUsageFilter }

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
      streamUsage: takes && dialect.name === 'openai-chat' ? streamUsage : undefined,
      withHeaders,
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
