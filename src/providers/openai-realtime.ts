import { traitsOf } from './compatible-providers.ts'
import { checkTotal, createTally, detailOf, type Json, mainCountOf, objectOf, put, putPrompt, remainderOf, type Tally } from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { putTranscriptionUsage } from './openai-transcription.ts'
import { reportOf, unreadable } from './report.ts'
import { createSessionSink, type Session } from './session-sink.ts'
import { createStreamReader } from './stream-reader.ts'
import { errorCodeOf, nameOf } from './words.ts'

/**
 * Events of OpenAI's realtime sessions. Each `response.done` is an answer with its usage, also a cancelled one. What the user said
 * is transcribed by another model, in an event of its own, and billed besides.
 *
 * One event is one report. Read as a stream, the events of a session are summed, each answer once.
 */
export const openaiRealtime: Dialect = {
  name: 'openai-realtime',
  usagePath: ['response', 'usage'],
  matchesPath: (path) => /\/realtime$/.test(path),
  matchesBody: (body) => {
    const type = typeof body.type === 'string' ? body.type : ''
    if (type === 'response.done' || objectOf(body.response)?.object === 'realtime.response') return true
    if (type.startsWith('conversation.item.') || type.startsWith('input_audio_buffer.')) return true
    if (type === 'session.created' || type === 'session.updated') return true
    const details = objectOf(objectOf(objectOf(body.response)?.usage)?.input_token_details)
    return details !== undefined && ['text_tokens', 'audio_tokens', 'cached_tokens'].some((key) => key in details)
  },
  ofRequest: (body) => {
    const model = nameOf(body.model ?? objectOf(body.session)?.model)
    return { isStream: true, operation: 'realtime', ...(model !== undefined && { model }) }
  },
  ofBody: (body, context) => ofEvent(body, context),
  createReader: (context) =>
    createStreamReader(
      createSessionSink({
        skips: (text) => text.indexOf('.delta"') !== -1 && text.indexOf('sage"') === -1,
        take: (event, session) => takeEvent(event, session, context),
        unnamedTranscriber: 'input-audio-transcription',
      }),
    ),
}

const transcribed = 'conversation.item.input_audio_transcription.completed'

const ofEvent = (body: unknown, context: ReadContext): UsageReport => {
  const event = objectOf(body)
  if (event === undefined) return unreadable()
  const tally = createTally()
  if (event.type === transcribed) {
    const usage = objectOf(event.usage)
    if (usage !== undefined) putTranscriptionUsage(tally, usage)
    return reportOf(tally, { responseId: nameOf(event.item_id) })
  }
  const response = objectOf(event.response) ?? event
  const usage = objectOf(response.usage)
  if (usage !== undefined) putRealtimeUsage(tally, usage)
  return reportOf(tally, {
    model: nameOf(response.model ?? objectOf(event.session)?.model),
    responseId: nameOf(response.id),
    reportedCost: usage && traitsOf(context.provider).costOf(usage),
    error: eventError(event, response),
  })
}

const eventError = (event: Json, response: Json): string | undefined => {
  const error = objectOf(event.error) ?? objectOf(objectOf(response.status_details)?.error)
  return error === undefined ? undefined : errorCodeOf(error.code, error.type)
}

const putRealtimeUsage = (tally: Tally, usage: Json): void => {
  const input = mainCountOf(tally, usage.input_tokens)
  const output = mainCountOf(tally, usage.output_tokens)
  const details = objectOf(usage.input_token_details)
  const cached = objectOf(details?.cached_tokens_details)
  putPrompt(tally, {
    whole: input ?? 0,
    cached: detailOf(tally, details?.cached_tokens),
    audio: detailOf(tally, details?.audio_tokens),
    image: detailOf(tally, details?.image_tokens),
    ...(cached !== undefined && { cachedAudio: detailOf(tally, cached.audio_tokens), cachedImage: detailOf(tally, cached.image_tokens) }),
  })
  const audio = detailOf(tally, objectOf(usage.output_token_details)?.audio_tokens)
  put(tally, 'output_audio', audio)
  put(tally, 'output', remainderOf(tally, output ?? 0, audio, 'details-exceed-total'))
  if (usage.total_tokens !== undefined) checkTotal(tally, detailOf(tally, usage.total_tokens), (input ?? 0) + (output ?? 0))
}

const takeEvent = (event: Json, session: Session, context: ReadContext): void => {
  if (event.type === 'session.created' || event.type === 'session.updated') {
    const settings = objectOf(event.session)
    session.model = nameOf(settings?.model) ?? session.model
    session.transcriber = transcriberOf(settings) ?? session.transcriber
  } else if (event.type === 'response.created') {
    session.isDone = false
  } else if (event.type === transcribed) {
    session.add(nameOf(event.item_id) ?? '', ofEvent(event, context), { isTranscript: true })
  } else if (event.type === 'response.done') {
    session.add(nameOf(objectOf(event.response)?.id) ?? nameOf(event.event_id) ?? '', ofEvent(event, context))
    session.isDone = true
  }
}

const transcriberOf = (session: Json | undefined): string | undefined => {
  const settings = objectOf(objectOf(objectOf(session?.audio)?.input)?.transcription) ?? objectOf(session?.input_audio_transcription)
  return nameOf(settings?.model)
}
