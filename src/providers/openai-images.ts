import { traitsOf } from './compatible-providers.ts'
import { arrayOf, createTally, type Json, objectOf, put } from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { createMergingSink } from './merging-sink.ts'
import { azureModel } from './openai-chat.ts'
import { openaiResponses, putImageUsage } from './openai-responses.ts'
import { reportOf, unreadable } from './report.ts'
import { createStreamReader } from './stream-reader.ts'
import { errorCodeOf, nameOf } from './words.ts'

/**
 * Pictures made or edited. Newer models are billed by tokens and say how many; the others by the picture, and the answer says only
 * how many pictures it has. The answer does not name its model.
 */
export const openaiImages: Dialect = {
  name: 'openai-images',
  usagePath: ['usage'],
  matchesPath: (path) => /\/images\/(?:generations|edits|variations)$/.test(path),
  matchesBody: (body) => {
    if (typeof body.type === 'string' && /^image_(?:generation|edit)\./.test(body.type)) return true
    const details = objectOf(objectOf(body.usage)?.input_tokens_details)
    if (details?.image_tokens !== undefined && details.text_tokens !== undefined && details.cached_tokens === undefined) return true
    const first = objectOf(arrayOf(body.data)[0])
    return first !== undefined && (first.b64_json !== undefined || (first.url !== undefined && body.created !== undefined))
  },
  ofRequest: (body, path) => {
    const model = sizedModel(nameOf(body.model) ?? azureModel(path), body)
    return { isStream: body.stream === true, operation: 'image', ...(model !== undefined && { model }) }
  },
  ofBody: (body, context) => ofAnswer(body, context),
  createReader: (context) =>
    createStreamReader(
      createMergingSink(context, {
        settle: ofAnswer,
        // A preview is a picture in base64 and tells nothing.
        skips: (text) =>
          text.startsWith('{"type":"image_generation.partial_image"') || text.startsWith('{"type":"image_edit.partial_image"'),
        take(record, merged) {
          if (record.type === 'image_generation.partial_image' || record.type === 'image_edit.partial_image') return
          Object.assign(merged.answer, record)
          merged.isDone = true
        },
      }),
    ),
}

/**
 * DALL·E is billed by the picture, by its size and quality, which no answer tells: the request's are part of the name that is priced
 * ("hd/1024x1792/dall-e-3", the form that LiteLLM's price list has).
 */
const sizedModel = (model: string | undefined, { size, quality }: Json): string | undefined => {
  if (model !== 'dall-e-2' && model !== 'dall-e-3') return model
  const place = `${nameOf(size) ?? '1024x1024'}/${model}`
  return model === 'dall-e-2' ? place : `${nameOf(quality) ?? 'standard'}/${place}`
}

/** A picture of vectors is written by a model of text, which is billed beside the one that draws. */
const vectorModel = (answer: Json, context: ReadContext): UsageReport['also'] => {
  const usage = objectOf(answer.svg_usage)
  if (usage === undefined) return undefined
  const { reasoning_tokens } = usage
  const report = openaiResponses.ofBody({ usage: { ...usage, output_tokens_details: { reasoning_tokens } } }, context)
  return [{ ...report, model: nameOf(usage.model) ?? 'svg' }]
}

const ofAnswer = (body: unknown, context: ReadContext): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const tally = createTally()
  const usage = objectOf(answer.usage)
  if (usage !== undefined) putImageUsage(tally, usage)
  const images = answer.b64_json === undefined ? arrayOf(answer.data).length : 1
  if (!tally.isKnown && !tally.isLossy && images > 0) {
    put(tally, 'image', images)
    tally.isKnown = true
  }
  const error = objectOf(answer.error)
  return reportOf(tally, {
    model: nameOf(answer.model),
    reportedCost: usage && traitsOf(context.provider).costOf(usage),
    also: vectorModel(answer, context),
    error: answer.error == null ? undefined : errorCodeOf(error?.code, error?.type, answer.error),
  })
}
