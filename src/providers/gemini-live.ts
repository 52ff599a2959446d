import { createTally, type Json, objectOf } from './counts.ts'
import type { Dialect, UsageReport } from './dialect.ts'
import { geminiTier, putGeminiUsage } from './gemini.ts'
import { reportOf, unreadable } from './report.ts'
import { createSessionSink, type Session } from './session-sink.ts'
import { createStreamReader } from './stream-reader.ts'
import { nameOf } from './words.ts'

/**
 * Messages of Gemini's live sessions. Counts are those of one turn, grown while it lasts; a turn's prompt is the whole conversation
 * again, and is billed again. Read as a stream, the turns of a session are summed.
 */
export const geminiLive: Dialect = {
  name: 'gemini-live',
  usagePath: ['usageMetadata'],
  matchesPath: (path) => /BidiGenerateContent/.test(path),
  matchesBody: (body) =>
    body.serverContent !== undefined || body.setupComplete !== undefined || objectOf(body.usageMetadata)?.responseTokenCount !== undefined,
  ofRequest: (body) => {
    const model = nameOf(objectOf(body.setup)?.model)
    return { isStream: true, operation: 'realtime', ...(model !== undefined && { model: model.replace(/^models\//, '') }) }
  },
  ofBody: (body) => ofMessage(body),
  createReader: () => {
    let turn = 0
    const take = (message: Json, session: Session): void => {
      const content = objectOf(message.serverContent)
      if (content !== undefined && message.usageMetadata === undefined) session.isDone = false
      if (objectOf(message.usageMetadata) !== undefined) session.add(String(turn), ofMessage(message), { isUpdate: true })
      if (content?.turnComplete !== true && content?.interrupted !== true) return
      turn += 1
      session.isDone = true
    }
    return createStreamReader(
      createSessionSink({
        skips: (text) => text.indexOf('inlineData"') !== -1 && text.indexOf('sageMetadata"') === -1,
        take,
        unnamedTranscriber: '',
      }),
    )
  },
}

const ofMessage = (body: unknown): UsageReport => {
  const message = objectOf(body)
  if (message === undefined) return unreadable()
  const tally = createTally()
  const usage = objectOf(message.usageMetadata) ?? objectOf(message.usage_metadata)
  if (usage !== undefined) putGeminiUsage(tally, usage)
  return reportOf(tally, { model: nameOf(message.modelVersion), tier: usage && geminiTier(usage) })
}
