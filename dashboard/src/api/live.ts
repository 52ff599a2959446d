import type { CallJson, StreamMessage } from '../../../src/server/api.ts'

export type Connection = 'connecting' | 'live' | 'lost'

export interface LiveState {
  readonly connection: Connection
  /** The latest calls, newest first. */
  readonly recent: readonly CallJson[]
  /** Calls seen since this page was opened. */
  readonly seen: number
  /** When the server was last heard of, by this machine's clock. */
  readonly heardAt: number | undefined
}

/** The live tail of the ledger, shared by everything on the page. */
export interface Live {
  state(): LiveState
  subscribe(listener: () => void): () => void
  /** The server's clock, ms: what "now" means in every question. */
  now(): number
  close(): void
}

export interface LiveOptions {
  /** Entries came in, or some were missed: what is shown may be old. */
  onChange(): void
  /** The server answers again after it did not. */
  onReturn(): void
}

const recentMax = 24
const retryMsMin = 1_000
const retryMsMax = 15_000

export const createLive = ({ onChange, onReturn }: LiveOptions): Live => {
  const listeners = new Set<() => void>()
  let state: LiveState = { connection: 'connecting', recent: [], seen: 0, heardAt: undefined }
  let clockOffset = 0
  let retryMs = retryMsMin
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let pending: CallJson[] = []

  const set = (change: Partial<LiveState>): void => {
    state = { ...state, ...change }
    for (const listener of listeners) listener()
  }

  /** Calls that arrive together are shown together: once per frame at most, however many come. */
  const flush = (): void => {
    if (pending.length === 0) return
    const calls = pending
    pending = []
    set({ recent: [...calls.reverse(), ...state.recent].slice(0, recentMax), seen: state.seen + calls.length, heardAt: Date.now() })
    onChange()
  }

  const receive = (message: StreamMessage): void => {
    switch (message.type) {
      case 'open': {
        const wasLost = state.connection === 'lost'
        clockOffset = Date.parse(message.now) - Date.now()
        retryMs = retryMsMin
        set({ connection: 'live', heardAt: Date.now() })
        if (wasLost) onReturn()
        return
      }
      case 'call':
        if (pending.push(message.call) === 1) requestFlush(flush)
        return
      case 'run':
      case 'gap':
        onChange()
        return
      default:
        message satisfies never
    }
  }

  const connect = (): void => {
    disconnect()
    source = new EventSource('/v1/stream')
    for (const type of ['open', 'call', 'run', 'gap'] as const) {
      source.addEventListener(type, (event: Event) => {
        // A browser has an "open" event of its own, which carries nothing.
        if (event instanceof MessageEvent) receive(JSON.parse(String(event.data)) as StreamMessage)
      })
    }
    source.onerror = () => {
      if (state.connection !== 'lost') set({ connection: 'lost' })
      if (source?.readyState !== EventSource.CLOSED) return
      timer = setTimeout(connect, retryMs)
      retryMs = Math.min(retryMsMax, retryMs * 2)
    }
  }
  const disconnect = (): void => {
    clearTimeout(timer)
    source?.close()
  }

  // A browser holds six connections to a server: pages that nobody looks at give theirs back.
  const turn = (): void => {
    if (document.hidden) {
      disconnect()
    } else {
      connect()
      onReturn()
    }
  }
  document.addEventListener('visibilitychange', turn)
  if (!document.hidden) connect()

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    now: () => Date.now() + clockOffset,
    close() {
      document.removeEventListener('visibilitychange', turn)
      disconnect()
    },
  }
}

/** A hidden page has no frames, and its counters may wait. */
const requestFlush = (flush: () => void): void => {
  if (document.hidden) setTimeout(flush, 1_000)
  else requestAnimationFrame(flush)
}
