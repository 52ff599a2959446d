import type { CallEntry, ModelCall } from '../core/event.ts'
import { formatUsd } from '../core/money.ts'
import type { EventJson, ItemResult } from '../intake/event-json.ts'
import type { GatewayLimits } from './limits.ts'
import type { Spool, Waiting } from './spool.ts'

/** The intake, by its shape: one result per event, in order, once all are durable; a rejection when nothing is known to be kept. */
export interface Admitting {
  /** Calls of this process, priced. */
  keep(entries: readonly CallEntry[]): Promise<readonly { readonly outcome: 'accepted' | 'duplicate' | 'joined' }[]>
  /** Events that waited on disk. */
  admit(events: readonly unknown[], from: { readonly source: 'gateway'; readonly key?: string | undefined }): Promise<readonly ItemResult[]>
}

/** A model call with its charge. */
export interface ModelEntry extends CallEntry {
  readonly event: ModelCall
}

export interface OutboxCounters {
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: number
  /** Events that went by way of the disk. */
  readonly spooled: number
  /** Events that neither the ledger nor the disk had room for. */
  readonly lost: number
  readonly failedBatches: number
}

/**
 * The way of the gateway's events to the ledger.
 *
 * They are gathered for a moment, since a commit costs the ledger far more than an event. While the ledger fails, events go to
 * the spool and are handed on later, once.
 */
export interface Outbox {
  add(entry: ModelEntry): void
  /** The ledger did not take the last batch and has not recovered since. */
  readonly isFailing: boolean
  readonly waiting: number
  counters(): OutboxCounters
  /** Resolves when all that was added is in the ledger or on disk. */
  close(): Promise<void>
}

export interface OutboxOptions {
  readonly intake: Admitting
  readonly spool: Spool
  readonly limits: Pick<GatewayLimits, 'waitingEventsMax' | 'batchEventsMax' | 'admitMsMax'>
  /** The pause before the ledger is tried again doubles from the first to the second. */
  readonly retryMs?: { readonly first: number; readonly most: number }
  readonly warn?: (sentence: string) => void
}

/**
 * How long an event waits for others: what a crash of the process can lose, against commits. With it a call costs the ledger's
 * thread half of what it costs when every turn of the event loop is a commit (bench/gateway).
 */
const gatherMs = 20

export const createOutbox = (options: OutboxOptions): Outbox => {
  const { intake, spool, limits, retryMs = { first: 250, most: 30_000 }, warn } = options
  const counters = { accepted: 0, duplicate: 0, rejected: 0, spooled: 0, lost: 0, failedBatches: 0 }
  let queue: ModelEntry[] = []
  let isFailing = false
  let isClosed = false
  let pumping: Promise<void> | undefined
  let gathering: NodeJS.Timeout | undefined
  let retry: NodeJS.Timeout | undefined
  let retryAfter = retryMs.first

  /** What waited on disk is read and priced anew: the book may be a later one. */
  const admit = async (batch: readonly Waiting[]): Promise<void> => {
    const groups = [...Map.groupBy(batch, ({ key }) => key)]
    await withinMs(
      limits.admitMsMax,
      Promise.all(
        groups.map(async ([key, members]) => {
          const events = members.map(({ event }) => event)
          count(await intake.admit(events, key === undefined ? { source: 'gateway' } : { source: 'gateway', key }))
        }),
      ),
    )
  }

  const count = (results: readonly ItemResult[]): void => {
    for (const result of results) {
      counters[result.outcome] += 1
      if (result.outcome === 'rejected' && counters.rejected === 1) warn?.(`The ledger refuses an event of the gateway: ${result.reason}.`)
    }
  }

  const keep = async (batch: readonly ModelEntry[]): Promise<void> => {
    if (await spool.keep(batch.map(waitingOf))) {
      counters.spooled += batch.length
      tryAgainLater()
    } else {
      if (counters.lost === 0) warn?.('The spool has no room: what calls cost is no longer kept until the ledger takes events again.')
      counters.lost += batch.length
    }
  }

  const fail = (): void => {
    if (!isFailing) warn?.('The ledger does not take events. They are kept on disk and sent again.')
    counters.failedBatches += 1
    isFailing = true
    tryAgainLater()
  }

  const tryAgainLater = (): void => {
    if (retry !== undefined || isClosed) return
    retry = setTimeout(() => {
      retry = undefined
      void replay()
    }, retryAfter)
    retry.unref()
    retryAfter = Math.min(retryAfter * 2, retryMs.most)
  }

  const replay = async (): Promise<void> => {
    try {
      await spool.replay(admit)
      if (isFailing) warn?.('The ledger takes events again.')
      isFailing = false
      retryAfter = retryMs.first
      // What came while the last file was being emptied.
      if (!spool.isEmpty) tryAgainLater()
    } catch {
      tryAgainLater()
    }
  }

  const take = (): readonly ModelEntry[] => {
    const batch = queue.length <= limits.batchEventsMax ? queue : queue.slice(0, limits.batchEventsMax)
    queue = batch === queue ? [] : queue.slice(limits.batchEventsMax)
    return batch
  }

  const send = async (batch: readonly ModelEntry[]): Promise<void> => {
    if (isFailing) return keep(batch)
    try {
      const kept = await withinMs(limits.admitMsMax, intake.keep(batch))
      for (const { outcome } of kept) counters[outcome === 'accepted' ? 'accepted' : 'duplicate'] += 1
    } catch {
      fail()
      await keep(batch)
    }
  }

  /** One batch at a time; what comes meanwhile is gathered again, unless it is enough for a batch already. */
  const pump = async (): Promise<void> => {
    clearTimeout(gathering)
    gathering = undefined
    do await send(take())
    while (queue.length >= limits.batchEventsMax || (isClosed && queue.length > 0))
    pumping = undefined
    if (queue.length > 0) gather()
  }

  const gather = (): void => {
    if (pumping !== undefined) return
    if (queue.length >= limits.batchEventsMax) pumping = pump()
    else
      gathering ??= setTimeout(() => {
        pumping = pump()
      }, gatherMs)
  }

  if (!spool.isEmpty) tryAgainLater()

  return {
    add(entry) {
      if (queue.length >= limits.waitingEventsMax) {
        void keep([entry])
        return
      }
      queue.push(entry)
      gather()
    },
    get isFailing() {
      return isFailing
    },
    get waiting() {
      return queue.length
    },
    counters: () => ({ ...counters }),
    async close() {
      isClosed = true
      clearTimeout(retry)
      if (queue.length > 0) pumping ??= pump()
      while (pumping !== undefined) await pumping
      await spool.close()
    },
  }
}

/** A call as it waits on disk: what it said, without what it cost. */
export const waitingOf = ({ event }: ModelEntry): Waiting & { readonly event: EventJson } => {
  const { key, source: _, reportedCost, ...said } = event
  return { event: reportedCost === undefined ? said : { ...said, reportedCostUsd: formatUsd(reportedCost) }, key }
}

const withinMs = async <Result>(ms: number, work: Promise<Result>): Promise<Result> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('The ledger did not answer in time.')), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
