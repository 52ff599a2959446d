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
  remainderOf,
  type Tally,
} from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { partialReport, reportOf, unreadable, withFlags } from './report.ts'
import { createPlainText, estimatedReport, type PlainText, type SeenText, scanned, scanString, valueAt } from './seen-text.ts'
import { createStreamReader, parseRecord, type RecordSink } from './stream-reader.ts'
import { askedTier, errorCodeOf, nameOf, tierOf } from './words.ts'

/**
 * OpenAI's Responses, also as Azure, xAI and OpenRouter give them.
 *
 * `input_tokens` holds the cached and the written tokens, `output_tokens` the reasoning. Searches are items of the output. In a
 * stream the whole answer, usage included, is in the last event.
 */
export const openaiResponses: Dialect = {
  name: 'openai-responses',
  usagePath: ['usage'],
  matchesPath: (path) => /\/responses(?:\/compact)?$/.test(path),
  matchesBody: (body) => {
    if (body.object === 'response') return true
    if (typeof body.type === 'string' && body.type.startsWith('response.')) return true
    const usage = objectOf(body.usage)
    // LangChain has the same counts, and its details in the singular.
    return usage?.input_tokens !== undefined && usage.total_tokens !== undefined && usage.input_token_details === undefined
  },
  ofRequest: (body) => {
    const model = nameOf(body.model)
    const limit = body.max_output_tokens
    return {
      isStream: body.stream === true,
      operation: 'chat',
      ...(model !== undefined && { model }),
      ...(typeof limit === 'number' && limit > 0 && { outputMax: limit }),
      ...askedTier(body.service_tier),
    }
  },
  ofBody: (body, context) => ofResponse(body, context),
  createReader: (context) => createStreamReader(createResponseSink(context)),
}

const ofResponse = (body: unknown, context: ReadContext): UsageReport => {
  const outer = objectOf(body)
  if (outer === undefined) return unreadable()
  // One event of a stream holds the answer as `response`.
  const response = objectOf(outer.response) ?? outer
  const traits = traitsOf(context.provider)
  const tally = createTally()
  const usage = objectOf(response.usage)
  if (usage !== undefined) putResponseUsage(tally, usage, traits)
  putTools(tally, response, usage)
  return reportOf(tally, {
    model: nameOf(response.model),
    responseId: nameOf(response.id),
    tier: tierOf(response.service_tier),
    reportedCost: usage === undefined ? undefined : traits.costOf(usage),
    error: responseError(response),
    also: imageModel(response),
  })
}

const putResponseUsage = (tally: Tally, usage: Json, traits: Traits): void => {
  const input = mainCountOf(tally, usage.input_tokens)
  const output = mainCountOf(tally, usage.output_tokens)
  const inputDetails = objectOf(usage.input_tokens_details)
  const outputDetails = objectOf(usage.output_tokens_details)
  const reasoning = detailOf(tally, outputDetails?.reasoning_tokens)
  const audio = detailOf(tally, outputDetails?.audio_tokens)
  const image = detailOf(tally, outputDetails?.image_tokens)
  const total = usage.total_tokens === undefined ? undefined : detailOf(tally, usage.total_tokens)
  const gap = total === undefined ? 0 : total - (input ?? 0) - (output ?? 0)
  const isBeside = reasoning > 0 && gap === reasoning
  putPrompt(tally, {
    whole: input ?? 0,
    cached: detailOf(tally, inputDetails?.cached_tokens || usage.cached_tokens),
    written: detailOf(tally, inputDetails?.cache_write_tokens),
    written12h: detailOf(tally, objectOf(inputDetails?.cache_write_tokens_details)?.ttl_12h_tokens),
    audio: detailOf(tally, inputDetails?.audio_tokens),
    image: detailOf(tally, inputDetails?.image_tokens),
  })
  const hidden = reasoning === 0 && gap > 0 && traits.isGapReasoning ? gap : 0
  put(tally, 'reasoning', reasoning + hidden)
  put(tally, 'output_audio', audio)
  put(tally, 'output_image', image)
  put(tally, 'output', remainderOf(tally, output ?? 0, audio + image + (isBeside ? 0 : reasoning), 'details-exceed-total'))
  checkTotal(tally, total, (input ?? 0) + (output ?? 0) + (isBeside ? reasoning : hidden))
}

