import type { Answer } from '../../core/answer.ts'
import { TaximeterError } from '../../core/errors.ts'
import type { CallEntry, Entry } from '../../core/event.ts'
import type { Appended, EntryPage, Followed, RunDetail, RunPage, SessionPage, Store, StoreDescription } from '../store.ts'
import { bucketsMax, quarters } from './cubes.ts'
import { startThread, type Thread, type ThreadOptions } from './thread.ts'
import { createEncoder } from './wire.ts'
import type { Kept } from './writer.ts'

export interface SqliteOptions {
  /** The ledger's file; made where there is none. */
  readonly path: string
  /**
   * What an acknowledged entry survives. `full`: the process being killed and the power being cut. `normal`: the process being
   * killed; a power cut can take the last moments before it, and never damages the file.
   */
  readonly durability?: 'full' | 'normal'
  /** Entries that may wait for the writer; past it, `append` rejects with LEDGER_BUSY at once. */
  readonly queueEntriesMax?: number
  /** Where the worker's file is, for a bundle that puts it elsewhere than beside this one. */
  readonly worker?: URL
  /** SQLite's own limit on the file's size, in pages. */
  readonly pagesMax?: number
}

/** Appends that wait together are one transaction, up to this many entries: 10 ms of the caller's thread. */
const groupEntriesMax = 4_096
/** While one group is written the next is made ready, if it is worth a transaction of its own. */
const aheadEntriesMin = 512
const readersMax = 2
/** Other processes may write to the same file: their entries are looked for this often. */
const pollMs = 1_000
const tailRows = 500

