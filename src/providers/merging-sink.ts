import type { UsageFlag } from '../core/usage.ts'
import { arrayOf, type Json } from './counts.ts'
import type { ReadContext, UsageReport } from './dialect.ts'
import { partialReport, withFlags } from './report.ts'
import { estimatedReport, type SeenText } from './seen-text.ts'
import { parseRecord, type RecordSink, recordText } from './stream-reader.ts'

/** What a stream has told so far: the answer it would have been without streaming, put together from its records. */
export interface Merged {
  readonly answer: Record<string, unknown>
  readonly seen: SeenText
  isDone: boolean
  /** True once an error has ended the stream. */
  hasFailed: boolean
  note(flag: UsageFlag): void
}

export interface MergingOptions {
  /** True for records that tell nothing, or nothing but text, which is then counted in `seen`; they are not parsed. */
  readonly skips?: (text: string, merged: Merged) => boolean
  readonly take: (record: Json, merged: Merged) => void
  /** True where records that follow the end still count: chunks in which the usage comes after the reason to stop. */
  readonly isOpen?: boolean
  readonly settle: (answer: Json, context: ReadContext) => UsageReport
}

/**
 * The records of a stream put together into the answer that they stream, which is settled as any answer is: so that a stream and
 * a body cannot disagree.
 */
export const createMergingSink = (context: ReadContext, { skips, take, settle, isOpen = false }: MergingOptions): RecordSink => {
  const flags: UsageFlag[] = []
  const merged: Merged = {
    answer: {},
    seen: { output: 0, reasoning: 0 },
    isDone: false,
    hasFailed: false,
    note: (name) => {
      if (!flags.includes(name)) flags.push(name)
    },
  }
  const sink: RecordSink = {
    isDone: false,
    record(text) {
      if ((merged.isDone && !isOpen) || text === '[DONE]' || skips?.(text, merged)) return
      const record = parseRecord(text)
      if (record === undefined) merged.note('malformed-chunk')
      else take(record, merged)
      sink.isDone = merged.isDone || merged.hasFailed
    },
    report(framing) {
      const odd: UsageFlag[] = [...framing, ...flags]
      const report = settle(merged.answer, context)
      if (!merged.isDone && report.error === undefined) odd.push('truncated-stream')
      if (report.quality === 'missing') return withFlags(estimatedReport(report, merged.seen, context), odd)
      return withFlags(merged.isDone ? report : partialReport(report), odd)
    },
  }
  return sink
}

/** Chunks that came as one parsed list are read as the stream they were. */
export const reportOfList = (chunks: unknown, sink: RecordSink): UsageReport => {
  for (const chunk of arrayOf(chunks)) sink.record(recordText(chunk))
  return sink.report([])
}
