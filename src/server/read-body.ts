import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { TaximeterError } from '../core/errors.ts'

/** What of a request is needed to read its body: the Node message where there is one, which is faster, else the web form. */
export interface BodySource {
  readonly incoming: IncomingMessage | undefined
  readonly request: Request
}

export interface BodyReader {
  /** Reads and decompresses one body, hands it over, and gives its bytes back to the common allowance afterwards. */
  read<Result>(source: BodySource, bytesMax: number, use: (body: Buffer) => Result | Promise<Result>): Promise<Result>
  /** Bytes of the bodies that are held now. */
  held(): number
}

/** `heldBytesMax`: all bodies together, so that many large ones at once cannot fill the memory. */
export const createBodyReader = (heldBytesMax: number): BodyReader => {
  let held = 0
  return {
    async read(source, bytesMax, use) {
      let mine = 0
      const hold = (bytes: number): void => {
        if (held + bytes > heldBytesMax) {
          throw new TaximeterError('LEDGER_BUSY', 'Too many bytes of other requests are being worked on. Send this one again in a moment.')
        }
        held += bytes
        mine += bytes
      }
      try {
        const raw = await readRaw(source, bytesMax, hold)
        const body = await decompressed(raw, headerOf(source, 'content-encoding'), bytesMax)
        if (body !== raw) hold(body.length)
        return await use(body)
      } finally {
        held -= mine
      }
    },
    held: () => held,
  }
}

const headerOf = ({ incoming, request }: BodySource, name: 'content-encoding' | 'content-length'): string | undefined =>
  incoming === undefined ? (request.headers.get(name) ?? undefined) : incoming.headers[name]

const readRaw = async (source: BodySource, bytesMax: number, hold: (bytes: number) => void): Promise<Buffer> => {
  if (Number(headerOf(source, 'content-length') ?? 0) > bytesMax) throw tooLarge(bytesMax)
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop early must not destroy the socket: the refusal still has to go out on it.
  const stream = source.incoming?.iterator({ destroyOnReturn: false }) ?? source.request.body ?? []
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > bytesMax) throw tooLarge(bytesMax)
    hold(chunk.length)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes)
}

const decompressors = { gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) }

const decompressed = async (body: Buffer, encoding: string | undefined, bytesMax: number): Promise<Buffer> => {
  const name = encoding?.trim().toLowerCase() ?? 'identity'
  if (name === 'identity' || name === '') return body
  if (!Object.hasOwn(decompressors, name)) {
    throw new TaximeterError(
      'UNSUPPORTED_MEDIA',
      'The content encoding should be gzip, deflate, br or identity. Send the body as one of these.',
    )
  }
  try {
    return await decompressors[name as keyof typeof decompressors](body, { maxOutputLength: bytesMax })
  } catch (cause) {
    if (cause instanceof RangeError && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    throw new TaximeterError('BAD_REQUEST', `The body is not whole ${name} data. Send it again.`, { cause })
  }
}

const tooLarge = (bytesMax: number) =>
  new TaximeterError('BODY_TOO_LARGE', `A body should have at most ${bytesMax} bytes, compressed or not. Send smaller batches.`)
