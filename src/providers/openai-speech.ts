import { checkTotal, createTally, detailOf, type Json, mainCountOf, objectOf, put } from './counts.ts'
import type { Dialect, UsageReport } from './dialect.ts'
import { createMergingSink } from './merging-sink.ts'
import { reportOf, unreadable } from './report.ts'
import { createStreamReader } from './stream-reader.ts'
import { errorCodeOf, nameOf } from './words.ts'

/**
 * Text to speech of OpenAI, as events: the last one tells the usage, and all that comes out is sound. An answer that is the sound
 * itself tells nothing, which is why no path is taken for this dialect.
 */
export const openaiSpeech: Dialect = {
  name: 'openai-speech',
  usagePath: ['usage'],
  matchesPath: () => false,
  matchesBody: (body) => typeof body.type === 'string' && body.type.startsWith('speech.audio.'),
  ofRequest: (body) => {
    const model = nameOf(body.model)
    return { isStream: body.stream_format === 'sse', operation: 'speech', ...(model !== undefined && { model }) }
  },
  ofBody: (body) => ofAnswer(body),
  createReader: (context) =>
    createStreamReader(
      createMergingSink(context, {
        settle: ofAnswer,
        skips: (text) => text.startsWith('{"type":"speech.audio.delta"'),
        take(record, merged) {
          if (record.type === 'speech.audio.delta') return
          Object.assign(merged.answer, record)
          merged.isDone = true
        },
      }),
    ),
}

const ofAnswer = (body: unknown): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const tally = createTally()
  const usage: Json = objectOf(answer.usage) ?? {}
  const input = mainCountOf(tally, usage.input_tokens)
  const output = mainCountOf(tally, usage.output_tokens)
  put(tally, 'input', input ?? 0)
  put(tally, 'output_audio', output ?? 0)
  if (usage.total_tokens != null) checkTotal(tally, detailOf(tally, usage.total_tokens), (input ?? 0) + (output ?? 0))
  const error = objectOf(answer.error)
  return reportOf(tally, {
    model: nameOf(answer.model),
    error: answer.error == null ? undefined : errorCodeOf(error?.code, error?.type, answer.error),
  })
}
