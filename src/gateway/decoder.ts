import type { Duplex } from 'node:stream'
import {
  brotliDecompress,
  constants,
  createBrotliDecompress,
  createInflateRaw,
  createUnzip,
  createZstdDecompress,
  inflateRaw,
  unzip,
  zstdDecompress,
} from 'node:zlib'

/** Content codings that can be read; `gzip` and `deflate` are told apart by their first bytes. */
export type Coding = 'zlib' | 'br' | 'zstd'

const codings: Readonly<Record<string, Coding>> = { gzip: 'zlib', 'x-gzip': 'zlib', deflate: 'zlib', br: 'br', zstd: 'zstd' }

/** Undefined: not coded. `unreadable`: coded in a way, or in several, that nobody asked for. */
export const codingOf = (header: string | undefined): Coding | 'unreadable' | undefined => {
  const name = header?.trim().toLowerCase()
  if (name === undefined || name === '' || name === 'identity') return undefined
  return codings[name] ?? 'unreadable'
}

/** A whole coded body → its bytes; undefined when it is broken or grows past `bytesMax`. */
export const decodedBody = (coding: Coding, body: Buffer, bytesMax: number, done: (decoded: Buffer | undefined) => void): void => {
  const options = { maxOutputLength: bytesMax }
  const finish = (error: Error | null, decoded: Buffer): void => done(error ? undefined : decoded)
  if (coding === 'br') brotliDecompress(body, options, finish)
  else if (coding === 'zstd') zstdDecompress(body, options, finish)
  else if (isRaw(body)) inflateRaw(body, options, finish)
  else unzip(body, options, finish)
}

/** Some servers take "deflate" for what has no head; the others begin with 0x1f (gzip) or a byte whose lower half is 8 (zlib). */
const isRaw = (body: Uint8Array): boolean => body[0] !== 0x1f && ((body[0] ?? 8) & 0x0f) !== 8

/** Decodes a copy of a stream on the side, so that the client's bytes wait for nothing. */
export interface SideDecoder {
  push(chunk: Buffer): void
  /** Nothing follows; told once, when everything was decoded or the decoding failed. */
  end(done: () => void): void
}

/** Coded bytes that wait to be decoded. Past it the decoding is given up: the answer goes on, unread. */
export const undecodedBytesMax = 8 * 1_048_576

export const createSideDecoder = (coding: Coding, take: (chunk: Buffer) => void, failed: () => void): SideDecoder => {
  let stream: Duplex | undefined
  let ended: (() => void) | undefined
  let isOver = false

  const finish = (): void => {
    if (isOver) return
    isOver = true
    stream?.destroy()
    ended?.()
  }
  const giveUp = (): void => {
    if (!isOver) failed()
    finish()
  }

  return {
    push(chunk) {
      if (isOver || chunk.length === 0) return
      stream ??= decoderOf(coding, chunk).on('data', take).on('end', finish).on('error', giveUp)
      stream.write(chunk)
      if (stream.writableLength > undecodedBytesMax) giveUp()
    },
    end(done) {
      if (isOver || stream === undefined) {
        done()
        return
      }
      ended = done
      stream.end()
    },
  }
}

/** Gives what can be decoded at once, so that usage is seen when it comes. */
const decoderOf = (coding: Coding, first: Buffer): Duplex => {
  if (coding === 'br') return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH })
  if (coding === 'zstd') return createZstdDecompress({ flush: constants.ZSTD_e_flush })
  return isRaw(first) ? createInflateRaw({ flush: constants.Z_SYNC_FLUSH }) : createUnzip({ flush: constants.Z_SYNC_FLUSH })
}
