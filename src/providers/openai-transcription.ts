import { traitsOf } from './compatible-providers.ts'
import { checkTotal, countOf, createTally, detailOf, type Json, mainCountOf, objectOf, put, putPrompt, type Tally } from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { createMergingSink } from './merging-sink.ts'
import { azureModel } from './openai-chat.ts'
import { reportOf, unreadable } from './report.ts'
import { stringBytes } from './seen-text.ts'
import { createStreamReader } from './stream-reader.ts'
import { errorCodeOf, nameOf } from './words.ts'

/**
 * Speech to text of OpenAI and compatible servers. Billed by tokens or by the length of the sound, and the usage says which. Older
 * models have no usage: the `duration` of their verbose form is the length.
 */
export const openaiTranscription: Dialect = {
  name: 'openai-transcription',
  usagePath: ['usage'],
  matchesPath: (path) => /\/audio\/(?:transcriptions|translations)$/.test(path),
  matchesBody: (body) => {
    if (typeof body.type === 'string' && body.type.startsWith('transcript.text.')) return true
    const type = objectOf(body.usage)?.type
    if ((type === 'tokens' || type === 'duration') && body.item_id === undefined) return true
    return body.duration !== undefined && typeof body.text === 'string'
  },
  ofRequest: (body, path) => {
    const model = nameOf(body.model) ?? azureModel(path)
    return { isStream: body.stream === true, operation: 'transcription', ...(model !== undefined && { model }) }
  },
  ofBody: (body, context) => ofAnswer(body, context),
  createReader: (context) =>
    createStreamReader(
      createMergingSink(context, {
        settle: ofAnswer,
        skips: (text, merged) => {
          if (!text.startsWith('{"type":"transcript.text.delta"')) return false
          merged.seen.output += Math.max(0, stringBytes(text, 'delta"', 31))
          return true
        },
        take(record, merged) {
          if (typeof record.type === 'string' && record.type.startsWith('transcript.text.') && record.type !== 'transcript.text.done')
            return
          Object.assign(merged.answer, record)
          merged.isDone = true
        },
      }),
    ),
}

const ofAnswer = (body: unknown, context: ReadContext): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const tally = createTally()
  const usage = objectOf(answer.usage)
  if (usage !== undefined) putTranscriptionUsage(tally, usage)
  else putSeconds(tally, answer.duration)
  const error = objectOf(answer.error)
  return reportOf(tally, {
    model: nameOf(answer.model),
    responseId: nameOf(answer.id),
    reportedCost: usage && traitsOf(context.provider).costOf(usage),
    error: answer.error == null ? undefined : errorCodeOf(error?.code, error?.type, answer.error),
  })
}

/** Tokens or seconds, whichever the model is billed by. */
export const putTranscriptionUsage = (tally: Tally, usage: Json): void => {
  if (usage.type === 'duration' || (usage.input_tokens === undefined && usage.seconds !== undefined)) {
    putSeconds(tally, usage.seconds)
    return
  }
  const input = mainCountOf(tally, usage.input_tokens)
  const output = mainCountOf(tally, usage.output_tokens)
  const details = objectOf(usage.input_token_details ?? usage.input_tokens_details)
  putPrompt(tally, { whole: input ?? 0, cached: 0, audio: detailOf(tally, details?.audio_tokens) })
  put(tally, 'output', output ?? 0)
  if (usage.total_tokens !== undefined) checkTotal(tally, detailOf(tally, usage.total_tokens), (input ?? 0) + (output ?? 0))
}

/** A length is measured and not counted: a begun second is a second. Some servers print it as a string. */
const putSeconds = (tally: Tally, value: unknown): void => {
  const seconds = typeof value === 'string' && /^\d{1,9}(?:\.\d+)?$/.test(value) ? Number(value) : value
  const count = countOf(tally, typeof seconds === 'number' && seconds > 0 ? Math.ceil(seconds) : seconds)
  if (count === undefined) return
  put(tally, 'second', count)
  tally.isKnown = true
}
