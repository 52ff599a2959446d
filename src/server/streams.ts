import { passes } from '../core/attribute-values.ts'
import { TaximeterError } from '../core/errors.ts'
import type { Filter } from '../core/question.ts'
import type { Followed, Store } from '../ledger/store.ts'
import type { StreamMessage } from './api.ts'
import { callJson, instant, runRecordJson } from './entry-json.ts'
import type { ServerLimits } from './limits.ts'

export interface StreamsOptions {
  readonly store: Pick<Store, 'follow' | 'head'>
  readonly limits: Pick<ServerLimits, 'streamsMax' | 'streamReplayMax' | 'heartbeatMs' | 'stalledMs'>
  readonly now: () => number
}

/** The live streams that are open: server-sent events, one ledger follower each. */
export interface Streams {
  /**
   * Tells of every entry after a cursor, or from now on. A reader that resumes further back than `streamReplayMax` gets that
   * many, then a `gap`, then what is new. Entries that do not pass the filters are left out. Throws TOO_MANY_STREAMS.
   */
  open(after: string | undefined, where?: readonly Filter[]): Promise<Response>
  count(): number
  close(): void
}

const queueBytesMax = 65_536
/** What lies between a cursor and the head is there to be read. When nothing comes, the cursor is of another ledger. */
const replayWaitMs = 5_000

export const createStreams = ({ store, limits, now }: StreamsOptions): Streams => {
  const open = new Set<AbortController>()
  let opening = 0

  return {
    async open(after, where = []) {
      if (open.size + opening >= limits.streamsMax) {
        throw new TaximeterError(
          'TOO_MANY_STREAMS',
          `At most ${limits.streamsMax} live streams can be open. Close one, or ask again later.`,
        )
      }
      opening += 1
      try {
        const head = await store.head()
        const ended = new AbortController()
        open.add(ended)
        ended.signal.addEventListener('abort', () => open.delete(ended))
        const body = streamBody({ store, limits, now, after, where, head, ended })
        return new Response(body, {
          headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
        })
      } finally {
        opening -= 1
      }
    },
    count: () => open.size,
    close() {
      for (const ended of open) ended.abort()
    },
  }
}

interface StreamContext extends StreamsOptions {
  readonly after: string | undefined
  readonly where: readonly Filter[]
  readonly head: string
  readonly ended: AbortController
}

const streamBody = ({ store, limits, now, after, where, head, ended }: StreamContext): ReadableStream<Uint8Array> => {
  const { signal } = ended
  const encoder = new TextEncoder()
  let wake: (() => void) | undefined

  /** Resolves when the reader has room again; a reader that takes nothing for too long is let go. */
  const room = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    if ((controller.desiredSize ?? 1) > 0 || signal.aborted) return
    const stalled = setTimeout(() => ended.abort(), limits.stalledMs)
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    clearTimeout(stalled)
  }

  const tell = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const send = async (message: StreamMessage, cursor: string): Promise<void> => {
      await room(controller)
      if (!signal.aborted) controller.enqueue(encoder.encode(eventText(message, cursor)))
    }
    await send({ type: 'open', cursor: after ?? head, now: instant(now()) }, after ?? head)
    const tellOf = async (followed: Followed): Promise<void> => {
      if (passes(followed.entry, where)) await send(messageOf(followed), followed.cursor)
    }
    let from: string | undefined = after ?? head
    if (after !== undefined && after !== head) from = await replay(store, after, head, limits.streamReplayMax, signal, tellOf)
    if (from === undefined) {
      from = await store.head()
      await send({ type: 'gap', cursor: from }, from)
    }
    for await (const followed of store.follow(from, signal)) await tellOf(followed)
  }

  let heartbeat: NodeJS.Timeout | undefined
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        signal.addEventListener('abort', () => {
          clearInterval(heartbeat)
          wake?.()
          try {
            controller.close()
          } catch {
            // The reader has cancelled: there is nobody left to tell that it ended.
          }
        })
        heartbeat = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': \n\n'))
        }, limits.heartbeatMs).unref()
        // A ledger that cannot be followed ends the stream; the reader's own reconnecting then meets an answer that says why.
        tell(controller).catch(() => ended.abort())
      },
      pull() {
        wake?.()
      },
      cancel() {
        ended.abort()
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: queueBytesMax }),
  )
}

/** Tells again what a reader missed, up to the head as it was. The cursor to go on from; undefined when too much was missed. */
const replay = async (
  store: Pick<Store, 'follow'>,
  after: string,
  head: string,
  most: number,
  signal: AbortSignal,
  tellOf: (followed: Followed) => Promise<void>,
): Promise<string | undefined> => {
  let told = 0
  const caughtUp = new AbortController()
  const patience = setTimeout(() => caughtUp.abort(), replayWaitMs)
  try {
    for await (const followed of store.follow(after, AbortSignal.any([signal, caughtUp.signal]))) {
      if (told === most) return undefined
      patience.refresh()
      await tellOf(followed)
      told += 1
      if (followed.cursor === head) return head
    }
    return undefined
  } catch (error) {
    // A cursor of another ledger, or no cursor at all.
    if (error instanceof TaximeterError) return undefined
    throw error
  } finally {
    clearTimeout(patience)
    caughtUp.abort()
  }
}

const messageOf = ({ entry, isCounted }: Followed): StreamMessage =>
  entry.charge === undefined ? { type: 'run', run: runRecordJson(entry.event) } : { type: 'call', call: callJson(entry), isCounted }

const eventText = (message: StreamMessage, cursor: string): string =>
  `id: ${cursor}\nevent: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`
