import { traitsOf } from './compatible-providers.ts'
import { countOf, createTally, detailOf, type Json, mainCountOf, objectOf, put, type Tally } from './counts.ts'
import type { Dialect, UsageReport } from './dialect.ts'
import { chatError, createChatSink, openaiChat, putChatUsage } from './openai-chat.ts'
import { reportOf, unreadable } from './report.ts'
import { createStreamReader } from './stream-reader.ts'
import { nameOf, tierOf } from './words.ts'

/**
 * Mistral: chat and code completions as OpenAI has them, with cached tokens under three names, sound by the second, and documents
 * by the page.
 */
export const mistral: Dialect = {
  name: 'mistral',
  usagePath: ['usage'],
  matchesPath: (path) => /\/(?:fim|agents)\/completions$|\/v1\/ocr$/.test(path),
  matchesBody: (body) => {
    if (objectOf(body.usage_info)?.pages_processed !== undefined) return true
    const usage = objectOf(body.usage)
    return usage !== undefined && ('prompt_audio_seconds' in usage || 'num_cached_tokens' in usage || 'prompt_token_details' in usage)
  },
  ofRequest: (body, path) => {
    const report = openaiChat.ofRequest(body, path)
    if (path.endsWith('/ocr')) return { ...report, operation: 'ocr' }
    if (path.endsWith('/transcriptions')) return { ...report, operation: 'transcription' }
    return path.endsWith('/embeddings') ? { ...report, operation: 'embedding' } : report
  },
  ofBody: (body) => ofAnswer(body),
  createReader: (context) =>
    createStreamReader(
      createChatSink(context, {
        traits: mistralTraits,
        settle: ofAnswer,
        // Speech that is written down, and documents that are read, end otherwise than chats.
        isLast: (chunk) => chunk.type === 'transcription.done' || chunk.usage_info !== undefined,
      }),
    ),
}

const mistralTraits = traitsOf('mistral')

const ofAnswer = (body: unknown): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const tally = createTally()
  const usage = objectOf(answer.usage)
  if (usage !== undefined) putMistralUsage(tally, usage)
  put(tally, 'page', mainCountOf(tally, objectOf(answer.usage_info)?.pages_processed) ?? 0)
  return reportOf(tally, {
    model: nameOf(answer.model),
    responseId: nameOf(answer.id),
    tier: tierOf(answer.service_tier ?? usage?.service_tier),
    error: chatError(answer),
  })
}

/**
 * Sound is billed by the second, and its tokens are in the total and in what was cached, but not in `prompt_tokens`: of an answer
 * with sound the tokens are the text's, none of them cached.
 */
const putMistralUsage = (tally: Tally, usage: Json): void => {
  // A chat without sound may have an empty object here.
  const seconds = typeof usage.prompt_audio_seconds === 'object' ? undefined : countOf(tally, ceilOf(usage.prompt_audio_seconds))
  if (seconds !== undefined && seconds > 0) {
    put(tally, 'second', seconds)
    put(tally, 'input', mainCountOf(tally, usage.prompt_tokens) ?? 0)
    put(tally, 'output', mainCountOf(tally, usage.completion_tokens) ?? 0)
    tally.isKnown = true
    return
  }
  const details = objectOf(usage.prompt_tokens_details) ?? objectOf(usage.prompt_token_details)
  const cached = details?.cached_tokens || usage.num_cached_tokens
  putChatUsage(tally, { ...usage, prompt_tokens_details: { ...details, cached_tokens: cached } }, mistralTraits)
  detailOf(tally, usage.num_cached_tokens)
}

const ceilOf = (value: unknown): unknown => (typeof value === 'number' ? Math.ceil(value) : value)
