import type { UsageFlag } from '../core/usage.ts'
import { type Traits, traitsOf } from './compatible-providers.ts'
import {
  arrayOf,
  checkTotal,
  createTally,
  detailOf,
  type Json,
  mainCountOf,
  objectOf,
  put,
  putPrompt,
  putUncounted,
  remainderOf,
  type Tally,
} from './counts.ts'
import type { Dialect, ReadContext, RequestReport, UsageReport } from './dialect.ts'
import { partialReport, reportOf, unreadable, withFlags } from './report.ts'
import {
  addText,
  createPlainText,
  estimatedReport,
  numberAfter,
  type PlainText,
  type SeenText,
  scanned,
  scanString,
  stringBytes,
  valueAt,
} from './seen-text.ts'
import { createStreamReader, parseRecord, type RecordSink } from './stream-reader.ts'
import { askedTier, decodeName, errorCodeOf, nameOf, tierOf } from './words.ts'

/**
 * Chat completions (and the older completions) of OpenAI, Azure and every server that is compatible with them.
 *
 * `prompt_tokens` holds the cached and the written tokens, `completion_tokens` the reasoning, except where `Traits` or the
 * total say otherwise. Usage is in the last chunk, if the caller asked for it.
 */
export const openaiChat: Dialect = {
  name: 'openai-chat',
  onlyWith: [{ units: ['input_audio', 'cache_read_audio', 'output_audio'], words: ['audio'] }],
  usagePath: ['usage'],
  matchesPath: (path) => /\/(?:chat\/)?completions$/.test(path),
  matchesBody: (body) => {
    const kind = body.object
    if (kind === 'chat.completion' || kind === 'chat.completion.chunk' || kind === 'text_completion') return true
    return Array.isArray(body.choices) || objectOf(body.usage)?.prompt_tokens !== undefined
  },
  ofRequest: (body, path) => chatRequest(body, path),
  ofBody: (body, context) => ofChatBody(body, context),
  createReader: (context) => createStreamReader(createChatSink(context)),
}

const chatRequest = (body: Json, path: string): RequestReport => {
  const model = nameOf(body.model) ?? azureModel(path)
  const limit = body.max_completion_tokens ?? body.max_tokens
  const choices = typeof body.n === 'number' && body.n > 1 ? body.n : 1
  return {
    isStream: body.stream === true,
    operation: path.endsWith('/chat/completions') || body.messages !== undefined ? 'chat' : 'completion',
    ...(model !== undefined && { model }),
    ...(typeof limit === 'number' && limit > 0 && { outputMax: limit * choices }),
    ...askedTier(body.service_tier),
  }
}

/** Azure names the deployment in the path: /openai/deployments/{name}/chat/completions. */
export const azureModel = (path: string): string | undefined => {
  const name = /\/deployments\/([^/]+)\//.exec(path)?.[1]
  return name === undefined ? undefined : nameOf(decodeName(name))
}

export const ofChatBody = (body: unknown, context: ReadContext): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const traits = traitsOf(context.provider)
  const tally = createTally()
  const parts = modelsOf(answer, traits)
  const usage = parts?.usage ?? chatUsage(answer)
  if (usage !== undefined) putChatUsage(tally, usage, traits)
  return reportOf(tally, {
    model: parts?.model ?? nameOf(answer.model),
    responseId: nameOf(answer.id),
    tier: tierOf(answer.service_tier ?? usage?.service_tier),
    reportedCost: usage === undefined ? undefined : traits.costOf(usage),
    error: chatError(answer),
    also: parts?.also,
  })
}

/** Groq's systems of several models bill each of them by its own rates: the first as the answer's model, the others beside it. */
const modelsOf = (answer: Json, traits: Traits) => {
  const entries = arrayOf(objectOf(answer.usage_breakdown)?.models).map(objectOf)
  const [first, ...others] = entries.filter((entry) => nameOf(entry?.model) !== undefined && objectOf(entry?.usage) !== undefined)
  if (first === undefined) return undefined
  const also = others.map((entry) => {
    const tally = createTally()
    putChatUsage(tally, objectOf(entry?.usage) ?? {}, traits)
    return { ...reportOf(tally, {}), model: nameOf(entry?.model) ?? '' }
  })
  return { model: nameOf(first.model), usage: objectOf(first.usage), also }
}

