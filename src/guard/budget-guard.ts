import type { Budget, BudgetStatus, Refusal } from '../core/budget.ts'
import type { PriceBook } from '../core/price-book.ts'
import type { Allowance } from './allowance.ts'
import { createAllowances } from './allowances.ts'
import { statusOf } from './budget-status.ts'
import { claimsOf, isBlocking, openingOf, refusalOf } from './claims.ts'
import { type Crossing, createCrossings } from './crossings.ts'
import type { BudgetGuard, CallAhead, Decision } from './guard.ts'
import type { LeaseAnswer, LeaseRequest } from './lease-json.ts'
import { createLeases } from './leases.ts'
import { unavailableRefusal, unpricedRefusal } from './refusal.ts'
import type { ReservationBook, Verdict } from './reservation-book.ts'
import { createReservations } from './reservations.ts'
import type { SeedStore } from './seed.ts'
import { worstCaseOf } from './worst-case.ts'

export interface BudgetGuardOptions {
  readonly budgets: readonly Budget[]
  /** The price book of the moment. */
  readonly prices: () => PriceBook
  /** Where amounts are held; ended by `close`. */
  readonly book: ReservationBook
  /** The ledger: what was spent before. Asked at the start, so that nothing may come into it before this guard observes it. */
  readonly store: SeedStore
  /** UTC ms. */
  readonly now: () => number
  /** Begins every reservation's id; another one at every start. */
  readonly holder: string
  /** What happens to a call when nobody can say what is left. */
  readonly onUnavailable?: 'allow' | 'block'
  /** How long a reservation lasts that nobody settles: longer than any call. */
  readonly leaseMs?: number
  /** How long a settled call's entry may take to come, where it is not known what the call used. */
  readonly settleGraceMs?: number
}

export interface Budgets extends BudgetGuard {
  /** Allowances as they stand, the fullest first. */
  status(limit?: number): readonly BudgetStatus[]
  /** Puts other budgets in force. What was spent stays, and of a budget that is not known yet the ledger is asked. Rejects having changed nothing. */
  reload(budgets: readonly Budget[]): Promise<void>
  /** Called once for each threshold that is passed; the first listener also hears of those that were passed at the start. Returns how to stop listening. */
  onCrossing(listener: (crossing: Crossing) => void): () => void
  /** An allowance for a client that decides by itself until it is used up (docs/reference/budgets.md, "Leases"). */
  lease(request: LeaseRequest): Promise<LeaseAnswer>
  /** A lease that is not needed any more. False when it is not known, or has expired. */
  giveBack(lease: string): boolean
  counters(): BudgetCounters
  close(): Promise<void>
}

/** Counted since the process began. */
export interface BudgetCounters {
  /** Calls for which something was set aside. */
  readonly reserved: number
  readonly refused: number
  /** Of those refused: for want of a price, and because nobody could say what is left. */
  readonly refusedUnpriced: number
  readonly refusedUnavailable: number
  /** Calls that a budget which only warns let pass over its limit. */
  readonly warned: number
  /** Calls of models without a price that went past a budget in dollars (`unpriced: allow`). */
  readonly unpricedAllowed: number
  /** Times at which the ledger or the leases could not be asked or written. */
  readonly unavailable: number
  readonly settled: number
  readonly expired: number
  readonly lateSettles: number
  /** Thresholds passed, and of those the ones that were the limit itself. */
  readonly crossings: number
  readonly breaches: number
  readonly leases: number
}

export const defaultLeaseMs = 600_000
export const defaultSettleGraceMs = 30_000
export const statusMax = 1_000

