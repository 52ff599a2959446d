import type { UsageFlag } from '../core/usage.ts'
import type { Json } from './counts.ts'
import type { UsageReport } from './dialect.ts'
import { partialReport, sumOfReports, withFlags } from './report.ts'
import { parseRecord, type RecordSink } from './stream-reader.ts'

/** A connection over which a model answers many times: what its events have told so far. */
export interface Session {
  model: string | undefined
  /** The model that writes down what the user says, where that is another. */
  transcriber: string | undefined
  /** False while an answer is under way. Nothing ends a session but its connection. */
  isDone: boolean
  /** Counts an answer. Under a key that was there before it takes the other's place and is flagged, unless `isUpdate`. */
  add(key: string, report: UsageReport, options?: { readonly isUpdate?: boolean; readonly isTranscript?: boolean }): void
}

export interface SessionOptions {
  readonly skips: (text: string) => boolean
  readonly take: (record: Json, session: Session) => void
  /** What a transcript is priced as when the session does not name its model: visible, and without a price. */
  readonly unnamedTranscriber: string
}

const noAnswer: UsageReport = { usage: {}, quality: 'missing', flags: [] }

/** Answers that are kept of one session, as counts; a session of an hour has some hundreds. */
const answersMax = 10_000

/** The events of a session, summed: each answer once, transcripts as the model that made them. */
export const createSessionSink = ({ skips, take, unnamedTranscriber }: SessionOptions): RecordSink => {
  const answers = new Map<string, UsageReport>()
  const transcripts = new Map<string, UsageReport>()
  const flags: UsageFlag[] = []

  const note = (name: UsageFlag): void => {
    if (!flags.includes(name)) flags.push(name)
  }

  const session: Session = {
    model: undefined,
    transcriber: undefined,
    isDone: false,
    add(key, report, { isUpdate = false, isTranscript = false } = {}) {
      const kept = isTranscript ? transcripts : answers
      if (kept.has(key) && !isUpdate) note('repeated-usage')
      if (kept.size < answersMax || kept.has(key)) kept.set(key, report)
      else note('stream-limit')
    },
  }

  const sink: RecordSink = {
    isDone: false,
    record(text) {
      if (text === '[DONE]' || skips(text)) return
      const record = parseRecord(text)
      if (record === undefined) note('malformed-chunk')
      else take(record, session)
      sink.isDone = session.isDone
    },
    report(framing) {
      // What the last one cost is not what all of them did.
      const { reportedCost: _, ...last } = [...answers.values()].at(-1) ?? noAnswer
      const also =
        transcripts.size === 0 ? [] : [{ ...sumOfReports([...transcripts.values()]), model: session.transcriber ?? unnamedTranscriber }]
      const sum = sumOfReports([...answers.values()])
      const report = { ...last, ...sum, ...(also.length > 0 && { also }) }
      const model = last.model ?? session.model
      const named = model === undefined ? report : { ...report, model }
      const odd: UsageFlag[] = [...framing, ...flags]
      if (!session.isDone) odd.push('truncated-stream')
      return withFlags(session.isDone ? named : partialReport(named), odd)
    },
  }
  return sink
}
