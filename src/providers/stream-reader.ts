import type { UsageFlag } from '../core/usage.ts'
import { createAwsEventStream } from './aws-event-stream.ts'
import type { StreamReader, UsageReport } from './dialect.ts'
import { createJsonRecords } from './json-records.ts'
import { type Pieces, recordBytesMax } from './lines.ts'
import { createServerSentEvents } from './server-sent-events.ts'

/**
 * What a dialect makes of the records of one stream. A record is the text of one event, each char a byte of it (Latin-1):
 * JSON's own signs are ASCII, so that markers can be looked for, and most records left unread, without decoding any.
 */
export interface RecordSink {
  record(text: string): void
  readonly isDone: boolean
  /** `flags` is what was odd about the framing; `hasRecords` is false when nothing in the bytes was a record. */
  report(flags: readonly UsageFlag[]): UsageReport
}

/**
 * Reads a stream of any framing: the first byte tells (AWS event streams begin with a zero, JSON with a brace or a bracket,
 * everything else is server-sent events), so that no reader depends on a content type that proxies lose.
 *
 * Bytes become a Latin-1 string at once: on this machine that and one search for a marker cost 0.46 ns a byte, a loop over the
 * bytes that only counts newlines 1.18 ns, JSON.parse of the records 5.0 ns (a stream of 50 OpenAI chunks of 325 bytes).
 */
export const createStreamReader = (sink: RecordSink, bytesMax = recordBytesMax): StreamReader => {
  const flags: UsageFlag[] = []
  let pieces: Pieces | undefined
  let head = ''
  let records = 0
  let isEnded = false

  const flag = (name: UsageFlag): void => {
    if (!flags.includes(name)) flags.push(name)
  }
  const record = (text: string): void => {
    records += 1
    sink.record(text)
  }
  const limits = { bytesMax, tooLong: () => flag('stream-limit'), malformed: () => flag('malformed-chunk') }

  /** Decides the framing as soon as a byte that is neither white space nor part of a byte order mark is there. */
  const start = (text: string): void => {
    head += text
    if (head.startsWith('\xef') && head.length < 3) return
    const rest = head.replace(/^\xef\xbb\xbf/, '').replace(/^[ \t\r\n]+/, '')
    head = rest
    if (rest === '') return
    if (rest.charCodeAt(0) < 9) pieces = createAwsEventStream(record, limits)
    else if (rest.startsWith('{') || rest.startsWith('[')) pieces = createJsonRecords(record, limits)
    else pieces = createServerSentEvents(record, limits)
    head = ''
    pieces.push(rest)
  }

  return {
    push(chunk) {
      const text = latin1Of(chunk)
      if (pieces === undefined) start(text)
      else pieces.push(text)
    },
    get isDone() {
      return sink.isDone
    },
    end() {
      if (!isEnded) pieces?.end()
      isEnded = true
      if (pieces !== undefined && records === 0) flag('malformed-chunk')
      return sink.report(flags)
    },
  }
}

/** `latin1Slice` is what `toString('latin1')` calls; called directly it costs half. */
const latin1Of = (chunk: Uint8Array): string => Buffer.prototype.latin1Slice.call(chunk, 0, chunk.length)

/** A record's JSON, or undefined when it is none. Text that is not plain ASCII is decoded first. */
export const parseRecord = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(/[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** A parsed value as the record that it would be in a stream. */
export const recordText = (value: unknown): string => Buffer.from(JSON.stringify(value) ?? '').toString('latin1')

/** The first records of a stream that is at hand, for finding out what it is. */
export const recordsOf = (bytes: Uint8Array, max: number): readonly string[] => {
  const found: string[] = []
  const reader = createStreamReader({
    record: (record) => {
      if (found.length < max) found.push(record)
    },
    isDone: false,
    report: () => ({ usage: {}, quality: 'missing', flags: [] }),
  })
  reader.push(bytes)
  reader.end()
  return found
}
