import { anthropicMessages } from './anthropic-messages.ts'
import { bedrockConverse } from './bedrock-converse.ts'
import { cohere } from './cohere.ts'
import type { Dialect } from './dialect.ts'
import { gemini } from './gemini.ts'
import { geminiInteractions } from './gemini-interactions.ts'
import { geminiLive } from './gemini-live.ts'
import { dialectOfProvider } from './hosts.ts'
import { langchain } from './langchain.ts'
import { mistral } from './mistral.ts'
import { ollama } from './ollama.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import { openaiImages } from './openai-images.ts'
import { openaiRealtime } from './openai-realtime.ts'
import { openaiResponses } from './openai-responses.ts'
import { openaiSpeech } from './openai-speech.ts'
import { openaiTranscription } from './openai-transcription.ts'
import { perplexity } from './perplexity.ts'
import { vercelAi } from './vercel-ai.ts'

/** Every dialect, the most telling first: a path or a body is taken for the first one that it looks like. */
export const dialects: readonly Dialect[] = [
  openaiTranscription,
  openaiSpeech,
  openaiRealtime,
  openaiImages,
  geminiInteractions,
  anthropicMessages,
  openaiResponses,
  geminiLive,
  gemini,
  bedrockConverse,
  cohere,
  ollama,
  mistral,
  perplexity,
  openaiEmbeddings,
  openaiChat,
  vercelAi,
  langchain,
]

const byName = new Map(dialects.map((dialect) => [dialect.name, dialect]))

export const dialectNamed = (name: string): Dialect | undefined => byName.get(name)

export interface Signs {
  /** The request's path, without host and query. */
  readonly path?: string
  /** The parsed answer, or one parsed record of its stream. */
  readonly body?: unknown
  readonly provider?: string
}

/** A dialect that was found by its signs says so, for a reader to know that nobody vouched for it. */
export interface Recognised {
  readonly dialect: Dialect
  readonly recognised: true
}

/**
 * The dialect of an answer that nobody named: by the request's path, else by the answer's form. Some providers speak a dialect of
 * their own on another's path (Mistral's chat completions); for these the provider decides.
 */
export const recogniseDialect = ({ path, body, provider }: Signs): Recognised | undefined => {
  const found = byPath(path) ?? byBody(body) ?? byError(body)
  if (found === undefined) return undefined
  const own = provider === undefined ? undefined : dialectOfProvider(provider, found.name)
  return { dialect: (own === undefined ? undefined : byName.get(own)) ?? found, recognised: true }
}

const byPath = (path: string | undefined): Dialect | undefined =>
  path === undefined ? undefined : dialects.find((dialect) => dialect.matchesPath(path))

/** An error has the same form nearly everywhere, and costs nothing everywhere. */
const byError = (body: unknown): Dialect | undefined => {
  const error: unknown = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  return typeof error === 'object' && error !== null ? openaiChat : undefined
}

const byBody = (body: unknown): Dialect | undefined => {
  const sample = Array.isArray(body) ? body[0] : body
  if (typeof sample !== 'object' || sample === null) return undefined
  return dialects.find((dialect) => dialect.matchesBody(sample as Readonly<Record<string, unknown>>))
}
