import { createHash } from 'node:crypto'
import type { AlertRecord, AlertStore, Delivery } from '../../ledger/alert-store.ts'
import type { Notice, Notifier } from '../notifiers/notifier.ts'

export interface DeliveriesOptions {
  readonly notifiers: () => readonly Notifier[]
  readonly store: Pick<AlertStore, 'write'>
  readonly random: () => number
  readonly now: () => number
  readonly owed: readonly Delivery[]
  readonly alertOf: (id: string) => AlertRecord | undefined
  /** Alerts that hold now and that a notifier is, or will be, told of. */
  readonly holdingFor: (notifier: string) => readonly AlertRecord[]
  readonly onError: (error: unknown) => void
}

/** Messages of one notifier since the start. */
export interface NotifierCounters {
  readonly delivered: number
  readonly failures: number
  readonly givenUp: number
  /** Alerts whose message is still owed. */
  readonly waiting: number
}

export const sendTimeoutMs = 10_000
export const attemptsMax = 12
const backoffMs = 1_000
const backoffMsMax = 15 * 60_000
/** Alerts in one message; the rest follow in further ones. */
const groupMax = 50

/** What is owed to notifiers: sent in groups by rule, tried again with growing pauses, given up after an hour and a half or so. */
export const createDeliveries = (options: DeliveriesOptions) => {
  const { store } = options
  const owed = new Map<string, Delivery>()
  const tallies = new Map<string, { delivered: number; failures: number; givenUp: number }>()
  const tallyOf = (name: string) => {
    const known = tallies.get(name) ?? { delivered: 0, failures: 0, givenUp: 0 }
    tallies.set(name, known)
    return known
  }
  const add = (deliveries: readonly Delivery[]): void => {
    for (const delivery of deliveries) {
      if (delivery.outcome === undefined) owed.set(nameOf(delivery), delivery)
      else owed.delete(nameOf(delivery))
    }
  }
  add(options.owed)

  /** What has become of messages and could not be written yet. */
  const unwritten = new Map<string, Delivery>()
  const write = async (): Promise<void> => {
    const deliveries = [...unwritten.values()]
    if (deliveries.length === 0) return
    await store.write({ alerts: [], dropped: [], deliveries, forgetBefore: 0 })
    for (const delivery of deliveries) if (unwritten.get(nameOf(delivery)) === delivery) unwritten.delete(nameOf(delivery))
  }
  /** What was sent was sent: it holds before it is written, so that a full disk makes nobody hear it again and again. */
  const keep = async (deliveries: readonly Delivery[]): Promise<void> => {
    add(deliveries)
    for (const delivery of deliveries) unwritten.set(nameOf(delivery), delivery)
    await write()
  }

  /** Whether it was taken. */
  const sendGroup = async (notifier: Notifier, group: Group, now: number): Promise<boolean> => {
    const tally = tallyOf(notifier.name)
    try {
      const alerts = group.map(({ alert }) => alert)
      await notifier.send(noticeOf(group[0]?.delivery.transition ?? 'firing', alerts), AbortSignal.timeout(sendTimeoutMs))
    } catch (error) {
      tally.failures += 1
      options.onError(failureOf(notifier, error))
      await keep(group.map(({ delivery }) => retryOf(delivery, now, options.random)))
      tally.givenUp += group.filter(({ delivery }) => delivery.attempts + 1 >= attemptsMax).length
      return false
    }
    await keep(group.map(({ delivery }) => ({ ...delivery, attempts: delivery.attempts + 1, outcome: 'delivered' })))
    tally.delivered += 1
    return true
  }

  /** What was taken may make room for what had to wait for it. */
  const sendAll = async (notifier: Notifier, now: number): Promise<void> => {
    for (let hasMoved = true; hasMoved; ) {
      hasMoved = false
      for (const group of groupsFor(notifier.name, owed, options.alertOf, now))
        hasMoved = (await sendGroup(notifier, group, now)) || hasMoved
    }
  }

  /** Receivers that forget are told again of what they were told of and still holds; that nobody else hears of it is up to them. */
  const remindedAt = new Map<string, number>()
  const remind = async (notifier: Notifier, now: number): Promise<void> => {
    const { name, remindMs } = notifier
    const since = now - (remindedAt.get(name) ?? Number.NEGATIVE_INFINITY)
    if (remindMs === undefined || (since >= 0 && since < remindMs)) return
    remindedAt.set(name, now)
    const told = options.holdingFor(name).filter(({ id }) => !owed.has(nameOf({ alert: id, transition: 'firing', notifier: name })))
    try {
      for (const alerts of partsOf(told)) await notifier.send(noticeOf('firing', alerts), AbortSignal.timeout(sendTimeoutMs))
    } catch (error) {
      tallyOf(name).failures += 1
      options.onError(failureOf(notifier, error))
    }
  }

  /** One pass per notifier at a time: one that hangs keeps only its own messages waiting. */
  const sending = new Map<string, Promise<void>>()
  const sendTo = (notifier: Notifier, now: number): Promise<void> => {
    const running =
      sending.get(notifier.name) ??
      sendAll(notifier, now)
        .then(() => remind(notifier, now))
        .catch(options.onError)
        .finally(() => sending.delete(notifier.name))
    sending.set(notifier.name, running)
    return running
  }

  /** What is owed to a notifier that is no longer there, or of an alert that is forgotten, is owed to nobody. */
  const giveUpStrays = async (names: ReadonlySet<string>): Promise<void> => {
    const strays = [...owed.values()].filter(({ notifier, alert }) => !names.has(notifier) || options.alertOf(alert) === undefined)
    if (strays.length > 0) await keep(strays.map((delivery) => ({ ...delivery, outcome: 'given-up' }))).catch(options.onError)
  }

  return {
    add,
    /** Resolves when every message that is due has been tried. */
    send: async (now: number): Promise<void> => {
      const notifiers = options.notifiers()
      await write().catch(options.onError)
      await giveUpStrays(new Set(notifiers.map(({ name }) => name)))
      await Promise.all(notifiers.map((notifier) => sendTo(notifier, now)))
    },
    /** Resolves when nothing is being sent. */
    settled: async (): Promise<void> => void (await Promise.all(sending.values())),
    counters: (): Readonly<Record<string, NotifierCounters>> =>
      Object.fromEntries(
        options.notifiers().map(({ name }) => {
          const waiting = [...owed.values()].filter(({ notifier }) => notifier === name).length
          return [name, { ...tallyOf(name), waiting }]
        }),
      ),
  }
}

