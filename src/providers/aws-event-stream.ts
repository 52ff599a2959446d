import type { PieceLimits, Pieces } from './lines.ts'

/**
 * AWS event stream (application/vnd.amazon.eventstream) in any pieces → one JSON text per message.
 *
 * A message is: total length (4 bytes), length of headers (4), checksum of these (4), headers, payload, checksum (4); big-endian.
 * A `chunk` (InvokeModel) holds the model's own event in base64 and is given on as that event. Any other event (Converse) is
 * given on as `{"<event type>":<payload>}`, which is the form that SDKs print; an exception as `{"error":{"type":"<its name>"}}`.
 * Checksums are not verified: TLS has done so, and a reader that only counts must not stop an answer.
 */
export const createAwsEventStream = (record: (text: string) => void, limits: PieceLimits & { readonly malformed: () => void }): Pieces => {
  const parts: string[] = []
  let held = 0
  let needed = preludeBytes
  let passOver = 0
  let isBroken = false

  const take = (): string => {
    const whole = parts.length === 1 ? (parts[0] ?? '') : parts.join('')
    parts.length = 0
    return whole
  }

  const drain = (): void => {
    let bytes = take()
    while (bytes.length >= preludeBytes && !isBroken) {
      const total = uint32(bytes, 0)
      const headers = uint32(bytes, 4)
      if (total < preludeBytes + 4 + headers) {
        isBroken = true
        limits.malformed()
        break
      }
      if (total > limits.bytesMax) {
        limits.tooLong()
        passOver = Math.max(0, total - bytes.length)
        bytes = bytes.slice(total)
        continue
      }
      if (bytes.length < total) break
      const text = recordOf(bytes, headers, total)
      if (text === undefined) limits.malformed()
      else if (text !== '') record(text)
      bytes = bytes.slice(total)
    }
    held = isBroken ? 0 : bytes.length
    needed = held >= preludeBytes ? uint32(bytes, 0) : preludeBytes
    if (held > 0) parts.push(bytes)
  }

  return {
    isIdle: false,
    push(piece) {
      if (isBroken) return
      let text = piece
      if (passOver > 0) {
        text = piece.slice(passOver)
        passOver -= piece.length - text.length
      }
      if (text === '') return
      parts.push(text)
      held += text.length
      if (held >= needed) drain()
    },
    end() {},
  }
}

const preludeBytes = 12

const uint32 = (bytes: string, at: number): number =>
  bytes.charCodeAt(at) * 0x1000000 + (bytes.charCodeAt(at + 1) << 16) + (bytes.charCodeAt(at + 2) << 8) + bytes.charCodeAt(at + 3)

/** The JSON text of one message; empty when it holds nothing, undefined when it cannot be read. */
const recordOf = (bytes: string, headerBytes: number, total: number): string | undefined => {
  const headers = headersOf(bytes, preludeBytes, preludeBytes + headerBytes)
  if (headers === undefined) return undefined
  const payload = bytes.slice(preludeBytes + headerBytes, total - 4)
  const failure = headers[':exception-type'] ?? headers[':error-code']
  if (failure !== undefined) return JSON.stringify({ error: { type: failure } })
  const event = headers[':event-type'] ?? ''
  if (event === 'chunk') return chunkOf(payload)
  if (payload === '') return ''
  return event === '' ? payload : `{${JSON.stringify(event)}:${payload}}`
}

const chunkOf = (payload: string): string | undefined => {
  const match = /"bytes"\s*:\s*"([A-Za-z0-9+/=]*)"/.exec(payload)
  return match === null ? undefined : Buffer.from(match[1] ?? '', 'base64').toString('latin1')
}

/** Sizes of header values by their type code; those with -1 carry their own length in two bytes. */
const valueBytes = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16] as const

const headersOf = (bytes: string, from: number, to: number): Record<string, string> | undefined => {
  const headers: Record<string, string> = {}
  let at = from
  while (at < to) {
    const nameEnd = at + 1 + bytes.charCodeAt(at)
    const name = bytes.slice(at + 1, nameEnd)
    const size = valueBytes[bytes.charCodeAt(nameEnd)]
    if (size === undefined) return undefined
    const start = nameEnd + 1 + (size === -1 ? 2 : 0)
    const end = start + (size === -1 ? bytes.charCodeAt(start - 2) * 256 + bytes.charCodeAt(start - 1) : size)
    if (!(end <= to)) return undefined
    if (bytes.charCodeAt(nameEnd) === 7) headers[name] = bytes.slice(start, end)
    at = end
  }
  return headers
}
