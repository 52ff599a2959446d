import type { EventJson, ItemResult } from '../intake/event-json.ts'
import { SendError } from './send-error.ts'
import type { Sender } from './sender.ts'
import type { Warn } from './warning.ts'

export const eventsPerSendMax = 500
export const sendTimeoutMs = 10_000
export const backoffMsBase = 250
export const backoffMsMax = 30_000

export interface QueueOptions {
  readonly sender: Sender
  /** Events kept while they cannot be sent; past it new ones are dropped and counted. */
  readonly eventsMax: number
  readonly flushIntervalMs: number
  /** A number from 0 to 1, for the jitter of retries. */
  readonly random: () => number
  readonly warn: Warn
}

export interface QueueStats {
  /** Waiting, or on their way. */
  readonly queued: number
  readonly sent: number
  /** Refused one by one by the ledger, each with a reason. */
  readonly rejected: number
  /** Lost: the queue was full, a batch could not be sent at all, or the tracker was closed before they were. */
  readonly dropped: number
  /** Attempts to send that failed. */
  readonly sendFailures: number
}

/** Told what became of an event; undefined when it was dropped. */
export type OnSettled = (result: ItemResult | undefined) => void

/**
 * Keeps events until a ledger has them. Bounded, in order, one batch on its way at a time; what fails is sent again after an
 * exponential backoff with full jitter. Nothing here throws into the agent or keeps its process alive.
 */
export interface EventQueue {
  push(event: EventJson, onSettled?: OnSettled): void
  /** True when all that is queued now was settled in time. Not `isPatient`: false at once when a send fails. */
  flush(timeoutMs: number, isPatient: boolean): Promise<boolean>
  /** False from a failed send until the next one that succeeds. */
  readonly isReachable: boolean
  stats(): QueueStats
  close(timeoutMs: number): Promise<void>
}

interface Item {
  readonly event: EventJson
  readonly onSettled: OnSettled | undefined
}

interface Waiter {
  readonly position: number
  readonly isPatient: boolean
  readonly resolve: (isSettled: boolean) => void
}

export const createEventQueue = (options: QueueOptions): EventQueue => {
  const { sender, random, warn } = options
  const stats = { sent: 0, rejected: 0, dropped: 0, sendFailures: 0 }
  const stop = new AbortController()
  let items: Item[] = []
  let pushed = 0
  let settled = 0
  let waiters: Waiter[] = []
  let failures = 0
  let batchMax = eventsPerSendMax
  let sending: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  const settle = (item: Item, result: ItemResult | undefined): void => {
    try {
      item.onSettled?.(result)
    } catch {
      // A listener of ours that fails must not stop the ones after it.
    }
  }

  const finish = (count: number, resultAt: (index: number) => ItemResult | undefined): void => {
    const done = items.slice(0, count)
    items = items.slice(count)
    settled += count
    done.forEach((item, index) => {
      settle(item, resultAt(index))
    })
    const ready = waiters.filter((waiter) => waiter.position <= settled)
    waiters = waiters.filter((waiter) => waiter.position > settled)
    for (const waiter of ready) waiter.resolve(true)
  }

  const acknowledge = (results: readonly ItemResult[]): void => {
    failures = 0
    for (const result of results) {
      if (result.outcome !== 'rejected') stats.sent += 1
      else {
        stats.rejected += 1
        warn('event-rejected', `The ledger rejected an event (${result.reason}): ${result.message}`)
      }
    }
    finish(results.length, (index) => results[index])
  }

  const giveUp = (count: number, message: string): void => {
    stats.dropped += count
    warn('events-dropped', message)
    finish(count, () => undefined)
  }

  const fail = (error: unknown, count: number): void => {
    stats.sendFailures += 1
    const kind = error instanceof SendError ? error.kind : 'temporary'
    const message = error instanceof Error ? error.message : String(error)
    if (kind === 'too-large' && count > 1) {
      batchMax = Math.ceil(count / 2)
      return
    }
    if (kind !== 'temporary') {
      giveUp(count, `${message}; ${count} events are lost.`)
      return
    }
    failures += 1
    warn('ledger-unreachable', `${message}. Calls go on; up to ${options.eventsMax} events are kept and sent later.`)
    const impatient = waiters.filter((waiter) => !waiter.isPatient)
    waiters = waiters.filter((waiter) => waiter.isPatient)
    for (const waiter of impatient) waiter.resolve(false)
  }

  /** Sends batches until the queue is empty or one fails. */
  const send = async (): Promise<void> => {
    while (items.length > 0 && !stop.signal.aborted) {
      const batch = items.slice(0, batchMax)
      const failuresBefore = failures
      try {
        const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(sendTimeoutMs)])
        acknowledge(
          await sender.send(
            batch.map((item) => item.event),
            signal,
          ),
        )
      } catch (error) {
        fail(error, batch.length)
        if (failures > failuresBefore) return
      }
    }
  }

  const start = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    sending ??= send().finally(() => {
      sending = undefined
      if (items.length > 0) schedule()
    })
    return sending
  }

  const schedule = (): void => {
    if (timer !== undefined || sending !== undefined || stop.signal.aborted) return
    const backoff = random() * Math.min(backoffMsMax, backoffMsBase * 2 ** Math.min(failures, 16))
    const isFull = items.length >= batchMax
    timer = setTimeout(start, failures > 0 ? backoff : isFull ? 0 : options.flushIntervalMs)
    timer.unref()
  }

  const flush: EventQueue['flush'] = (timeoutMs, isPatient) => {
    if (settled === pushed) return Promise.resolve(true)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiter: Waiter = { position: pushed, isPatient, resolve }
    waiters.push(waiter)
    // Not unref'd: whoever awaits a flush wants the process to live until it is over.
    const limit = setTimeout(() => {
      waiters = waiters.filter((other) => other !== waiter)
      resolve(false)
    }, timeoutMs)
    start()
    return promise.finally(() => clearTimeout(limit))
  }

  return {
    push(event, onSettled) {
      if (isClosed || items.length >= options.eventsMax) {
        stats.dropped += 1
        warn(
          'events-dropped',
          isClosed ? 'An event came after close() and is lost.' : `${options.eventsMax} events wait to be sent; new ones are lost.`,
        )
        settle({ event, onSettled }, undefined)
        return
      }
      pushed += 1
      items.push({ event, onSettled })
      if (items.length === batchMax && failures === 0) {
        clearTimeout(timer)
        timer = undefined
      }
      schedule()
    },
    flush,
    get isReachable() {
      return failures === 0
    },
    stats: () => ({ queued: items.length, ...stats }),
    async close(timeoutMs) {
      isClosed = true
      await flush(timeoutMs, true)
      clearTimeout(timer)
      stop.abort()
      await sending
      if (items.length > 0) giveUp(items.length, `${items.length} events could not be sent before close() and are lost.`)
      try {
        await sender.close()
      } catch (error) {
        warn('metering-failed', `The way to the ledger could not be closed: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
  }
}
