import { arrayOf, createTally, detailOf, type Json, objectOf, put, putUncounted, type Tally } from './counts.ts'
import type { Dialect, UsageReport } from './dialect.ts'
import { putGeminiUsage } from './gemini.ts'
import { createMergingSink, type Merged } from './merging-sink.ts'
import { reportOf, unreadable } from './report.ts'
import { addText, stringBytes } from './seen-text.ts'
import { createStreamReader } from './stream-reader.ts'
import { errorCodeOf, nameOf, tierOf } from './words.ts'

/**
 * Gemini's interactions: its counts under other names. An agent has no model; its own name is what is billed. Each hop of a long
 * answer is an interaction of its own, with its own counts.
 */
export const geminiInteractions: Dialect = {
  name: 'gemini-interactions',
  usagePath: ['usage'],
  matchesPath: (path) => /\/v\d\w*\/(?:.+\/)?interactions$/.test(path),
  matchesBody: (body) =>
    body.object === 'interaction' ||
    /^(?:interaction|step)\./.test(String(body.event_type)) ||
    objectOf(body.usage)?.total_input_tokens !== undefined,
  ofRequest: (body) => {
    const model = nameOf(body.model ?? body.agent)
    const limit = objectOf(body.generation_config)?.max_output_tokens
    return {
      isStream: body.stream === true,
      operation: 'chat',
      ...(model !== undefined && { model: model.replace(/^models\//, '') }),
      ...(typeof limit === 'number' && limit > 0 && { outputMax: limit }),
    }
  },
  ofBody: (body) => ofInteraction(body),
  createReader: (context) => createStreamReader(createMergingSink(context, { settle: ofInteraction, skips: skipsText, take: takeEvent })),
}

const ofInteraction = (body: unknown): UsageReport => {
  const outer = objectOf(body)
  if (outer === undefined) return unreadable()
  const interaction = objectOf(outer.interaction) ?? outer
  const tally = createTally()
  const usage = objectOf(interaction.usage)
  const model = nameOf(interaction.model ?? interaction.agent)?.replace(/^models\//, '')
  if (usage !== undefined) {
    putGeminiUsage(tally, inGeminiTerms(usage))
    putGrounding(tally, usage, model)
  }
  return reportOf(tally, {
    model,
    responseId: nameOf(interaction.id),
    tier: tierOf(interaction.service_tier),
    error: interactionError(outer, interaction),
  })
}

const interactionError = (outer: Json, interaction: Json): string | undefined => {
  const error = outer.error ?? interaction.error ?? arrayOf(interaction.errors)[0]
  if (error != null) return errorCodeOf(objectOf(error)?.code, objectOf(error)?.status, error)
  return interaction.status === 'failed' || interaction.status === 'cancelled' ? String(interaction.status) : undefined
}

const inGeminiTerms = (usage: Json): Json => ({
  promptTokenCount: usage.total_input_tokens,
  candidatesTokenCount: usage.total_output_tokens,
  thoughtsTokenCount: usage.total_thought_tokens,
  toolUsePromptTokenCount: usage.total_tool_use_tokens,
  cachedContentTokenCount: usage.total_cached_tokens,
  totalTokenCount: usage.total_tokens,
  promptTokensDetails: kindsOf(usage.input_tokens_by_modality),
  cacheTokensDetails: kindsOf(usage.cached_tokens_by_modality),
  candidatesTokensDetails: kindsOf(usage.output_tokens_by_modality),
  toolUsePromptTokensDetails: kindsOf(usage.tool_use_tokens_by_modality),
})

const kindsOf = (list: unknown): readonly Json[] =>
  arrayOf(list).map((entry) => ({ modality: objectOf(entry)?.modality, tokenCount: objectOf(entry)?.tokens }))

/** Searches are billed as everywhere at Google: by the query from Gemini 3 on, by the prompt before. Maps and retrieval have no unit. */
const putGrounding = (tally: Tally, usage: Json, model: string | undefined): void => {
  const isByPrompt = /^gemini-[12]\b/.test(model ?? '')
  for (const entry of arrayOf(usage.grounding_tool_count)) {
    const tool = objectOf(entry)
    const count = detailOf(tally, tool?.count)
    if (tool?.type === 'google_search') put(tally, 'web_search', isByPrompt ? Math.min(count, 1) : count)
    else putUncounted(tally, count)
  }
}

/** A piece of a picture or of sound is long, and tells nothing; a piece of text is counted where it stands. */
const skipsText = (text: string, merged: Merged): boolean => {
  if (text.indexOf('"step.delta"') === -1 || text.indexOf('_usage"') !== -1) return false
  const isThought = text.indexOf('"thought_summary"') !== -1
  // The kind of a piece may be "text" as well.
  const bytes = Math.max(stringBytes(text, '"text"', text.indexOf('"text":')), stringBytes(text, '"arguments"'))
  merged.seen[isThought ? 'reasoning' : 'output'] += Math.max(0, bytes)
  return true
}

const takeEvent = (event: Json, merged: Merged): void => {
  const { answer, seen } = merged
  const delta = objectOf(event.delta)
  addText(seen, 'output', delta?.text)
  addText(seen, 'reasoning', objectOf(delta?.content)?.text)
  const usage = objectOf(event.usage) ?? objectOf(objectOf(event.metadata)?.total_usage)
  if (usage !== undefined) answer.usage = larger(objectOf(answer.usage), usage)
  const interaction = objectOf(event.interaction) ?? (event.event_type === undefined ? event : undefined)
  for (const [key, value] of Object.entries(interaction ?? {})) if (value != null && key !== 'usage') answer[key] = value
  const told = objectOf(interaction?.usage)
  if (told !== undefined) answer.usage = larger(objectOf(answer.usage), told)
  if (event.error != null) {
    answer.error = event.error
    merged.hasFailed = true
  }
  // What is no event is a whole answer, from a server that does not stream.
  if (event.event_type === 'interaction.completed' || (event.event_type === undefined && told !== undefined)) merged.isDone = true
}

/** Counts only grow. */
const larger = (before: Json | undefined, next: Json): Json =>
  before !== undefined && Number(before.total_tokens) > Number(next.total_tokens) ? before : next