/** A notifier says what went wrong, and not that it was itself. */
const failureOf = ({ name }: Notifier, cause: unknown): Error =>
  new Error(`Notifier "${name}": ${cause instanceof Error ? cause.message : 'failed'}`, { cause })

type Group = readonly { readonly delivery: Delivery; readonly alert: AlertRecord }[]

const nameOf = ({ alert, transition, notifier }: Pick<Delivery, 'alert' | 'transition' | 'notifier'>): string =>
  `${alert}\n${transition}\n${notifier}`

const retryOf = (delivery: Delivery, now: number, random: () => number): Delivery => {
  const attempts = delivery.attempts + 1
  if (attempts >= attemptsMax) return { ...delivery, attempts, outcome: 'given-up' }
  // Full jitter: receivers that come back are not met by everyone at once.
  return { ...delivery, attempts, nextAt: now + Math.round(random() * Math.min(backoffMsMax, backoffMs * 2 ** attempts)) }
}

/** What is due, in messages. Of one segment only the first is sent: its end waits for its beginning, and its next beginning for its end. */
const groupsFor = (
  notifier: string,
  owed: ReadonlyMap<string, Delivery>,
  alertOf: DeliveriesOptions['alertOf'],
  now: number,
): readonly Group[] => {
  const firsts = new Map<string, Group[number]>()
  for (const delivery of owed.values()) {
    const alert = alertOf(delivery.alert)
    if (delivery.notifier !== notifier || alert === undefined) continue
    const key = `${alert.rule}\n${alert.key}`
    const first = firsts.get(key)
    if (first === undefined || isBefore({ delivery, alert }, first)) firsts.set(key, { delivery, alert })
  }
  const groups = new Map<string, Group[number][]>()
  for (const { delivery, alert } of firsts.values()) {
    // A time further ahead than any pause was written by a clock that has been set back since.
    if (delivery.nextAt > now && delivery.nextAt - now <= backoffMsMax) continue
    const key = `${alert.rule}\n${delivery.transition}\n${delivery.attempts}`
    groups.set(key, [...(groups.get(key) ?? []), { delivery, alert }])
  }
  return [...groups.values()].flatMap(partsOf)
}

const partsOf = <Item>(items: readonly Item[]): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / groupMax) }, (_, part) => items.slice(part * groupMax, (part + 1) * groupMax))

/** In the order in which they came to pass: of two alerts the one that has ended, of one its beginning. */
const isBefore = (one: Group[number], other: Group[number]): boolean => {
  if (one.alert.id === other.alert.id) return one.delivery.transition === 'firing'
  if ((one.alert.state === 'resolved') !== (other.alert.state === 'resolved')) return one.alert.state === 'resolved'
  return (one.alert.resolvedAt ?? one.alert.startedAt) < (other.alert.resolvedAt ?? other.alert.startedAt)
}

const noticeOf = (transition: Delivery['transition'], alerts: readonly AlertRecord[]): Notice => {
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
