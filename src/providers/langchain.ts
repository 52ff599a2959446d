import { traitsOf } from './compatible-providers.ts'
import { arrayOf, checkTotal, createTally, detailOf, type Json, mainCountOf, objectOf, put, remainderOf, type Tally } from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { createMergingSink, type Merged, reportOfList } from './merging-sink.ts'
import { putChatUsage } from './openai-chat.ts'
import { reportOf, unreadable } from './report.ts'
import { addText } from './seen-text.ts'
import { createStreamReader } from './stream-reader.ts'
import { nameOf, tierOf } from './words.ts'

/**
 * LangChain's `usage_metadata`, of a message or of the chunks of one. Cached and written tokens are part of the input, reasoning of
 * the output; details need not sum to anything.
 */
export const langchain: Dialect = {
  name: 'langchain',
  usagePath: ['usage_metadata'],
  matchesPath: () => false,
  matchesBody: (body) => {
    const message = messageOf(body)
    return (
      objectOf(message.usage_metadata)?.input_tokens !== undefined ||
      (message.response_metadata !== undefined && message.content !== undefined)
    )
  },
  ofRequest: (body) => {
    const model = nameOf(body.model)
    return { isStream: body.stream === true, operation: 'chat', ...(model !== undefined && { model }) }
  },
  ofBody: (body, context) => (Array.isArray(body) ? reportOfList(body, createChunkSink(context)) : ofMessage(body)),
  createReader: (context) => createStreamReader(createChunkSink(context)),
}

/** Serialised messages keep their fields in `kwargs` (LangChain's own form) or `data`. */
const messageOf = (body: Json): Json => objectOf(body.kwargs) ?? objectOf(body.data) ?? body

const ofMessage = (body: unknown): UsageReport => {
  const outer = objectOf(body)
  if (outer === undefined) return unreadable()
  const message = messageOf(outer)
  const metadata = objectOf(message.response_metadata)
  const tally = createTally()
  const usage = objectOf(message.usage_metadata)
  const tier = tierOf(metadata?.service_tier)
  const told = objectOf(metadata?.token_usage) ?? objectOf(metadata?.tokenUsage)
  if (usage !== undefined) putUsageMetadata(tally, usage, tier)
  else if (told !== undefined) putChatUsage(tally, inOpenaiTerms(told), traitsOf(''))
  return reportOf(tally, {
    model: nameOf(metadata?.model_name) ?? nameOf(metadata?.model),
    responseId: nameOf(metadata?.id) ?? nameOf(message.id),
    tier,
  })
}

/** Before there was `usage_metadata` a message had what OpenAI had said, or three of its counts in names of LangChain's own. */
const inOpenaiTerms = (told: Json): Json =>
  told.promptTokens === undefined
    ? told
    : { prompt_tokens: told.promptTokens, completion_tokens: told.completionTokens, total_tokens: told.totalTokens }

const putUsageMetadata = (tally: Tally, usage: Json, tier: string | undefined): void => {
  const input = mainCountOf(tally, usage.input_tokens)
  const output = mainCountOf(tally, usage.output_tokens)
  // An answer from LangChain's own cache repeats the counts of the first and says that they cost nothing.
  if (usage.total_cost === 0) return
  const inputs = objectOf(usage.input_token_details)
  const outputs = objectOf(usage.output_token_details)
  // The counts of OpenAI's other tiers are named after the tier.
  const named = (details: Json | undefined, key: string): number => detailOf(tally, details?.[key] ?? (tier && details?.[`${tier}_${key}`]))
  const cached = named(inputs, 'cache_read')
  const write1h = detailOf(tally, inputs?.ephemeral_1h_input_tokens)
  // With lifetimes the sum is zero or their sum, by version.
  const written = Math.max(named(inputs, 'cache_creation'), write1h + detailOf(tally, inputs?.ephemeral_5m_input_tokens))
  const audio = detailOf(tally, inputs?.audio)
  const image = detailOf(tally, inputs?.image)
  put(tally, 'cache_read', cached)
  put(tally, 'cache_write_1h', write1h)
  put(tally, 'cache_write_5m', written - write1h)
  put(tally, 'input_audio', audio)
  put(tally, 'input_image', image)
  put(tally, 'input', remainderOf(tally, input ?? 0, cached + written + audio + image, 'cached-exceeds-input'))
  const reasoning = named(outputs, 'reasoning')
  const outputAudio = detailOf(tally, outputs?.audio)
  const outputImage = detailOf(tally, outputs?.image)
  put(tally, 'reasoning', reasoning)
  put(tally, 'output_audio', outputAudio)
  put(tally, 'output_image', outputImage)
  put(tally, 'output', remainderOf(tally, output ?? 0, reasoning + outputAudio + outputImage, 'details-exceed-total'))
  if (usage.total_tokens != null) checkTotal(tally, detailOf(tally, usage.total_tokens), (input ?? 0) + (output ?? 0))
}

const createChunkSink = (context: ReadContext) => createMergingSink(context, { settle: ofMessage, take: takeChunk, isOpen: true })

const takeChunk = (record: Json, merged: Merged): void => {
  const { answer, seen } = merged
  const chunk = messageOf(record)
  addText(seen, 'output', chunk.content)
  for (const part of arrayOf(chunk.content)) addText(seen, 'output', objectOf(part)?.text)
  if (nameOf(chunk.id) !== undefined) answer.id = chunk.id
  const metadata = objectOf(chunk.response_metadata)
  if (metadata !== undefined) answer.response_metadata = { ...objectOf(answer.response_metadata), ...metadata }
  const usage = objectOf(chunk.usage_metadata)
  if (usage !== undefined) answer.usage_metadata = mergedUsage(objectOf(answer.usage_metadata), usage, merged)
  // A message has no end of its own; the last chunk is the one that says why the model stopped.
  if (chunk.chunk_position === 'last' || isWhole(chunk) || reasonIn(metadata)) merged.isDone = true
}

const isWhole = (chunk: Json): boolean => chunk.type === 'ai' || chunk.type === 'AIMessage'

const reasonIn = (metadata: Json | undefined): boolean =>
  ['finish_reason', 'stop_reason', 'finishReason', 'done_reason'].some((key) => typeof metadata?.[key] === 'string')

/**
 * Chunks are meant to be added up: the prompt in the first, the output in the last. Some integrations repeat the whole in each, and
 * adding those is what doubles bills; a prompt that is told again says so, and the larger counts are taken.
 */
const mergedUsage = (before: Json | undefined, next: Json, merged: Merged): Json => {
  if (before === undefined) return next
  const isRepeated = Number(before.input_tokens) > 0 && Number(next.input_tokens) > 0
  if (isRepeated) merged.note('repeated-usage')
  return mergedCounts(before, next, isRepeated)
}

const mergedCounts = (before: Json, next: Json, isRepeated: boolean): Json => {
  const sum: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(next)) {
    const known = sum[key]
    if (typeof value === 'number' && typeof known === 'number') sum[key] = isRepeated ? Math.max(known, value) : known + value
    else if (objectOf(value) !== undefined && objectOf(known) !== undefined)
      sum[key] = mergedCounts(objectOf(known) ?? {}, objectOf(value) ?? {}, isRepeated)
    else if (value != null) sum[key] = value
  }
  return sum
}
