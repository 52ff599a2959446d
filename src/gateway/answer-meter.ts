import type { UsageFlag } from '../core/usage.ts'
import type { Dialect, ReadContext, StreamReader, UsageReport } from '../providers/dialect.ts'
import { type Coding, createSideDecoder, type SideDecoder } from './decoder.ts'
import { createJsonOutline } from './json-outline.ts'
import type { Later } from './turn.ts'

/** Reads an answer for its usage while its bytes go by to the client. */
export interface AnswerMeter {
  push(chunk: Buffer): void
  /** What was seen, told once; later only where a coded answer must still be decoded. */
  end(done: (report: UsageReport | undefined, flags: readonly UsageFlag[]) => void): void
}

/** A stream is no longer watched past this many bytes: the call ends with what was seen, and its bytes go on. */
export const meteredBytesMax = 256 * 1_048_576
/** Of a whole answer that is too large to be held, the fields of the top level that are read. */
const answerValueBytesMax = 65_536

/** Bytes of one stream that are read together. */
const unreadBytesMax = 16_384

/**
 * A stream, in any framing that its dialect knows. Its bytes are read some at a time and not piece by piece, which nobody waits
 * for: at its end, every 16 KB, and a moment after the last piece, so that a stream that stays open after its terminal marker is
 * known to be complete (`whenDone`). Until then they are copied, since pieces that are kept cost the collector more.
 */
export const createStreamMeter = (dialect: Dialect, context: ReadContext, soon: Later, whenDone: () => void): AnswerMeter => {
  const reader: StreamReader = dialect.createReader(context)
  let unread: Buffer | undefined
  let unreadBytes = 0
  let bytes = 0
  let isWaiting = false

  const read = (piece: Buffer): void => {
    bytes += piece.length
    if (bytes <= meteredBytesMax && !reader.isDone) reader.push(piece)
  }
  const readUnread = (): void => {
    if (unread === undefined || unreadBytes === 0) return
    const piece = unread.subarray(0, unreadBytes)
    unreadBytes = 0
    read(piece)
  }
  const readSoon = (): void => {
    isWaiting = false
    readUnread()
    if (reader.isDone) whenDone()
  }

  return {
    push(chunk) {
      if (unreadBytes + chunk.length > unreadBytesMax) readUnread()
      if (chunk.length > unreadBytesMax) read(chunk)
      else {
        unread ??= Buffer.allocUnsafeSlow(unreadBytesMax)
        unreadBytes += chunk.copy(unread, unreadBytes)
      }
      if (isWaiting) return
      isWaiting = true
      soon(readSoon)
    },
    end(done) {
      readUnread()
      done(reader.end(), bytes > meteredBytesMax ? ['stream-limit'] : [])
    },
  }
}

/** A whole answer that is not held: the short fields of its top level, usage among them, in constant memory. */
export const createOutlineMeter = (dialect: Dialect, context: ReadContext): AnswerMeter => {
  const outline = createJsonOutline({ valueBytesMax: answerValueBytesMax })
  return {
    push: outline.push,
    end(done) {
      if (!outline.isWhole) return done(undefined, ['truncated-stream'])
      // An answer whose usage itself is too long to be read is not one that tells nothing.
      const [usage] = dialect.usagePath
      const isUnread = usage !== undefined && outline.omitted.includes(usage)
      done(dialect.ofBody(outline.fields(), context), isUnread ? ['stream-limit'] : [])
    },
  }
}

/** An answer that has no bytes to be read (sound, a picture): only that it came is known. */
export const createBlindMeter = (): AnswerMeter => ({ push() {}, end: (done) => done(undefined, []) })

/** The same for a coded answer: a copy is decoded on the side. */
export const createDecodingMeter = (coding: Coding, inner: AnswerMeter): AnswerMeter => {
  let hasFailed = false
  const decoder: SideDecoder = createSideDecoder(coding, inner.push, () => {
    hasFailed = true
  })
  return {
    push: decoder.push,
    end(done) {
      decoder.end(() => inner.end((report, flags) => done(report, hasFailed ? [...flags, 'malformed-chunk'] : flags)))
    },
  }
}
