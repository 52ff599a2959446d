import type { Used } from './guard.ts'
import type { ReservationBook } from './reservation-book.ts'

export interface ReservationCounters {
  /** Given back by `settle`, or because the entry came. */
  settled: number
  /** Nobody settled them in time. */
  expired: number
  /** Settled after they had expired, or twice, or never made. */
  lateSettles: number
}

/**
 * From a reservation to the entry that tells what it became.
 *
 * What was set aside is given back in the same step in which its entry is counted, so that the money is never free in between; the
 * settle that comes before or after that is then only a word. Where no event was named, settling gives back at once.
 */
export interface Reservations {
  /** Only so many are in flight at once. */
  isFull(): boolean
  begin(id: string, kept: Omit<Kept, 'state'>): void
  /** A promise that made the reservation durable was broken. */
  forget(id: string): void
  settle(id: string, used: Used | undefined, now: number): void
  /** The entry of this event has been counted. */
  entered(event: string, now: number): void
  /** Forgets what has expired. */
  sweep(now: number): void
  readonly counters: ReservationCounters
}

interface Kept {
  readonly event: string | undefined
  readonly expiresAt: number
  /** Of each claim, in order: which amount of `Used` narrows it. */
  readonly units: readonly ('usd' | 'tokens')[]
  /** `settled`: waits for its entry. `entered`: the entry was first, and all is given back. */
  state: 'open' | 'settled' | 'entered'
}

export const reservationsMax = 200_000

export const createReservations = (book: ReservationBook, graceMs: number): Reservations => {
  /** In the order of their expiry, because all have the same lease. */
  const kept = new Map<string, Kept>()
  const byEvent = new Map<string, string>()
  /** Settled, and their entry is to come any moment: by when. In the order of that. */
  const awaited = new Map<string, number>()
  const counters: ReservationCounters = { settled: 0, expired: 0, lateSettles: 0 }

  const remove = (id: string, { event }: Kept): void => {
    kept.delete(id)
    awaited.delete(id)
    if (event !== undefined && byEvent.get(event) === id) byEvent.delete(event)
  }

  const release = (id: string, reservation: Kept, now: number): void => {
    remove(id, reservation)
    if (reservation.state !== 'entered') book.release(id, now)
    counters.settled += 1
  }

  return {
    counters,
    isFull: () => kept.size >= reservationsMax,
    begin(id, reservation) {
      kept.set(id, { ...reservation, state: 'open' })
      if (reservation.event !== undefined) byEvent.set(reservation.event, id)
    },
    forget(id) {
      const reservation = kept.get(id)
      if (reservation !== undefined) remove(id, reservation)
    },
    settle(id, used, now) {
      const reservation = kept.get(id)
      if (reservation === undefined || reservation.state === 'settled') counters.lateSettles += 1
      else if (reservation.event === undefined || reservation.state === 'entered' || isNothing(used)) release(id, reservation, now)
      else {
        reservation.state = 'settled'
        if (used === undefined) awaited.set(id, now + graceMs)
        else
          book.narrow(
            id,
            reservation.units.map((unit) => amountUsed(used, unit)),
          )
      }
    },
    entered(event, now) {
      const id = byEvent.get(event)
      const reservation = id === undefined ? undefined : kept.get(id)
      if (id === undefined || reservation === undefined) return
      if (reservation.state === 'settled') release(id, reservation, now)
      else if (reservation.state === 'open') {
        reservation.state = 'entered'
        book.release(id, now)
      }
    },
    sweep(now) {
      for (const [id, until] of awaited) {
        if (until > now) break
        const reservation = kept.get(id)
        if (reservation !== undefined) release(id, reservation, now)
        awaited.delete(id)
      }
      for (const [id, reservation] of kept) {
        if (reservation.expiresAt > now) break
        remove(id, reservation)
        if (reservation.state === 'entered') continue
        book.release(id, now)
        counters.expired += 1
      }
    },
  }
}

/** The call was never sent, or was no call: no entry is to come. */
const isNothing = (used: Used | undefined): boolean => used?.cost === 0n && used.tokens === 0

/** An amount that is not known narrows nothing: the largest there is. */
const amountUsed = (used: Used, unit: 'usd' | 'tokens'): bigint => {
  const amount = unit === 'usd' ? used.cost : used.tokens
  return amount === undefined ? unknownAmount : BigInt(amount)
}

const unknownAmount = 2n ** 127n
