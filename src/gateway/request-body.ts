import { hash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createJsonOutline, type JsonOutline } from './json-outline.ts'
import type { GatewayLimits } from './limits.ts'
import type { Later } from './turn.ts'

/** A request's body, held back until it was whole or too long, and what its top level says. */
export interface HeldBody extends BodySize {
  readonly chunks: Buffer[]
  readonly bytes: number
  /** Nothing is left to come. */
  readonly isWhole: boolean
  /** Short fields of a JSON body's top level, or the plain fields of a form. */
  readonly fields: Readonly<Record<string, unknown>>
  /** Absent where the body is small and was parsed whole, or is no JSON. */
  readonly outline: JsonOutline | undefined
}

/** Bytes of text and of encoded media of a whole body; what has not come yet is taken to be like what has. */
export interface BodySize {
  readonly textBytes: number
  readonly mediaBytes: number
}

export type Held = HeldBody | 'gone' | 'too-large'

/** Parsing a small body whole is quicker than following it: 2 µs against 11 µs for 700 bytes on the machine of bench/gateway. */
const parseBytesMax = 16_384
/** What is worth knowing at the top level of a body is short: names, numbers, flags and small tables of settings. */
const valueBytesMax = 4_096

/** Bytes held back by all calls together. */
export interface HeldBytes {
  total: number
}

/**
 * Reads a body until it is whole or one of the limits is reached, and tells once. When it is not whole the request is paused;
 * `restOf` gives what follows. `contentType` decides how the fields are read.
 */
export const holdBody = (
  request: IncomingMessage,
  limits: Pick<GatewayLimits, 'requestHoldBytesMax' | 'requestBytesMax' | 'heldBytesMax'>,
  all: HeldBytes,
  atEndOfTurn: Later,
  done: (held: Held) => void,
): void => {
  const declared = declaredLength(request)
  if (declared !== undefined && declared > limits.requestBytesMax) {
    done('too-large')
    return
  }
  const chunks: Buffer[] = []
  let bytes = 0
  let isEnded = false
  let isTold = false

  const tell = (held: Held): void => {
    if (isTold) return
    isTold = true
    all.total -= bytes
    done(held)
  }
  const take = (chunk: Buffer): void => {
    chunks.push(chunk)
    bytes += chunk.length
    all.total += chunk.length
    if (bytes < limits.requestHoldBytesMax && all.total < limits.heldBytesMax) return
    request.pause()
    request.off('data', take)
    tell(readHeld(request, chunks, bytes, declared === bytes ? bytes : (declared ?? Number.POSITIVE_INFINITY)))
  }
  request.on('data', take)
  request.on('end', () => {
    isEnded = true
    if (!isTold) atEndOfTurn(() => tell(readHeld(request, chunks, bytes, bytes)))
  })
  request.on('close', () => {
    if (!isEnded) tell('gone')
  })
}

const declaredLength = (request: IncomingMessage): number | undefined => {
  const text = request.headers['content-length']
  return text === undefined ? undefined : Number(text)
}

const readHeld = (request: IncomingMessage, chunks: Buffer[], bytes: number, expected: number): HeldBody => {
  const isWhole = expected === bytes
  const base = { chunks, bytes, isWhole, outline: undefined, textBytes: bytes, mediaBytes: 0 }
  const type = request.headers['content-type'] ?? ''
  if (type.startsWith('multipart/'))
    return { ...base, fields: formFieldsOf(chunks), textBytes: 0, mediaBytes: expectedBytes(expected, bytes) }
  if (request.headers['content-encoding'] !== undefined) return { ...base, fields: {} }
  if (isWhole && bytes <= parseBytesMax) return { ...base, fields: parsedFields(chunks) }
  const outline = createJsonOutline({ valueBytesMax })
  for (const chunk of chunks) outline.push(chunk)
  const share = expectedBytes(expected, bytes) / bytes
  return {
    ...base,
    fields: outline.isObject ? outline.fields() : {},
    outline,
    textBytes: Math.ceil(outline.textBytes * share),
    mediaBytes: Math.ceil(outline.mediaBytes * share),
  }
}

/** A body of unknown length is taken to be twice what has come of it. */
const expectedBytes = (expected: number, bytes: number): number => (Number.isFinite(expected) ? expected : bytes * 2)

