/** What is known of a host that answers model calls. */
export interface HostInfo {
  readonly provider: string
  /** True when its chat completions are known to take `stream_options.include_usage`; where it is not known nothing is added. */
  readonly takesIncludeUsage: boolean
}

/** `[host, provider, takes include_usage]`; a leading `*.` stands for any name in front, `*` inside for part of a name. */
const hosts: readonly (readonly [string, string, boolean])[] = [
  ['api.openai.com', 'openai', true],
  ['*.api.openai.com', 'openai', true],
  ['*.openai.azure.com', 'azure', true],
  ['*.cognitiveservices.azure.com', 'azure', true],
  ['*.services.ai.azure.com', 'azure', true],
  ['api.anthropic.com', 'anthropic', false],
  ['generativelanguage.googleapis.com', 'google', true],
  ['*-aiplatform.googleapis.com', 'vertex', true],
  ['aiplatform.googleapis.com', 'vertex', true],
  ['aiplatform.*.rep.googleapis.com', 'vertex', true],
  ['bedrock-runtime.*.amazonaws.com', 'bedrock', true],
  ['bedrock-runtime-fips.*.amazonaws.com', 'bedrock', true],
  ['api.mistral.ai', 'mistral', false],
  ['codestral.mistral.ai', 'mistral', false],
  ['api.cohere.com', 'cohere', false],
  ['api.cohere.ai', 'cohere', false],
  ['api.deepseek.com', 'deepseek', true],
  ['api.groq.com', 'groq', true],
  ['api.x.ai', 'xai', true],
  ['*.api.x.ai', 'xai', true],
  ['openrouter.ai', 'openrouter', true],
  ['api.perplexity.ai', 'perplexity', false],
  ['api.moonshot.ai', 'moonshotai', true],
  ['api.moonshot.cn', 'moonshotai', true],
  ['api.together.xyz', 'together', true],
  ['api.together.ai', 'together', true],
  ['api.fireworks.ai', 'fireworks', true],
  ['api.cerebras.ai', 'cerebras', true],
  ['api.deepinfra.com', 'deepinfra', true],
  ['localhost:11434', 'ollama', true],
  ['127.0.0.1:11434', 'ollama', true],
  ['ollama.com', 'ollama', true],
]

const exact = new Map(hosts.filter(([host]) => !host.includes('*')).map(([host, provider, takes]) => [host, infoOf(provider, takes)]))

const patterns = hosts
  .filter(([host]) => host.includes('*'))
  .map(([host, provider, takes]) => ({
    pattern: new RegExp(`^${host.replaceAll('.', '\\.').replaceAll('*', '[a-z0-9.-]+')}$`),
    info: infoOf(provider, takes),
  }))

function infoOf(provider: string, takesIncludeUsage: boolean): HostInfo {
  return { provider, takesIncludeUsage }
}

/** What is known of `host` (as in a URL, with its port if it has one), or undefined: then only path and answer can tell. */
export const hostInfo = (host: string): HostInfo | undefined => {
  const name = host.toLowerCase().replace(/:(?:443|80)$/, '')
  return exact.get(name) ?? patterns.find(({ pattern }) => pattern.test(name))?.info
}

export const providerOfHost = (host: string): string | undefined => hostInfo(host)?.provider

/** Providers whose answers look like another's and are settled otherwise: `provider: { what it looks like: what it is }`. */
const ownDialects: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mistral: { 'openai-chat': 'mistral', 'openai-transcription': 'mistral', 'openai-embeddings': 'mistral' },
  perplexity: { 'openai-chat': 'perplexity' },
}

export const dialectOfProvider = (provider: string, lookingLike: string): string | undefined =>
  Object.hasOwn(ownDialects, provider) ? ownDialects[provider]?.[lookingLike] : undefined