/**
 * Groq gives the usage twice, and in older answers the first without the prompt: the larger of the two is meant, never their sum.
 * Moonshot's streams have it in their last choice, with or without a copy outside.
 */
const chatUsage = (answer: Json): Json | undefined => {
  const usage = objectOf(answer.usage) ?? objectOf(objectOf(arrayOf(answer.choices)[0])?.usage) ?? bedrockUsage(answer)
  const second = objectOf(objectOf(answer.x_groq)?.usage)
  if (usage === undefined || second === undefined) return usage ?? second
  return Number(second.total_tokens) > Number(usage.total_tokens) ? second : usage
}

/** Bedrock runs models that answer in these terms and say nothing of usage; it counts for them, in the last chunk. */
const bedrockUsage = (answer: Json): Json | undefined => {
  const metrics = objectOf(answer['amazon-bedrock-invocationMetrics'])
  return metrics && { prompt_tokens: metrics.inputTokenCount, completion_tokens: metrics.outputTokenCount }
}

export const putChatUsage = (tally: Tally, usage: Json, traits: Traits): void => {
  const prompt = mainCountOf(tally, usage.prompt_tokens)
  const completion = mainCountOf(tally, usage.completion_tokens)
  const total = usage.total_tokens == null ? undefined : detailOf(tally, usage.total_tokens)
  const details = objectOf(usage.prompt_tokens_details)
  const lifetimes = objectOf(details?.cache_creation_token_details ?? details?.cache_creation)
  putPrompt(tally, {
    whole: prompt ?? 0,
    cached: detailOf(
      tally,
      details?.cached_tokens || usage.prompt_cache_hit_tokens || usage.cached_tokens || usage.cache_read_input_tokens,
    ),
    written: detailOf(
      tally,
      details?.cache_write_tokens ||
        details?.cache_creation_tokens ||
        details?.cache_creation_input_tokens ||
        usage.cache_creation_input_tokens,
    ),
    written1h: detailOf(tally, lifetimes?.ephemeral_1h_input_tokens),
    written12h: detailOf(tally, objectOf(details?.cache_write_tokens_details)?.ttl_12h_tokens),
    audio: detailOf(tally, details?.audio_tokens),
    image: detailOf(tally, details?.image_tokens),
  })
  putCompletion(tally, usage, traits, { prompt: prompt ?? 0, completion: completion ?? 0, total })
  if (traits.costOf(usage) === undefined) putUncounted(tally, usage.num_sources_used)
}

const putCompletion = (
  tally: Tally,
  usage: Json,
  traits: Traits,
  { prompt, completion, total }: { prompt: number; completion: number; total: number | undefined },
): void => {
  const details = objectOf(usage.completion_tokens_details)
  const named = detailOf(tally, details?.reasoning_tokens ?? usage.reasoning_tokens)
  const audio = detailOf(tally, details?.audio_tokens)
  const image = detailOf(tally, details?.image_tokens)
  const gap = total === undefined ? 0 : total - prompt - completion
  // The total settles it where there is one: it is the sum of what lies beside one another.
  const isBeyond = named > 0 && traits.reasoning === 'beyond'
  const isBeside = named > 0 && !isBeyond && (gap === named || (traits.reasoning === 'beside' && (total === undefined || gap !== 0)))
  const reasoning = named === 0 && gap > 0 && traits.isGapReasoning ? gap : named
  const isOutside = isBeside || isBeyond || reasoning !== named
  put(tally, 'reasoning', reasoning)
  put(tally, 'output_audio', audio)
  put(tally, 'output_image', image)
  put(tally, 'output', remainderOf(tally, completion, audio + image + (isOutside ? 0 : reasoning), 'details-exceed-total'))
  checkTotal(tally, total, prompt + completion + (isOutside && !isBeyond ? reasoning : 0))
}

/** The error of a whole answer or of one chunk (OpenRouter puts it beside the choices). */
export const chatError = (answer: Json): string | undefined => {
  if (answer.error === undefined || answer.error === null) return undefined
  const error = objectOf(answer.error)
  return error === undefined ? errorCodeOf(answer.error) : errorCodeOf(error.code, error.type)
}

