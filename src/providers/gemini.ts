import type { Unit } from '../core/units.ts'
import type { UsageFlag } from '../core/usage.ts'
import {
  arrayOf,
  checkTotal,
  countOf,
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
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { partialReport, reportOf, unreadable, withFlags } from './report.ts'
import { addText, estimatedReport, numberAfter, type SeenText } from './seen-text.ts'
import { createStreamReader, parseRecord, type RecordSink, recordText } from './stream-reader.ts'
import { askedTier, errorCodeOf, modelInPath, nameOf, tierOf } from './words.ts'

/**
 * Gemini, on its own API and on Vertex; content generation and embeddings.
 *
 * The prompt holds the cached tokens; thoughts and the results of tools lie beside candidates and prompt. Every chunk of a
 * stream repeats the counts, grown; the last one with counts is the answer's.
 */
export const gemini: Dialect = {
  name: 'gemini',
  // What is only named (a file, a cache) may be sound, and so may a part of a film.
  onlyWith: [
    { units: ['input_audio', 'cache_read_audio'], words: ['audio/', 'video/', 'fileData', 'file_data', 'cachedContent', 'cached_content'] },
  ],
  usagePath: ['usageMetadata'],
  matchesPath: (path) => /:(?:generateContent|streamGenerateContent|embedContent|batchEmbedContents|predict)$/.test(path),
  matchesBody: (body) => {
    const answer = objectOf(body.response) ?? body
    if (isGeminiUsage(answer.usageMetadata) || isGeminiUsage(answer.usage_metadata)) return true
    if (Array.isArray(answer.candidates) || answer.promptFeedback !== undefined) return true
    if (isEmbedding(answer.embedding) || isEmbedding(arrayOf(answer.embeddings)[0])) return true
    const prediction = objectOf(arrayOf(answer.predictions)[0])
    return prediction !== undefined && (objectOf(prediction.embeddings) !== undefined || isPicture(prediction))
  },
  ofRequest: (body, path) => {
    const model = nameOf(body.model) ?? modelInPath(path)
    const settings = objectOf(body.generationConfig) ?? objectOf(body.generation_config)
    const limit = settings?.maxOutputTokens ?? settings?.max_output_tokens
    const candidates = settings?.candidateCount
    return {
      isStream: path.endsWith(':streamGenerateContent'),
      operation: /embed/i.test(path) ? 'embedding' : 'chat',
      ...(model !== undefined && { model: model.replace(/^models\//, '') }),
      ...(typeof limit === 'number' &&
        limit > 0 && { outputMax: limit * (typeof candidates === 'number' && candidates > 1 ? candidates : 1) }),
      ...askedTier(field(body, 'serviceTier', 'service_tier')),
    }
  },
  ofBody: (body, context) => ofAnswer(body, context),
  createReader: (context) => createStreamReader(createGeminiSink(context)),
}

const isGeminiUsage = (value: unknown): boolean => {
  const usage = objectOf(value)
  return usage !== undefined && Object.keys(usage).some((key) => /[tT]oken_?[cC]ount$|^traffic/.test(key))
}

/** Google alone has the numbers of an embedding in an object. */
const isEmbedding = (value: unknown): boolean => Array.isArray(objectOf(value)?.values)

const isPicture = (prediction: Json): boolean =>
  (prediction.bytesBase64Encoded !== undefined || prediction.gcsUri !== undefined) && /^image\//.test(String(prediction.mimeType))

const ofAnswer = (body: unknown, context: ReadContext): UsageReport => {
  // Without `alt=sse` a stream is one JSON array; read as a whole it is a list of chunks.
  if (Array.isArray(body)) return ofChunks(body, context)
  const outer = objectOf(body)
  if (outer === undefined) return unreadable()
  const answer = objectOf(outer.response) ?? outer
  const tally = createTally()
  const usage = objectOf(answer.usageMetadata) ?? objectOf(answer.usage_metadata)
  if (usage !== undefined) putGeminiUsage(tally, usage)
  const model = nameOf(answer.modelVersion ?? answer.model_version)
  put(tally, 'web_search', searchesOf(answer, model))
  if (groundingsOf(answer).some(hasUncountedGrounding)) putUncounted(tally, 1)
  putPredictions(tally, answer)
  return reportOf(tally, {
    model,
    responseId: nameOf(answer.responseId ?? answer.response_id),
    tier: usage === undefined ? undefined : geminiTier(usage),
    error: geminiError(outer),
  })
}

const ofChunks = (chunks: readonly unknown[], context: ReadContext): UsageReport => {
  const sink = createGeminiSink(context)
  for (const chunk of chunks) sink.record(recordText(chunk))
  return sink.report([])
}

const field = (usage: Json, camel: string, snake: string): unknown => usage[camel] ?? usage[snake]

export const putGeminiUsage = (tally: Tally, usage: Json): void => {
  const prompt = mainCountOf(tally, field(usage, 'promptTokenCount', 'prompt_token_count'))
  const candidates = mainCountOf(
    tally,
    field(usage, 'candidatesTokenCount', 'candidates_token_count') ?? field(usage, 'responseTokenCount', 'response_token_count'),
  )
  const thoughts = detailOf(tally, field(usage, 'thoughtsTokenCount', 'thoughts_token_count'))
  const tools = detailOf(tally, field(usage, 'toolUsePromptTokenCount', 'tool_use_prompt_token_count'))
  const cached = detailOf(tally, field(usage, 'cachedContentTokenCount', 'cached_content_token_count'))
  const total = countOf(tally, field(usage, 'totalTokenCount', 'total_token_count'))
  const promptKinds = kindsOf(tally, field(usage, 'promptTokensDetails', 'prompt_tokens_details'))
  const cachedKinds = kindsOf(tally, field(usage, 'cacheTokensDetails', 'cache_tokens_details'))
  const toolKinds = kindsOf(tally, field(usage, 'toolUsePromptTokensDetails', 'tool_use_prompt_tokens_details'))
  putPrompt(tally, {
    whole: prompt ?? 0,
    cached,
    audio: promptKinds.audio,
    image: promptKinds.image,
    ...(cachedKinds.isKnown && { cachedAudio: cachedKinds.audio, cachedImage: cachedKinds.image }),
  })
  putPrompt(tally, { whole: tools, cached: 0, audio: toolKinds.audio, image: toolKinds.image })
  putAnswer(tally, usage, { prompt: prompt ?? 0, candidates: candidates ?? 0, thoughts, tools, total })
}

interface Totals {
  readonly prompt: number
  readonly candidates: number
  readonly thoughts: number
  readonly tools: number
  readonly total: number | undefined
}

/** Where prompt and candidates alone make the total although there were thoughts, the candidates hold them. */
const putAnswer = (tally: Tally, usage: Json, { prompt, candidates, thoughts, tools, total }: Totals): void => {
  const isInclusive =
    thoughts > 0 && total !== undefined && (total === prompt + candidates || (tools > 0 && total === prompt + candidates + tools))
  const kinds = kindsOf(
    tally,
    field(usage, 'candidatesTokensDetails', 'candidates_tokens_details') ??
      field(usage, 'responseTokensDetails', 'response_tokens_details'),
  )
  put(tally, 'reasoning', thoughts)
  put(tally, 'output_audio', kinds.audio)
  put(tally, 'output_image', kinds.image)
  put(tally, 'output', remainderOf(tally, candidates, kinds.audio + kinds.image + (isInclusive ? thoughts : 0), 'details-exceed-total'))
  if (!isInclusive) checkTotal(tally, total, prompt + candidates + thoughts + tools)
}

interface Kinds {
  audio: number
  image: number
  isKnown: boolean
}

/** Video and documents are priced as text is; only sound and pictures have units of their own. */
const kindsOf = (tally: Tally, details: unknown): Kinds => {
  const kinds: Kinds = { audio: 0, image: 0, isKnown: false }
  for (const entry of arrayOf(details)) {
    const detail = objectOf(entry)
    const count = detailOf(tally, detail?.tokenCount ?? detail?.token_count)
    const kind = typeof detail?.modality === 'string' ? detail.modality.toUpperCase() : ''
    kinds.isKnown = true
    if (kind === 'AUDIO') kinds.audio += count
    else if (kind === 'IMAGE') kinds.image += count
  }
  return kinds
}

/**
 * Google Search is billed per grounded prompt up to Gemini 2.x and per query from Gemini 3 on (ai.google.dev/gemini-api/docs/
 * pricing, "Grounding with Google Search"). An answer that names no model counts as the older kind: the lower of the two.
 */
const searchesOf = (answer: Json, model: string | undefined): number => {
  let queries = 0
  for (const grounding of groundingsOf(answer)) {
    const asked = arrayOf(field(grounding, 'webSearchQueries', 'web_search_queries'))
    queries += asked.filter((query) => typeof query === 'string' && query !== '').length
  }
  const generation = Number(/gemini-(\d+)/.exec(model ?? '')?.[1] ?? 0)
  return generation >= 3 ? queries : Math.min(queries, 1)
}

const groundingsOf = (answer: Json): readonly Json[] =>
  arrayOf(answer.candidates)
    .map((candidate) => field(objectOf(candidate) ?? {}, 'groundingMetadata', 'grounding_metadata'))
    .map(objectOf)
    .filter((grounding) => grounding !== undefined)

/** Maps and searches for pictures have prices of their own, and no count that says how often they were paid. */
const hasUncountedGrounding = (grounding: Json): boolean =>
  arrayOf(field(grounding, 'imageSearchQueries', 'image_search_queries')).length > 0 ||
  arrayOf(field(grounding, 'groundingChunks', 'grounding_chunks')).some((chunk) => objectOf(objectOf(chunk)?.maps) !== undefined)

/** Text embeddings on Vertex count per prediction, pictures are one each. */
const putPredictions = (tally: Tally, answer: Json): void => {
  for (const entry of arrayOf(answer.predictions)) {
    if (isPicture(objectOf(entry) ?? {})) {
      put(tally, 'image', 1)
      tally.isKnown = true
    }
    const statistics = objectOf(objectOf(objectOf(entry)?.embeddings)?.statistics)
    put(tally, 'input' satisfies Unit, mainCountOf(tally, statistics?.token_count) ?? 0)
  }
}

/** Vertex says how traffic was paid for (ON_DEMAND_FLEX), Gemini's own API which tier served it. */
export const geminiTier = (usage: Json): string | undefined => {
  const traffic = tierOf(field(usage, 'trafficType', 'traffic_type'))?.replace(/^on_demand_/, '')
  if (traffic !== undefined && traffic !== 'traffic_type_unspecified') return traffic
  return tierOf(field(usage, 'serviceTier', 'service_tier'))
}

const geminiError = (outer: Json): string | undefined => {
  if (outer.error === undefined || outer.error === null) return undefined
  const error = objectOf(outer.error)
  return errorCodeOf(error?.status, error?.code, error?.type, outer.error)
}

/**
 * Keeps the last record that has counts and parses that one alone; the one before it stands in if it was cut. Records that were searched for the web are parsed as well, since
 * a stream names its queries only once.
 */
export const createGeminiSink = (context: ReadContext, settle: typeof ofAnswer = ofAnswer): RecordSink => {
  const seen: SeenText = { output: 0, reasoning: 0 }
  const flags: UsageFlag[] = []
  let last: string | undefined
  let before: string | undefined
  let lastTotal = -1
  let first: Json | undefined
  let grounded: Json | undefined
  let error: unknown

  const note = (name: UsageFlag): void => {
    if (!flags.includes(name)) flags.push(name)
  }

  /** Counts only grow, so that a smaller total is a chunk that was sent again. */
  const keep = (text: string, at: number): void => {
    const total = numberAfter(text, 'otalTokenCount"', at)
    const isWhole = total >= lastTotal || parseRecord(text) !== undefined
    if (total < lastTotal && (total > 0 || !isWhole)) {
      note(isWhole ? 'repeated-usage' : 'malformed-chunk')
      return
    }
    lastTotal = Math.max(total, lastTotal)
    before = last
    last = text
    if (text.indexOf('finishReason"') !== -1) sink.isDone = true
  }

  const take = (text: string, hasCounts: boolean): void => {
    const chunk = parseRecord(text)
    if (chunk === undefined) {
      note('malformed-chunk')
      return
    }
    if (chunk.error != null) error = chunk.error
    const answer = objectOf(chunk.response) ?? chunk
    first ??= answer
    const queries = searchesOf(answer, 'gemini-3')
    if (queries > 0 && queries >= searchesOf(grounded ?? {}, 'gemini-3')) grounded = answer
    if (hasCounts) return
    for (const candidate of arrayOf(answer.candidates)) addParts(seen, objectOf(objectOf(candidate)?.content))
  }

  const sink: RecordSink = {
    isDone: false,
    record(text) {
      const at = text.indexOf('sageMetadata"')
      const hasCounts = at !== -1 && text.indexOf('TokenCount"', at) !== -1
      if (hasCounts) keep(text, at)
      if (hasCounts && first !== undefined && text.indexOf('groundingMetadata"') === -1) return
      take(text, hasCounts)
    },
    report(framing) {
      let chunk = last === undefined ? undefined : parseRecord(last)
      if (last !== undefined && chunk === undefined) {
        note('malformed-chunk')
        chunk = before === undefined ? undefined : parseRecord(before)
      }
      const odd: UsageFlag[] = [...framing, ...flags]
      if (!sink.isDone && error === undefined) odd.push('truncated-stream')
      const whole = { ...first, ...(objectOf(chunk?.response) ?? chunk), ...(grounded && { candidates: grounded.candidates }) }
      const report = settle(error === undefined ? whole : { ...whole, error }, context)
      if (chunk === undefined) return withFlags(estimatedReport(report, seen, context), odd)
      return withFlags(sink.isDone ? report : partialReport(report), odd)
    },
  }
  return sink
}

const addParts = (seen: SeenText, content: Json | undefined): void => {
  for (const entry of arrayOf(content?.parts)) {
    const part = objectOf(entry)
    addText(seen, part?.thought === true ? 'reasoning' : 'output', part?.text)
    const call = objectOf(part?.functionCall)
    if (call !== undefined) addText(seen, 'output', JSON.stringify(call))
  }
}
