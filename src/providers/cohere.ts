import { createTally, type Json, mainCountOf, objectOf, put, putUncounted, type Tally } from './counts.ts'
import type { Dialect, UsageReport } from './dialect.ts'
import { createMergingSink, type Merged } from './merging-sink.ts'
import { reportOf, unreadable } from './report.ts'
import { addText, stringBytes } from './seen-text.ts'
import { createStreamReader } from './stream-reader.ts'
import { errorCodeOf, nameOf } from './words.ts'

/**
 * Cohere, versions 1 and 2: chat, embed, rerank. What counts is `billed_units`; `tokens` holds the prompt's templates as well and is
 * not billed (12 against 507), and `cached_tokens` are part of those. The answer does not name its model.
 */
export const cohere: Dialect = {
  name: 'cohere',
  usagePath: ['usage'],
  matchesPath: (path) => /\/v[12]\/(?:embed|rerank|generate|classify)$|\/v2\/chat$/.test(path),
  matchesBody: (body) => {
    if (billedUnits(body) !== undefined) return true
    // On Bedrock the counts are in headers, and the answer has none.
    if (typeof body.generation_id === 'string' && typeof body.text === 'string') return true
    if (/^embeddings_/.test(String(body.response_type))) return true
    if (body.event_type === 'stream-start' || body.event_type === 'stream-end') return true
    return body.type === 'message-start' || body.type === 'message-end' || body.type === 'content-delta'
  },
  ofRequest: (body, path) => {
    const model = nameOf(body.model)
    const limit = body.max_tokens
    const name = /\/(embed|rerank|classify)$/.exec(path)?.[1]
    return {
      isStream: body.stream === true,
      operation: name === 'embed' ? 'embedding' : (name ?? 'chat'),
      ...(model !== undefined && { model }),
      ...(typeof limit === 'number' && limit > 0 && { outputMax: limit }),
    }
  },
  ofBody: (body) => ofAnswer(body),
  createReader: (context) =>
    createStreamReader(
      createMergingSink(context, {
        settle: ofAnswer,
        skips: (text, merged) => {
          if (!text.startsWith('{"type":"content-delta"')) return false
          const thinking = stringBytes(text, '"thinking"')
          merged.seen[thinking > 0 ? 'reasoning' : 'output'] += Math.max(0, thinking, stringBytes(text, '"text"'))
          return true
        },
        take: takeRecord,
      }),
    ),
}

const billedUnits = (answer: Json): Json | undefined =>
  objectOf(objectOf(answer.usage)?.billed_units) ??
  objectOf(objectOf(answer.meta)?.billed_units) ??
  objectOf(objectOf(objectOf(answer.delta)?.usage)?.billed_units) ??
  objectOf(objectOf(objectOf(answer.response)?.meta)?.billed_units)

const ofAnswer = (body: unknown): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const tally = createTally()
  const billed = billedUnits(answer)
  if (billed !== undefined) putBilled(tally, billed)
  const response = objectOf(answer.response)
  return reportOf(tally, {
    model: nameOf(answer.model),
    responseId: nameOf(answer.id) ?? nameOf(answer.generation_id) ?? nameOf(response?.generation_id) ?? nameOf(answer.response_id),
    error: answerError(answer),
  })
}

const putBilled = (tally: Tally, billed: Json): void => {
  put(tally, 'input', mainCountOf(tally, billed.input_tokens) ?? 0)
  put(tally, 'output', mainCountOf(tally, billed.output_tokens) ?? 0)
  put(tally, 'search_unit', mainCountOf(tally, billed.search_units) ?? 0)
  put(tally, 'input_image', mainCountOf(tally, billed.image_tokens) ?? 0)
  putUncounted(tally, billed.images)
  putUncounted(tally, billed.classifications)
  if (Object.keys(billed).length > 0) tally.isKnown = true
}

const answerError = (answer: Json): string | undefined => {
  const reason = answer.finish_reason ?? objectOf(answer.delta)?.finish_reason
  if (typeof reason === 'string' && /^ERROR/.test(reason)) return errorCodeOf(reason)
  if (answer.error != null) return errorCodeOf(answer.error)
  // A refused request is a sentence alone.
  return typeof answer.message === 'string' && answer.usage === undefined && answer.meta === undefined ? 'error' : undefined
}

const takeRecord = (record: Json, merged: Merged): void => {
  const { answer, seen } = merged
  const content = objectOf(objectOf(objectOf(record.delta)?.message)?.content)
  if (record.type === 'content-delta') {
    addText(seen, 'output', content?.text)
    addText(seen, 'reasoning', content?.thinking)
  } else if (record.event_type === 'text-generation') {
    addText(seen, 'output', record.text)
  } else if (record.type === 'message-start' || record.event_type === 'stream-start') {
    answer.id = record.id ?? record.generation_id
  } else if (record.type === 'message-end' || record.event_type === 'stream-end' || billedUnits(record) !== undefined) {
    const { id } = answer
    Object.assign(answer, record)
    if (id !== undefined) answer.id = id
    merged.isDone = true
  } else if (record.type === 'error' || typeof record.message === 'string') {
    answer.error = record.error ?? 'error'
    merged.hasFailed = true
  }
}
