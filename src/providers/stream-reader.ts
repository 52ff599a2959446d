import type { UsageFlag } from '../core/usage.ts'
import { createAwsEventStream } from './aws-event-stream.ts'
import type { StreamReader, UsageReport } from './dialect.ts'
import { createJsonRecords } from './json-records.ts'
import { type Pieces, recordBytesMax } from './lines.ts'
import { createPlainEvents, type PlainEvents, partEnd } from './plain-events.ts'
import type { PlainText } from './seen-text.ts'
import { createServerSentEvents } from './server-sent-events.ts'

/**
 * What a dialect makes of the records of one stream. A record is the text of one event, each char a byte of it (Latin-1):
 * JSON's own signs are ASCII, so that markers can be looked for, and most records left unread, without decoding any.
 */
export interface RecordSink {
  record(text: string): void
  /** Of sinks whose records are text and nothing else when no object follows the text. */
  readonly plain?: PlainText
  isDone: boolean
  /** `flags` is what was odd about the framing; `hasRecords` is false when nothing in the bytes was a record. */
  report(flags: readonly UsageFlag[]): UsageReport
}

/**
 * Reads a stream of any framing: the first byte tells (AWS event streams begin with a zero, JSON with a brace or a bracket,
 * everything else is server-sent events), so that no reader depends on a content type that proxies lose.
 *
 * Most of most streams is events that are a piece of text and nothing else: they are passed over in their bytes. What is left
 * becomes a Latin-1 string, in which markers are looked for, and only what may hold counts is parsed.
 */
export const createStreamReader = (sink: RecordSink, bytesMax = recordBytesMax): StreamReader => {
  const flags: UsageFlag[] = []
  const plain = sink.plain && createPlainEvents(sink.plain)
  let pieces: Pieces | undefined
  let head = ''
  let records = 0
  let recordLength = 0
  let isIdle = true
  let isEnded = false

  const flag = (name: UsageFlag): void => {
    if (!flags.includes(name)) flags.push(name)
  }
  const record = (text: string): void => {
    records += 1
    recordLength = text.length
    sink.record(text)
  }
  const limits = { bytesMax, tooLong: () => flag('stream-limit'), malformed: () => flag('malformed-chunk') }

  /** Decides the framing as soon as a byte that is neither white space nor part of a byte order mark is there. */
  const start = (text: string): void => {
    head += text
    const code = head.charCodeAt(0)
    if (code === 0xef && head.length < 3) return
    const rest = code > 32 && code < 127 ? head : head.replace(/^\xef\xbb\xbf/, '').replace(/^[ \t\r\n]+/, '')
    head = rest
    if (rest === '') return
    const first = rest.charCodeAt(0)
    if (first < 9) pieces = createAwsEventStream(record, limits)
    else if (first === 123 || first === 91) pieces = createJsonRecords(record, limits)
    else pieces = createServerSentEvents(record, limits)
    head = ''
    pieces.push(rest)
  }

  /** Gives on what stands between two places, and says whether it was one record and nothing is pending. */
  const pushText = (chunk: Uint8Array, from: number, to: number): boolean => {
    const before = records
    const text = latin1Of(chunk, from, to)
    if (pieces === undefined) start(text)
    else pieces.push(text)
    isIdle = pieces === undefined ? head === '' : pieces.isIdle
    reader.isDone = sink.isDone
    return isIdle && records === before + 1
  }

  /** What stands from a place on that is not plainly text. */
  const pushRest = (events: PlainEvents, chunk: Uint8Array, from: number): void => {
    for (let at = from; at < chunk.length; at = isIdle ? events.take(chunk, at) : at) {
      const end = isIdle && chunk.length - at > joinedBytesMin ? partEnd(chunk, at) : chunk.length
      const wasIdle = isIdle
      events.flush()
      const isOne = pushText(chunk, at, end)
      events.learn(chunk, at, end, wasIdle && isOne ? recordLength : -1)
      at = end
    }
  }

  const reader: { -readonly [Name in keyof StreamReader]: StreamReader[Name] } = {
    isDone: false,
    push(chunk) {
      if (plain === undefined) {
        pushText(chunk, 0, chunk.length)
        return
      }
      const at = isIdle ? plain.take(chunk, 0) : 0
      if (at < chunk.length) pushRest(plain, chunk, at)
    },
    end() {
      plain?.flush()
      if (!isEnded) pieces?.end()
      isEnded = true
      if (pieces !== undefined && records === 0) flag('malformed-chunk')
      reader.isDone = sink.isDone
      return sink.report(flags)
    },
  }
  return reader
}

/** A piece that is longer is looked at event by event, since it probably is several; of a shorter one that would cost more than it saves. */
const joinedBytesMin = 2048

/** `latin1Slice` is what `toString('latin1')` calls; called directly it costs half. */
const latin1Of = (chunk: Uint8Array, from: number, to: number): string => Buffer.prototype.latin1Slice.call(chunk, from, to)

/**
 * A record's JSON, or undefined when it is none. Its strings stay Latin-1, since all that is kept of any is names, and `nameOf`
 * decodes those: finding out whether a record is plain ASCII would cost a third of parsing it.
 */
export const parseRecord = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
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