const itemsOf = (response: Json, type: string): readonly Json[] =>
  arrayOf(response.output)
    .map(objectOf)
    .filter((item) => item !== undefined && item.type === type && item.status === 'completed') as readonly Json[]

/** xAI counts what its tools did, and sells each by the thousand (docs.x.ai/developers/pricing); calls of other servers are free. */
const xaiTools = [
  ['web_search', 'web_search_calls'],
  ['x_search', 'x_search_calls'],
  ['code_execution', 'code_interpreter_calls'],
  ['file_search', 'file_search_calls'],
  ['document_search', 'document_search_calls'],
] as const

/**
 * The searches that are billed: as the provider counts them where it does, else the completed search items. Opening or looking
 * through a page is an item too and costs nothing (developers.openai.com/api/docs/guides/tools-web-search).
 */
const putTools = (tally: Tally, response: Json, usage: Json | undefined): void => {
  const details = objectOf(usage?.server_side_tool_usage_details)
  if (details !== undefined) {
    for (const [unit, key] of xaiTools) put(tally, unit, detailOf(tally, details[key]))
    return
  }
  const counted = objectOf(objectOf(response.tool_usage)?.web_search)?.num_requests
  const searches = itemsOf(response, 'web_search_call').filter((item) => {
    const action = objectOf(item.action)?.type
    return action === undefined || action === 'search'
  })
  put(tally, 'web_search', counted == null ? searches.length : detailOf(tally, counted))
  put(tally, 'file_search', itemsOf(response, 'file_search_call').length)
}

/** Pictures that were made on the way are billed as tokens of the picture's own model, beside the usage. */
const imageModel = (response: Json): UsageReport['also'] => {
  const usage = objectOf(objectOf(response.tool_usage)?.image_gen)
  if (usage === undefined) return undefined
  const tally = createTally()
  putImageUsage(tally, usage)
  if (Object.keys(tally.units).length === 0) return undefined
  const tool = arrayOf(response.tools)
    .map(objectOf)
    .find((entry) => entry?.type === 'image_generation')
  // Where the model is not said the pictures stay visible as a model without a price.
  return [{ ...reportOf(tally, {}), model: nameOf(tool?.model) ?? 'image_generation' }]
}

/** Text and pictures in, pictures (and seldom text) out: the usage of everything that makes images. */
export const putImageUsage = (tally: Tally, usage: Json): void => {
  const input = mainCountOf(tally, usage.input_tokens)
  const output = mainCountOf(tally, usage.output_tokens)
  const details = objectOf(usage.input_tokens_details)
  const cachedDetails = objectOf(usage.cached_tokens_details ?? details?.cached_tokens_details)
  putPrompt(tally, {
    whole: input ?? 0,
    cached: detailOf(tally, usage.cached_tokens ?? details?.cached_tokens),
    image: detailOf(tally, details?.image_tokens),
    ...(cachedDetails !== undefined && {
      cachedImage: detailOf(tally, cachedDetails.cached_image_tokens ?? cachedDetails.image_tokens),
    }),
  })
  const text = detailOf(tally, objectOf(usage.output_tokens_details)?.text_tokens)
  put(tally, 'output', Math.min(text, output ?? 0))
  put(tally, 'output_image', remainderOf(tally, output ?? 0, text, 'details-exceed-total'))
  const total = usage.total_tokens === undefined ? undefined : detailOf(tally, usage.total_tokens)
  checkTotal(tally, total, (input ?? 0) + (output ?? 0))
}