const parsedFields = (chunks: readonly Buffer[]): Readonly<Record<string, unknown>> => {
  const [only] = chunks
  if (only === undefined) return {}
  try {
    const value: unknown = JSON.parse((chunks.length === 1 ? only : Buffer.concat(chunks)).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const formFieldsMax = 64
const formFieldBytesMax = 200

/** The plain fields of a multipart form (`model` of a transcription), files passed over. */
const formFieldsOf = (chunks: readonly Buffer[]): Readonly<Record<string, unknown>> => {
  const fields: Record<string, string> = {}
  const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
  const mark = Buffer.from('form-data; name="')
  let at = body?.indexOf(mark) ?? -1
  for (let count = 0; body !== undefined && at !== -1 && count < formFieldsMax; count++) {
    const head = body.subarray(at + mark.length, at + mark.length + 2 * formFieldBytesMax + 200).toString('latin1')
    const match = /^([\w.[\]-]{1,64})"\r\n(?:[\w-]+:[^\r\n]*\r\n)*\r\n([^\r\n]{0,200})\r\n--/.exec(head)
    const [, name, value] = match ?? []
    if (name !== undefined && value !== undefined && name !== '__proto__') fields[name] = value
    at = body.indexOf(mark, at + mark.length)
  }
  return fields
}

/** A whole body in order: what was held, let go piece by piece, then what follows. Leaving it early leaves the request as it is. */
export async function* restOf(held: Buffer[], request: IncomingMessage | undefined, sent: (bytes: number) => void): AsyncGenerator<Buffer> {
  for (let chunk = held.shift(); chunk !== undefined; chunk = held.shift()) {
    sent(chunk.length)
    yield chunk
  }
  if (request === undefined) return
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sent(chunk.length)
    yield chunk
  }
}

/** Where requests keep what is put to the model, over all dialects; in this order in the hash. */
const promptFields = [
  'system',
  'instructions',
  'systemInstruction',
  'system_instruction',
  'messages',
  'input',
  'contents',
  'content',
  'prompt',
]

export type PromptHash = (held: HeldBody) => string | undefined

/**
 * A keyed hash of the prompt (HMAC-SHA-256, first 16 bytes), the same that the SDK makes of the same body with the same key. The
 * prompt is read where it lies and never kept. Without a key a random one is made, and equal prompts are known only in this process.
 */
export const createPromptHash = (hashKey: string | undefined): PromptHash => {
  const hmac = createHmacSha256(hashKey === undefined ? randomBytes(32) : Buffer.from(hashKey))
  return (held) => {
    if (!held.isWhole) return undefined
    if (held.outline === undefined) {
      let text = ''
      for (const field of promptFields) if (held.fields[field] !== undefined) text += `${field}:${JSON.stringify(held.fields[field])}\n`
      return text === '' ? undefined : hmac(text)
    }
    if (!held.outline.isWhole) return undefined
    const pieces = rawPrompt(held, held.outline)
    return pieces.length === 0 ? undefined : hmac(Buffer.concat(pieces))
  }
}

const rawPrompt = (held: HeldBody, outline: JsonOutline): readonly Buffer[] => {
  const body = held.chunks.length === 1 && held.chunks[0] !== undefined ? held.chunks[0] : Buffer.concat(held.chunks)
  return promptFields.flatMap((field) => {
    const range = outline.rangeOf(field)
    return range === undefined ? [] : [Buffer.from(`${field}:`), body.subarray(range.start, range.end), Buffer.from('\n')]
  })
}

const blockBytes = 64
const digestBytes = 32

/**
 * HMAC-SHA-256 (RFC 2104) of two plain hashes, first 16 bytes in hexadecimal: `createHmac` makes an object with a finalizer for
 * every prompt, which costs 7 µs where this costs 2 (700 bytes, on the machine of bench/gateway).
 */
const createHmacSha256 = (key: Buffer): ((message: string | Buffer) => string) => {
  const block = Buffer.alloc(blockBytes)
  const short = key.length > blockBytes ? hash('sha256', key, 'buffer') : key
  short.copy(block)
  // The message is written behind the first block, for as long as it is hashed, and the inner digest behind the second.
  const inner = Buffer.alloc(blockBytes + parseBytesMax * 3)
  const outer = Buffer.alloc(blockBytes + digestBytes)
  block.forEach((byte, index) => {
    inner[index] = byte ^ 0x36
    outer[index] = byte ^ 0x5c
  })
  const innerDigest = (message: string | Buffer): Buffer => {
    if (typeof message !== 'string') return hash('sha256', Buffer.concat([inner.subarray(0, blockBytes), message]), 'buffer')
    const end = blockBytes + inner.write(message, blockBytes)
    const digest = hash('sha256', inner.subarray(0, end), 'buffer')
    inner.fill(0, blockBytes, end)
    return digest
  }
  return (message) => {
    innerDigest(typeof message === 'string' && message.length > parseBytesMax ? Buffer.from(message) : message).copy(outer, blockBytes)
    return hash('sha256', outer).slice(0, digestBytes)
  }
}

/** The rule of thumb that OpenAI and Anthropic give for English, and that unfinished answers are estimated with. */
export const likelyTokens = (held: BodySize): number => Math.ceil(held.textBytes / 4) + Math.ceil(held.mediaBytes / mediaBytesPerToken)

/** For a budget: an estimate on the dear side, the same that the SDK makes. Only a token for every byte would be a bound, and would refuse far too early. */
export const mostTokens = (held: BodySize): number => Math.ceil(held.textBytes / 3) + Math.ceil(held.mediaBytes / mediaBytesPerToken)

/** No provider counts pictures or sounds by their bytes. A small picture is a thousand tokens and a large one hardly more, so that this is far too much for large ones. */
const mediaBytesPerToken = 16