/** Resolves when what was spent of every budget is known. Rejects when the ledger cannot be asked. */
export const createBudgetGuard = async (options: BudgetGuardOptions): Promise<Budgets> => {
  const { book, now, prices } = options
  const leaseMs = options.leaseMs ?? defaultLeaseMs
  const counts = emptyCounts()
  const listeners = new Set<(crossing: Crossing) => void>()
  /** Crossed at the start, before anyone could listen. */
  const untold: Crossing[] = []
  const onFailure = (): void => void (counts.unavailable += 1)
  const onCrossing = (crossing: Crossing): void => {
    counts.crossings += 1
    if (crossing.isLimit) counts.breaches += 1
    if (listeners.size === 0 && untold.length < untoldMax) untold.push(crossing)
    for (const listener of listeners) listener(crossing)
  }
  const onChange = createCrossings({ book, onCrossing, onFailure })
  const allowances = createAllowances({ book, store: options.store, prices, onChange, onFailure })
  const reservations = createReservations(book, options.settleGraceMs ?? defaultSettleGraceMs)
  await allowances.replace(options.budgets, now)
  let made = 0

  const refuse = (refusal: Refusal): Decision => {
    counts.refused += 1
    if (refusal.reason === 'unpriced') counts.refusedUnpriced += 1
    if (refusal.reason === 'unavailable') counts.refusedUnavailable += 1
    return { allowed: false, refusal }
  }

  const unavailable = (bound: readonly Allowance[], error: unknown): Decision => {
    onFailure()
    const blocking = bound.find(isBlocking)
    return options.onUnavailable === 'block' && blocking !== undefined
      ? refuse(unavailableRefusal(blocking, error))
      : { allowed: true, reservation: undefined, because: 'unavailable' }
  }

  const decide = (call: CallAhead, bound: readonly Allowance[], at: number): Decision | Promise<Decision> => {
    const claims = claimsOf(bound, worstCaseOf(call, at, prices()))
    if (!Array.isArray(claims)) return refuse(unpricedRefusal(claims, call, book.read(claims.key, at)))
    if (claims.length < bound.length) counts.unpricedAllowed += 1
    if (claims.length === 0) return { allowed: true, reservation: undefined }
    made += 1
    const id = `${options.holder}-${made.toString(36)}`
    const expiresAt = at + leaseMs
    const verdict = book.reserve({ id, claims, now: at, expiresAt })
    // Begun before the promise is kept: the entry of a call that is let through by another way may come first.
    reservations.begin(id, { event: call.event, expiresAt, units: claims.map(({ unit }) => unit) })
    if (!(verdict instanceof Promise)) return told(id, verdict, bound, at)
    return verdict.then(
      (settled) => told(id, settled, bound, at),
      (error) => {
        reservations.forget(id)
        return unavailable(bound, error)
      },
    )
  }

  const told = (id: string, verdict: Verdict, bound: readonly Allowance[], at: number): Decision => {
    if (verdict.isGranted) {
      counts.reserved += 1
      if (verdict.overdrawn > 0) counts.warned += 1
      return { allowed: true, reservation: id }
    }
    reservations.forget(id)
    return refuse(refusalOf(book, verdict, bound, at))
  }

  const leases = createLeases({ book, prices, now, allowances, unavailable, refuse, onLease: () => void (counts.leases += 1) })

  return {
    reserve(call) {
      const at = now()
      reservations.sweep(at)
      const bound = allowances.of(call, at)
      if (bound === undefined || reservations.isFull()) return unavailable(bound ?? [], tooMany)
      if (bound.length === 0) return { allowed: true, reservation: undefined }
      const opening = openingOf(bound)
      if (opening === undefined) return decide(call, bound, at)
      return opening.then(
        () => decide(call, bound, now()),
        (error) => unavailable(bound, error),
      )
    },
    settle(reservation, used) {
      reservations.settle(reservation, used, now())
    },
    observe(counted, uncounted) {
      const at = now()
      if (uncounted !== undefined) allowances.observe(uncounted, -1, at)
      if (counted === undefined) return
      allowances.observe(counted, 1, at)
      reservations.entered(counted.event.id, at)
    },
    ...leases,
    status(limit = statusMax) {
      const at = now()
      reservations.sweep(at)
      const all = allowances.shelves().flatMap(({ allowances: each }) => [...each.values()])
      return all
        .filter(({ opening }) => opening === undefined)
        .map((allowance) => statusOf(allowance, book, at))
        .sort((left, right) => right.share - left.share)
        .slice(0, limit)
    },
    reload: (budgets) => allowances.replace(budgets, now),
    onCrossing(listener) {
      listeners.add(listener)
      for (const crossing of untold.splice(0)) listener(crossing)
      return () => void listeners.delete(listener)
    },
    counters: () => ({ ...counts, ...reservations.counters }),
    close: () => book.end(now()),
  }
}

const untoldMax = 1_000
const tooMany = new Error('more calls or values are in flight than are kept apart.')

type Counts = { -readonly [Name in Exclude<keyof BudgetCounters, 'settled' | 'expired' | 'lateSettles'>]: number }

const emptyCounts = (): Counts => ({
  reserved: 0,
  refused: 0,
  refusedUnpriced: 0,
  refusedUnavailable: 0,
  warned: 0,
  unpricedAllowed: 0,
  unavailable: 0,
  crossings: 0,
  breaches: 0,
  leases: 0,
})
