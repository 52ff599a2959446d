import type { UsageFlag } from '../core/usage.ts'
import type { UsageReport } from '../providers/dialect.ts'
import { type Coding, decodedBody } from './decoder.ts'
import { type Exchange, type MeteredCall, safely } from './exchange.ts'

/** A whole answer that is kept until it was read, so that its headers can say what it cost. */
export interface HeldAnswer {
  readonly coding: Coding | undefined
  /** False when it cannot be held any longer, this chunk included; `release` then gives what there is. */
  push(chunk: Buffer): boolean
  release(): readonly Buffer[]
  /** The body as it came, and what it tells. `error`: it cannot be read. */
  end(done: (body: Buffer, report: UsageReport | undefined, flags: readonly UsageFlag[], error: string | undefined) => void): void
}

/** A held body may grow by this much when it is decoded. */
const growthMax = 16

export const createHeldAnswer = (x: Exchange, call: MeteredCall, coding: Coding | undefined): HeldAnswer => {
  const { shop } = x
  const { answerHoldBytesMax, answerHoldMsMax, heldBytesMax } = shop.limits
  // Embeddings are megabytes of numbers: to parse them would stop everything else for their sake. Their usage is read in passing.
  const bytesMax = call.asked.operation.startsWith('embed') ? Math.min(answerHoldBytesMax, embeddingBytesMax) : answerHoldBytesMax
  const since = shop.now()
  let chunks: Buffer[] = []
  let bytes = 0

  const release = (): readonly Buffer[] => {
    const all = chunks
    shop.held.total -= bytes
    chunks = []
    bytes = 0
    return all
  }

  return {
    coding,
    push(chunk) {
      chunks.push(chunk)
      bytes += chunk.length
      shop.held.total += chunk.length
      return bytes <= bytesMax && shop.held.total <= heldBytesMax && shop.now() - since <= answerHoldMsMax
    },
    release,
    end(done) {
      const all = release()
      const [only] = all
      const body = all.length === 1 && only !== undefined ? only : Buffer.concat(all)
      const read = (decoded: Buffer | undefined): void => {
        // Perhaps the client can decode it: what the answer used is unknown then, and not nothing.
        if (decoded === undefined) {
          done(body, undefined, ['malformed-chunk'], undefined)
          return
        }
        const value = parsed(decoded)
        if (value === undefined) done(body, undefined, [], 'unreadable-answer')
        else {
          const context = { provider: x.route.upstream.provider }
          done(
            body,
            safely(shop, () => call.dialect.ofBody(value, context)),
            [],
            undefined,
          )
        }
      }
      if (coding === undefined) read(body)
      else decodedBody(coding, body, answerHoldBytesMax * growthMax, read)
    },
  }
}

const embeddingBytesMax = 65_536

const parsed = (body: Buffer): object | undefined => {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
