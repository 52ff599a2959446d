import { createHash } from 'node:crypto'
import type { AlertRecord, AlertStore, Delivery } from '../../ledger/alert-store.ts'
import type { Notice, Notifier } from '../notifiers/notifier.ts'

export interface DeliveriesOptions {
  readonly notifiers: readonly Notifier[]
  readonly store: Pick<AlertStore, 'write'>
  readonly random: () => number
  readonly now: () => number
  readonly owed: readonly Delivery[]
  readonly alertOf: (id: string) => AlertRecord | undefined
  readonly counters: { delivered: number; deliveryFailures: number; givenUp: number }
  readonly onError: (error: unknown) => void
}

export const sendTimeoutMs = 10_000
export const attemptsMax = 12
const backoffMs = 1_000
const backoffMsMax = 15 * 60_000
/** Alerts in one message; the rest follow in further ones. */
const groupMax = 50

/** What is owed to notifiers: sent in groups by rule, tried again with growing pauses, given up after an hour and a half or so. */
export const createDeliveries = (options: DeliveriesOptions) => {
  const { notifiers, store, counters } = options
  const owed = new Map<string, Delivery>()
  const keyOf = ({ alert, transition, notifier }: Delivery): string => `${alert}\n${transition}\n${notifier}`
  const add = (deliveries: readonly Delivery[]): void => {
    for (const delivery of deliveries) {
      if (delivery.outcome === undefined) owed.set(keyOf(delivery), delivery)
      else owed.delete(keyOf(delivery))
    }
  }
  add(options.owed)

  const keep = async (deliveries: readonly Delivery[]): Promise<void> => {
    await store.write({ alerts: [], dropped: [], deliveries, forgetBefore: 0 })
    add(deliveries)
  }

  const sendGroup = async (
    notifier: Notifier,
    group: readonly { delivery: Delivery; alert: AlertRecord }[],
    now: number,
  ): Promise<void> => {
    try {
      await notifier.send(noticeOf(group), AbortSignal.timeout(sendTimeoutMs))
      counters.delivered += 1
      await keep(group.map(({ delivery }) => ({ ...delivery, attempts: delivery.attempts + 1, outcome: 'delivered' })))
    } catch (error) {
      counters.deliveryFailures += 1
      options.onError(error)
      await keep(group.map(({ delivery }) => retryOf(delivery, now, options.random))).catch(options.onError)
      counters.givenUp += group.filter(({ delivery }) => delivery.attempts + 1 >= attemptsMax).length
    }
  }

  const send = async (now: number): Promise<void> => {
    await Promise.all(
      notifiers.map(async (notifier) => {
        for (const group of groupsFor(notifier.name, [...owed.values()], options.alertOf, now)) await sendGroup(notifier, group, now)
      }),
    )
  }

  let sending: Promise<void> | undefined
  return {
    add,
    /** Returns when every message that is due has been tried. A notifier that hangs keeps only its own messages waiting, and a round no longer than one time limit. */
    send: (now: number): Promise<void> => {
      sending ??= send(now).finally(() => {
        sending = undefined
      })
      return sending
    },
    close: async (): Promise<void> => {
      await sending
      await Promise.all(notifiers.map((notifier) => notifier.close()))
    },
  }
}

const retryOf = (delivery: Delivery, now: number, random: () => number): Delivery => {
  const attempts = delivery.attempts + 1
  if (attempts >= attemptsMax) return { ...delivery, attempts, outcome: 'given-up' }
  // Full jitter: receivers that come back are not met by everyone at once.
  return { ...delivery, attempts, nextAt: now + Math.round(random() * Math.min(backoffMsMax, backoffMs * 2 ** attempts)) }
}

const groupsFor = (notifier: string, owed: readonly Delivery[], alertOf: DeliveriesOptions['alertOf'], now: number) => {
  const groups = new Map<string, { delivery: Delivery; alert: AlertRecord }[]>()
  for (const delivery of owed) {
    const alert = alertOf(delivery.alert)
    if (delivery.notifier !== notifier || delivery.nextAt > now || alert === undefined) continue
    const key = `${alert.rule}\n${delivery.transition}\n${delivery.attempts}`
    groups.set(key, [...(groups.get(key) ?? []), { delivery, alert }])
  }
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / groupMax) }, (_, part) => group.slice(part * groupMax, (part + 1) * groupMax)),
  )
}

const noticeOf = (group: readonly { readonly delivery: Delivery; readonly alert: AlertRecord }[]): Notice => {
  const transition = group[0]?.delivery.transition ?? 'firing'
  const alerts = group.map(({ alert }) => alert)
  const id = createHash('sha256')
    .update(
      `${transition} ${alerts
        .map((alert) => alert.id)
        .sort()
        .join(' ')}`,
    )
    .digest('hex')
    .slice(0, 32)
  return { id, transition, alerts }
}