/** Bedrock's completions name the reason otherwise. */
const isFinished = (choice: Json | undefined): boolean => (choice?.finish_reason ?? choice?.stop_reason) != null

export interface ChatSinkOptions {
  readonly traits?: Traits
  readonly settle?: (answer: Json, context: ReadContext) => UsageReport
  /** True for a record after which nothing counts, besides `[DONE]`. */
  readonly isLast?: (chunk: Json) => boolean
}

/** Chunks that are parsed in search of the model and the id; some servers never give an id. */
const introductionMax = 4

/**
 * Reads chunks as they go by. A chunk is left unparsed when it is plainly a piece of text: the model and id are known, and a text
 * is there whose length can be counted where it stands. Of servers that repeat the usage in every such chunk the last one is kept,
 * and parsed at the end.
 */
export const createChatSink = (context: ReadContext, options: ChatSinkOptions = {}): RecordSink => {
  const { traits = traitsOf(context.provider), settle = ofChatBody, isLast } = options
  const seen: SeenText = { output: 0, reasoning: 0 }
  const flags: UsageFlag[] = []
  const merged: Record<string, unknown> = {}
  let usageTotal = -1
  let isEnded = false
  let hasLastWord = false
  let textBefore = 0
  let parsed = 0
  let isIntroduced = false
  let held: string | undefined
  let heldBefore: string | undefined
  const plain = createPlainText(seen)

  const note = (name: UsageFlag): void => {
    if (!flags.includes(name)) flags.push(name)
  }

  /** Usage is cumulative where it comes more than once, so that a smaller one is a chunk that was sent again. */
  const takeUsage = (chunk: Json): void => {
    const usage = chatUsage(chunk)
    if (usage === undefined) return
    const total = Number(usage.total_tokens ?? usage.completion_tokens ?? 0)
    if (total < usageTotal) {
      note('repeated-usage')
      return
    }
    usageTotal = total
    merged.usage = usage
    held = undefined
    heldBefore = undefined
    // Nothing but `[DONE]` follows the usage of what is finished, and not every recording keeps that.
    hasLastWord = arrayOf(chunk.choices).every((choice) => isFinished(objectOf(choice)))
    if (hasLastWord) {
      textBefore = seen.output + seen.reasoning
      if (!traits.endsWithDone) sink.isDone = true
    }
  }

  const takeChunk = (chunk: Json): void => {
    for (const key of ['usage_info', 'usage_breakdown'] as const) if (chunk[key] != null) merged[key] = chunk[key]
    for (const key of ['id', 'model', 'service_tier'] as const) if (nameOf(chunk[key]) !== undefined) merged[key] = chunk[key]
    if (chunk.error != null) {
      merged.error = chunk.error
      // An error beside choices is one of OpenRouter's, after which the usage may still come; one alone is the end.
      if (chunk.choices === undefined) sink.isDone = true
    }
    for (const choice of arrayOf(chunk.choices)) addChoice(seen, objectOf(choice))
    takeUsage(chunk)
    // A whole answer where a stream was expected: some servers do not stream.
    if (chunk.object === 'chat.completion' || isLast?.(chunk)) end()
  }

  const hold = (text: string, total: number): void => {
    if (total < usageTotal) {
      note('repeated-usage')
      return
    }
    usageTotal = total
    heldBefore = held
    held = text
  }

  /** The one before stands in if the last was cut. */
  const takeHeld = (): void => {
    if (held === undefined) return
    const chunk = parseRecord(held) ?? (heldBefore === undefined ? undefined : parseRecord(heldBefore))
    if (parseRecord(held) === undefined) note('malformed-chunk')
    const usage = chunk && chatUsage(chunk)
    if (usage !== undefined) merged.usage = usage
  }

  /** What follows is no part of the answer. Where the last word is the usage, more of it may follow, and is read. */
  const end = (): void => {
    isEnded = true
    sink.isDone = true
  }

  const sink: RecordSink = {
    isDone: false,
    plain,
    record(text) {
      plain.forget()
      if (isEnded) return
      if (text === '[DONE]') {
        end()
        return
      }
      const total = isIntroduced ? countDelta(text, seen, plain) : undefined
      if (total === 0) return
      if (total !== undefined) {
        hold(text, total)
        return
      }
      parsed += 1
      const chunk = parseRecord(text)
      if (chunk === undefined) note('malformed-chunk')
      else takeChunk(chunk)
      isIntroduced = parsed >= introductionMax || (merged.id !== undefined && merged.model !== undefined)
    },
    report(framing) {
      const isWhole = isEnded || (hasLastWord && textBefore === seen.output + seen.reasoning)
      takeHeld()
      const isClosed = sink.isDone || merged.error !== undefined
      const odd: UsageFlag[] = isClosed ? [...framing, ...flags] : [...framing, ...flags, 'truncated-stream']
      const report = settle(merged, context)
      if (merged.usage === undefined) return withFlags(estimatedReport(report, seen, context), odd)
      return withFlags(isWhole ? report : partialReport(report), odd)
    },
  }
  return sink
}

