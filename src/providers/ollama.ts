import type { UsageFlag } from '../core/usage.ts'
import { createTally, flag, type Json, mainCountOf, objectOf, put } from './counts.ts'
import type { Dialect, ReadContext, UsageReport } from './dialect.ts'
import { reportOf, unreadable, withFlags } from './report.ts'
import { addText, createPlainText, estimatedReport, type PlainText, type SeenText, scanned, stringBytes } from './seen-text.ts'
import { createStreamReader, parseRecord, type RecordSink } from './stream-reader.ts'
import { errorCodeOf, nameOf } from './words.ts'

/**
 * Ollama's own API: chat, generate, embed. Counts and durations are in the object with `done: true`; thinking is part of the
 * output and not told apart. The durations are the machine's time, which is charged only where a model is priced by the hour.
 */
export const ollama: Dialect = {
  name: 'ollama',
  usagePath: [],
  matchesPath: (path) => /\/api\/(?:chat|generate|embed|embeddings)$/.test(path),
  matchesBody: (body) =>
    (typeof body.done === 'boolean' && typeof body.model === 'string') ||
    (body.total_duration !== undefined && body.prompt_eval_count !== undefined) ||
    body.eval_count !== undefined,
  ofRequest: (body, path) => {
    const model = nameOf(body.model)
    const limit = objectOf(body.options)?.num_predict
    const isEmbedding = /\/embed(?:dings)?$/.test(path)
    return {
      // Ollama streams unless told not to.
      isStream: body.stream !== false && !isEmbedding,
      operation: isEmbedding ? 'embedding' : path.endsWith('/generate') ? 'completion' : 'chat',
      ...(model !== undefined && { model }),
      ...(typeof limit === 'number' && limit > 0 && { outputMax: limit }),
    }
  },
  ofBody: (body) => ofAnswer(body),
  createReader: (context) => createStreamReader(createOllamaSink(context)),
}

const nanosPerMs = 1_000_000

const ofAnswer = (body: unknown): UsageReport => {
  const answer = objectOf(body)
  if (answer === undefined) return unreadable()
  const tally = createTally()
  const input = mainCountOf(tally, answer.prompt_eval_count)
  const output = mainCountOf(tally, answer.eval_count)
  put(tally, 'input', input ?? 0)
  put(tally, 'output', output ?? 0)
  // Loading or unloading a model is an answer that used no tokens, and says so.
  if (answer.done_reason === 'load' || answer.done_reason === 'unload') tally.isKnown = true
  // Older servers leave the prompt's count out when all of it was in their cache. It is not known then, and not nothing.
  else if (input === undefined && output !== undefined) {
    tally.isLossy = true
    flag(tally, 'unknown-input')
  }
  const duration = answer.total_duration
  const isDuration = typeof duration === 'number' && duration > 0 && Number.isFinite(duration)
  return reportOf(tally, {
    model: nameOf(answer.model),
    machineMs: isDuration ? Math.round(duration / nanosPerMs) : undefined,
    error: answer.error == null ? undefined : errorCodeOf(answer.error),
  })
}

const createOllamaSink = (context: ReadContext): RecordSink => {
  const seen: SeenText = { output: 0, reasoning: 0 }
  const flags: UsageFlag[] = []
  let model: unknown
  let last: Json | undefined
  let error: unknown
  const plain = createPlainText(seen)

  const take = (text: string): void => {
    const record = parseRecord(text)
    if (record === undefined) {
      if (!flags.includes('malformed-chunk')) flags.push('malformed-chunk')
      return
    }
    model = record.model ?? model
    if (record.error != null) {
      // Nothing follows an error, and the client that is told of one leaves the rest unread.
      error = record.error
      sink.isDone = true
    }
    const message = objectOf(record.message)
    addText(seen, 'output', message?.content ?? record.response)
    addText(seen, 'reasoning', message?.thinking ?? record.thinking)
    // An embedding has no `done`: it is one object, and whole.
    if (record.done !== true && record.total_duration === undefined) return
    last = record
    sink.isDone = true
  }

  const sink: RecordSink = {
    isDone: false,
    plain,
    record(text) {
      plain.forget()
      if (sink.isDone || (model !== undefined && isPlainDelta(text, seen, plain))) return
      take(text)
    },
    report(framing) {
      const odd: UsageFlag[] = [...framing, ...flags]
      if (last !== undefined) return withFlags(ofAnswer(last), odd)
      if (error === undefined) odd.push('truncated-stream')
      const report = ofAnswer({ model, ...(error !== undefined && { error }) })
      return withFlags(estimatedReport(report, seen, context), odd)
    },
  }
  return sink
}

/** A piece of text has `"done":false` at its end; its text is counted where it stands. */
const isPlainDelta = (text: string, seen: SeenText, plain: PlainText): boolean => {
  const at = text.lastIndexOf('"done"')
  if (at === -1 || text.indexOf('false', at + 6) === -1) return false
  for (const [key, kind] of texts) {
    const bytes = stringBytes(text, key)
    if (bytes <= 0) continue
    seen[kind] += bytes
    plain.learn(scanned.start, kind)
    return true
  }
  return false
}

const texts = [
  ['content"', 'output'],
  ['response"', 'output'],
  ['thinking"', 'reasoning'],
] as const