const responseError = (response: Json): string | undefined => {
  if (response.error !== undefined && response.error !== null) {
    const error = objectOf(response.error)
    return errorCodeOf(error?.code, error?.type, response.error)
  }
  return response.type === 'error' ? errorCodeOf(response.code) : undefined
}

const createResponseSink = (context: ReadContext): RecordSink => {
  const seen: SeenText = { output: 0, reasoning: 0 }
  const flags: UsageFlag[] = []
  const items: unknown[] = []
  let started: Json | undefined
  let ended: Json | undefined
  let failure: Json | undefined
  const plain = createPlainText(seen)

  const note = (name: UsageFlag): void => {
    if (!flags.includes(name)) flags.push(name)
  }

  const take = (record: Json): void => {
    const type = record.type
    const response = objectOf(record.response) ?? (record.object === 'response' ? record : undefined)
    if (type === 'response.output_item.done') items.push(record.item)
    else if (response !== undefined && (record === response || terminals.has(type))) ended = response
    else if (type === 'error' || record.error != null) failure = record
    else if (response !== undefined) started ??= response
  }

  const sink: RecordSink = {
    isDone: false,
    plain,
    record(text) {
      plain.forget()
      if (ended !== undefined || text === '[DONE]') return
      const type = typeOf(text)
      if (type !== undefined && isSkipped(type, text, seen, plain, started !== undefined)) return
      const record = parseRecord(text)
      if (record === undefined) note('malformed-chunk')
      else take(record)
      sink.isDone = ended !== undefined || failure !== undefined
    },
    report(framing) {
      const odd: UsageFlag[] = [...framing, ...flags]
      const told = ended && ofResponse(ended, context)
      // Some servers end the stream as OpenAI does and say nothing of usage.
      if (told?.quality === 'missing' && told.error === undefined) return withFlags(estimatedReport(told, seen, context), odd)
      if (told !== undefined) return withFlags(told, odd)
      if (failure === undefined) odd.push('truncated-stream')
      // A stream that was cut has its usage nowhere; the searches that were made are known from the items.
      const report = ofResponse({ ...started, output: items, ...failureOf(failure) }, context)
      const estimate = partialReport(estimatedReport(report, seen, context))
      return withFlags({ ...estimate, usage: { ...report.usage, ...estimate.usage } }, odd)
    },
  }
  return sink
}

const failureOf = (failure: Json | undefined): Json =>
  failure === undefined ? {} : { error: objectOf(failure.error) ?? { code: failure.code ?? failure.type } }

const terminals: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
  'response.done',
])

/** The event's type: the first key nearly everywhere, else the first type that an event can have. */
const typeOf = (text: string): string | undefined => {
  if (text.charCodeAt(2) === 116 && text.charCodeAt(3) === 121 && text.charCodeAt(7) === 58 && text.charCodeAt(8) === 34) {
    return text.slice(9, text.indexOf('"', 9))
  }
  return /"type"\s*:\s*"(response\.[a-z_.]+|error)"/.exec(text)?.[1]
}

/** True for events that tell nothing but text (counted) or progress. */
const isSkipped = (type: string, text: string, seen: SeenText, plain: PlainText, isStarted: boolean): boolean => {
  if (terminals.has(type) || !type.startsWith('response.')) return false
  if (type.endsWith('.delta')) {
    const kind = type.includes('reasoning') ? 'reasoning' : 'output'
    const at = text.indexOf('delta"', type.length + 10)
    const start = at === -1 ? -1 : valueAt(text, at + 6)
    if (text.charCodeAt(start) !== 34 || scanString(text, start + 1) === -1) return true
    seen[kind] += scanned.bytes
    plain.learn(start + 1, kind)
    return true
  }
  if (type === 'response.output_item.done') return text.indexOf('search_call"') === -1
  if (type === 'response.created' || type === 'response.in_progress' || type === 'response.queued') return isStarted
  return true
}