/**
 * Counts the text of a chunk that is plainly a piece of text. Gives the total of its usage, 0 where it has none, and undefined for
 * any other chunk, which is to be parsed.
 */
const countDelta = (text: string, seen: SeenText, plain: PlainText): number | undefined => {
  const at = text.indexOf(contentKey)
  const start = at === -1 ? -1 : valueAt(text, at + contentKey.length)
  const end = start !== -1 && text.charCodeAt(start) === 34 ? scanString(text, start + 1) : -1
  if (end <= start + 1) return countOther(text, seen, plain)
  const { bytes } = scanned
  const total = text.indexOf(countKey) === -1 ? 0 : heldTotal(text)
  if (total === undefined) return undefined
  // `content"` also ends `reasoning_content"`; the char before tells which of the two it is.
  const kind = text.charCodeAt(at - 1) === 34 ? 'output' : 'reasoning'
  seen[kind] += bytes
  if (total === 0) plain.learn(start + 1, kind)
  return total
}

/** The total of a usage that can wait: one with a total, in a chunk that does not say why the model stopped. */
const heldTotal = (text: string): number | undefined => {
  const reason = text.indexOf('finish_reason"')
  if (reason !== -1 && text.charCodeAt(valueAt(text, reason + 14)) === 34) return undefined
  const total = numberAfter(text, 'otal_tokens"', 0)
  return total > 0 ? total : undefined
}

const countOther = (text: string, seen: SeenText, plain: PlainText): number | undefined => {
  if (text.indexOf(countKey) !== -1) return undefined
  for (const [key, kind] of otherTexts) {
    const bytes = stringBytes(text, key)
    if (bytes <= 0) continue
    seen[kind] += bytes
    plain.learn(scanned.start, kind)
    return 0
  }
  return undefined
}

const contentKey = 'content"'

/** Every usage object has a key that ends so (`prompt_tokens"`), nothing else of a chunk does, and a search for a rare letter is quick. */
const countKey = 'kens"'

const otherTexts = [
  ['reasoning_content"', 'reasoning'],
  ['"reasoning"', 'reasoning'],
  ['"arguments"', 'output'],
] as const

const addChoice = (seen: SeenText, choice: Json | undefined): void => {
  const delta = objectOf(choice?.delta)
  if (choice !== undefined) addText(seen, 'output', choice.text)
  if (delta === undefined) return
  addContent(seen, delta.content)
  addText(seen, 'output', delta.refusal)
  addText(seen, 'reasoning', delta.reasoning_content ?? delta.reasoning)
  for (const call of arrayOf(delta.tool_calls)) {
    const tool = objectOf(objectOf(call)?.function)
    addText(seen, 'output', tool?.name)
    addText(seen, 'output', tool?.arguments)
  }
}

/** A list of parts where thinking is content (Mistral), else a string. */
const addContent = (seen: SeenText, content: unknown): void => {
  addText(seen, 'output', content)
  if (!Array.isArray(content)) return
  for (const part of content) {
    const piece = objectOf(part)
    addText(seen, 'output', piece?.text)
    for (const thought of arrayOf(piece?.thinking)) addText(seen, 'reasoning', objectOf(thought)?.text)
  }
}