interface Waiting {
  readonly entries: readonly Entry[]
  readonly resolve: (outcomes: readonly Appended[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * A ledger in one SQLite file, written by one thread and read by others.
 *
 * Appends that arrive together share one transaction and resolve after it. Rejects with LEDGER_NEWER, LEDGER_FOREIGN or
 * LEDGER_DAMAGED when the file is not one that this program can use.
 */
export const sqliteStore = (options: SqliteOptions): Promise<Store> => openStore(options, (thread) => startThread(thread, options.worker))

/** The store over threads that `start` makes. */
export const openStore = async (options: SqliteOptions, start: (options: ThreadOptions) => Promise<Thread>): Promise<Store> => {
  const { path, durability = 'full', queueEntriesMax = 100_000 } = options
  const thread = { path, durability, ...(options.pagesMax !== undefined && { pagesMax: options.pagesMax }) }
  const writer = await start({ ...thread, role: 'writer' })
  const readers = createReaders(() => start({ ...thread, role: 'reader' }))
  const wakes = new Set<() => void>()
  const queue = createQueue(writer, queueEntriesMax, () => {
    for (const wake of wakes) wake()
  })
  const closing = new AbortController()

  const open = <Value>(act: () => Promise<Value>): Promise<Value> => (closing.signal.aborted ? Promise.reject(closed()) : act())
  const read = <Value>(method: string, ...values: readonly unknown[]): Promise<Value> => open(() => readers.call<Value>(method, values))

  return {
    append: (batch) => open(() => queue.append(batch)),
    ask: (question) => read<Answer>('ask', question),
    runs: (filter, page) => read<RunPage>('runs', filter, page),
    run: (id) => read<RunDetail | undefined>('run', id),
    sessions: (filter, page) => read<SessionPage>('sessions', filter, page),
    entries: (filter, page) => read<EntryPage>('entries', filter, page),
    head: () => read<string>('head'),
    describe: async () => {
      const description = await read<StoreDescription>('describe')
      return { ...description, settings: { ...description.settings, durability } }
    },
    async *follow(after, signal) {
      const ended = AbortSignal.any([signal, closing.signal])
      let cursor = after
      while (!ended.aborted) {
        const woken = waitFor(wakes, ended)
        const rows = await read<readonly Followed[]>('tail', cursor, tailRows).catch((error: unknown) => {
          if (ended.aborted) return []
          throw error
        })
        for (const followed of rows) {
          if (ended.aborted) return
          cursor = followed.cursor
          yield followed
        }
        if (rows.length === 0 && !ended.aborted) await woken.happened
        woken.forget()
      }
    },
    async close() {
      if (closing.signal.aborted) return
      closing.abort()
      await queue.drain()
      await readers.close()
      await writer.close()
    },
  }
}

const closed = () => new TaximeterError('LEDGER_CLOSED', 'The ledger is closed.')

/** Resolves when something was written here, when it is time to look for what others wrote, or when the wait is over. */
const waitFor = (wakes: Set<() => void>, ended: AbortSignal): { readonly happened: Promise<void>; forget(): void } => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const wake = (): void => resolve()
  const timer = setTimeout(wake, pollMs)
  timer.unref()
  wakes.add(wake)
  ended.addEventListener('abort', wake)
  return {
    happened: promise,
    forget: () => {
      clearTimeout(timer)
      wakes.delete(wake)
      ended.removeEventListener('abort', wake)
    },
  }
}

interface Lane {
  readonly thread: Promise<Thread>
  /** Questions that were given to it and are not answered. */
  waiting: number
  /** Ends it when it has had nothing to do for a while. */
  rest: NodeJS.Timeout | undefined
}

/** A thread at rest is some 12 MB of memory: it is let go after so long without a question. The next one waits for another (80 ms on a busy machine). */
const restMs = 30_000

const ended = async ({ thread }: Lane): Promise<void> => (await thread.catch(() => undefined))?.close()

/** Threads that read: the second is started when the first is busy, so that one slow question does not hold up the others. */
const createReaders = (start: () => Promise<Thread>) => {
  const lanes = new Set<Lane>()
  const ending = new Set<Promise<void>>()

  const leastBusy = (): Lane => {
    const [least] = [...lanes].sort((left, right) => left.waiting - right.waiting)
    if (least !== undefined && (least.waiting === 0 || lanes.size >= readersMax)) return least
    const lane: Lane = { thread: start(), waiting: 0, rest: undefined }
    lanes.add(lane)
    lane.thread.catch(() => lanes.delete(lane))
    return lane
  }

  const endAtRest = (lane: Lane): void => {
    if (lane.waiting > 0 || !lanes.delete(lane)) return
    const end = ended(lane).finally(() => ending.delete(end))
    ending.add(end)
  }

  return {
    call: async <Value>(method: string, values: readonly unknown[]): Promise<Value> => {
      const lane = leastBusy()
      lane.waiting += 1
      clearTimeout(lane.rest)
      try {
        return await (await lane.thread).call<Value>(method, values)
      } finally {
        lane.waiting -= 1
        if (lane.waiting === 0) lane.rest = setTimeout(endAtRest, restMs, lane).unref()
      }
    },
    close: async (): Promise<void> => {
      for (const { rest } of lanes) clearTimeout(rest)
      await Promise.all([...[...lanes].map(ended), ...ending])
      lanes.clear()
    },
  }
}

/** Group commit: what waits is written together. */
const createQueue = (writer: Thread, entriesMax: number, onKept: () => void) => {
  let encoder = createEncoder()
  const waiting: Waiting[] = []
  let waitingEntries = 0
  let groupsUnderWay = 0
  let drained: (() => void)[] = []
  let isPlanned = false

  const takeGroup = (): readonly Waiting[] => {
    let entries = 0
    let count = 0
    for (const item of waiting) {
      if (count > 0 && entries + item.entries.length > groupEntriesMax) break
      entries += item.entries.length
      count += 1
    }
    waitingEntries -= entries
    return waiting.splice(0, count)
  }

  const pump = (): void => {
    while (waiting.length > 0 && (groupsUnderWay === 0 || (groupsUnderWay === 1 && waitingEntries >= aheadEntriesMin))) {
      groupsUnderWay += 1
      void write(takeGroup()).finally(() => {
        groupsUnderWay -= 1
        pump()
        if (groupsUnderWay > 0 || waiting.length > 0) return
        for (const resolve of drained) resolve()
        drained = []
      })
    }
  }

  const write = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const parcel = encode(group)
      const transfer = [parcel.numbers.buffer, parcel.bytes.buffer] as ArrayBuffer[]
      const kept = await writer.call<Kept>('append', [parcel], transfer)
      settle(group, kept)
      onKept()
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  const encode = (group: readonly Waiting[]) => {
    try {
      return encoder.encode(group.length === 1 ? (group[0]?.entries ?? []) : group.flatMap(({ entries }) => entries))
    } catch (error) {
      // Names may have been numbered that the writer was never told.
      encoder = createEncoder()
      throw error
    }
  }

  return {
    append: (entries: readonly Entry[]): Promise<readonly Appended[]> =>
      new Promise((resolve, reject) => {
        for (const { event } of entries) checkEvent(event)
        if (entries.length === 0) return resolve([])
        if (waiting.length > 0 && waitingEntries + entries.length > entriesMax) {
          const message = `${waitingEntries} entries are waiting to be written, of at most ${entriesMax}. Send these again in a moment.`
          return reject(new TaximeterError('LEDGER_BUSY', message))
        }
        waiting.push({ entries, resolve, reject })
        waitingEntries += entries.length
        if (isPlanned) return
        // What arrives in the same turn of the event loop goes together.
        isPlanned = true
        queueMicrotask(() => {
          isPlanned = false
          pump()
        })
      }),
    drain: async (): Promise<void> => {
      if (groupsUnderWay === 0 && waiting.length === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      drained.push(resolve)
      await promise
    },
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const atMax = quarters.bucketMs * bucketsMax

const checkEvent = ({ id, at }: Entry['event']): void => {
  if (!uuid.test(id)) throw new TaximeterError('BAD_EVENT', `An id should be a UUID in lower case, got "${String(id).slice(0, 60)}".`)
  if (!(at >= 0 && at < atMax)) throw new TaximeterError('BAD_EVENT', `A time should be UTC milliseconds since 1970, got ${at}.`)
}

const outcomeNames = ['accepted', 'duplicate', 'joined'] as const

const settle = (group: readonly Waiting[], kept: Kept): void => {
  const changes = new Map(kept.changes.map((change) => [change.index, change]))
  let index = 0
  for (const { entries, resolve } of group) {
    const outcomes: Appended[] = []
    for (const entry of entries) {
      const outcome = outcomeNames[kept.outcomes[index] ?? 1] ?? 'duplicate'
      const change = changes.get(index)
      index += 1
      const { id } = entry.event
      if (change !== undefined) outcomes.push({ id, outcome, counted: change.counted, uncounted: change.uncounted })
      else if (outcome === 'accepted' && entry.event.kind !== 'run') outcomes.push({ id, outcome, counted: entry as CallEntry })
      else outcomes.push({ id, outcome })
    }
    resolve(outcomes)
  }
}
