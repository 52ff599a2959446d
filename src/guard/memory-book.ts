import type { BudgetWindow } from '../core/budget.ts'
import type { Amount, Reading, ReservationBook, ReserveRequest, Verdict } from './reservation-book.ts'
import { emptySpending, instantBelow, type Spending, spend, spentAt } from './spending.ts'

/** The book in memory, for one process: exact, and gone with it. The durable driver keeps one inside and writes ahead of it. */
export interface MemoryBook extends ReservationBook {
  reserve(request: ReserveRequest): Verdict
  mark(name: string, now: number, until?: number): boolean
  /** Holds what a process that is no more had set aside. */
  restore(id: string, held: readonly { readonly key: string; readonly amount: bigint }[], expiresAt: number): void
  restoreMark(name: string, until: number): void
  /** True for a mark without an end. */
  isMarked(name: string): boolean
  /** What is held of an allowance by reservations that are not lasting. */
  briefHeld(key: string): bigint
  isLasting(id: string): boolean
  /** What reservations that are not lasting hold, by allowance, and until when at the latest. */
  briefHolds(now: number): readonly { readonly key: string; readonly amount: bigint; readonly expiresAt: number }[]
}

interface State {
  readonly key: string
  spending: Spending | undefined
  held: bigint
  /** The part of `held` that lasting reservations hold. */
  lasting: bigint
}

interface Reservation {
  readonly states: readonly State[]
  readonly amounts: bigint[]
  readonly expiresAt: number
  readonly isLasting: boolean
}

/** Holds that nobody gave back are looked for at most this often; before any refusal they are looked for at once. */
const sweepMs = 1_000

export const memoryBook = (): MemoryBook => {
  const states = new Map<string, State>()
  const reservations = new Map<string, Reservation>()
  const marks = new Map<string, number>()
  let expired = 0
  let nextExpiry = Number.POSITIVE_INFINITY
  let lastSweep = Number.NEGATIVE_INFINITY

  const stateOf = (key: string): State => {
    let state = states.get(key)
    if (state === undefined) states.set(key, (state = { key, spending: undefined, held: 0n, lasting: 0n }))
    return state
  }

  const drop = (id: string, reservation: Reservation): void => {
    reservations.delete(id)
    for (let index = 0; index < reservation.states.length; index++) {
      const state = reservation.states[index] as State
      state.held -= reservation.amounts[index] as bigint
      if (reservation.isLasting) state.lasting -= reservation.amounts[index] as bigint
      if (state.held === 0n && state.spending === undefined) states.delete(state.key)
    }
  }

  const sweep = (now: number): void => {
    nextExpiry = Number.POSITIVE_INFINITY
    lastSweep = now
    for (const [id, reservation] of reservations) {
      if (reservation.expiresAt <= now) {
        drop(id, reservation)
        expired += 1
      } else if (reservation.expiresAt < nextExpiry) nextExpiry = reservation.expiresAt
    }
  }

  const keep = (id: string, reservation: Reservation): void => {
    for (let index = 0; index < reservation.states.length; index++) {
      const state = reservation.states[index] as State
      if (state.held === 0n) states.set(state.key, state)
      state.held += reservation.amounts[index] as bigint
      if (reservation.isLasting) state.lasting += reservation.amounts[index] as bigint
    }
    reservations.set(id, reservation)
    if (reservation.expiresAt < nextExpiry) nextExpiry = reservation.expiresAt
  }

  const reserve = (request: ReserveRequest): Verdict => {
    const { id, claims, now, expiresAt } = request
    if (nextExpiry <= now && now - lastSweep >= sweepMs) sweep(now)
    const old = reservations.get(id)
    const touched: State[] = []
    const amounts: bigint[] = []
    let overdrawn = 0
    for (const claim of claims) {
      const state = states.get(claim.key) ?? { key: claim.key, spending: undefined, held: 0n, lasting: 0n }
      touched.push(state)
      amounts.push(claim.amount)
      const spent = state.spending === undefined ? 0n : spentAt(state.spending, now)
      const own = old === undefined ? 0n : amountIn(old, state)
      const held = state.held - own
      // A call that cannot cost anything cannot overspend, however little is left; and what is kept of what was held is no taking.
      const kept = claim.kept === undefined || claim.kept > own ? own : claim.kept
      if (claim.amount <= kept || spent + held + claim.amount <= claim.limit) continue
      if (claim.isSoft) overdrawn += 1
      else if (nextExpiry <= now) {
        sweep(now)
        return reserve(request)
      } else return { isGranted: false, claim, reading: { spent, held } }
    }
    if (old !== undefined) drop(id, old)
    keep(id, { states: touched, amounts, expiresAt, isLasting: request.isLasting === true })
    return { isGranted: true, overdrawn }
  }

  const read = (key: string, now: number): Reading => {
    if (nextExpiry <= now) sweep(now)
    const state = states.get(key)
    if (state === undefined) return { spent: 0n, held: 0n }
    return { spent: state.spending === undefined ? 0n : spentAt(state.spending, now), held: state.held }
  }

  return {
    reserve,
    read,
    open(account, spent, now) {
      const state = stateOf(account.key)
      state.spending ??= spendingOf(account.window, spent, now)
    },
    isOpen: (key) => states.get(key)?.spending !== undefined,
    close(key) {
      const state = states.get(key)
      if (state === undefined) return
      state.spending = undefined
      if (state.held === 0n) states.delete(key)
    },
    narrow(id, amounts) {
      const reservation = reservations.get(id)
      reservation?.states.forEach((state, index) => {
        const present = reservation.amounts[index] ?? 0n
        const wanted = amounts[index] ?? present
        if (wanted >= present || wanted < 0n) return
        state.held -= present - wanted
        if (reservation.isLasting) state.lasting -= present - wanted
        reservation.amounts[index] = wanted
      })
    },
    release(id, now) {
      const reservation = reservations.get(id)
      if (reservation === undefined) return false
      drop(id, reservation)
      if (reservation.expiresAt > now) return true
      expired += 1
      return false
    },
    spend(key, at, amount, now) {
      const spending = states.get(key)?.spending
      if (spending !== undefined) spend(spending, at, amount, now)
    },
    instantBelow(key, most, now) {
      const spending = states.get(key)?.spending
      return spending && instantBelow(spending, most, now)
    },
    mark(name, now, until = Number.POSITIVE_INFINITY) {
      if ((marks.get(name) ?? Number.NEGATIVE_INFINITY) > now) return false
      marks.delete(name)
      marks.set(name, until)
      if (marks.size > marksMax) forgetMarks(marks, now)
      return true
    },
    unmark(name, from) {
      if (marks.get(name) === Number.POSITIVE_INFINITY) marks.set(name, from)
    },
    expired: () => expired,
    end: () => Promise.resolve(),
    restore(id, held, expiresAt) {
      keep(id, { states: held.map(({ key }) => stateOf(key)), amounts: held.map(({ amount }) => amount), expiresAt, isLasting: true })
    },
    isMarked: (name) => marks.get(name) === Number.POSITIVE_INFINITY,
    restoreMark(name, until) {
      marks.set(name, until)
    },
    briefHeld(key) {
      const state = states.get(key)
      return state === undefined ? 0n : state.held - state.lasting
    },
    isLasting: (id) => reservations.get(id)?.isLasting === true,
    briefHolds: (now) => briefHoldsOf(reservations.values(), now),
  }
}

const briefHoldsOf = (reservations: Iterable<Reservation>, now: number): ReturnType<MemoryBook['briefHolds']> => {
  const holds = new Map<string, { key: string; amount: bigint; expiresAt: number }>()
  for (const { states, amounts, expiresAt, isLasting } of reservations) {
    if (isLasting || expiresAt <= now) continue
    states.forEach(({ key }, index) => {
      const hold = holds.get(key) ?? { key, amount: 0n, expiresAt }
      hold.amount += amounts[index] ?? 0n
      hold.expiresAt = Math.max(hold.expiresAt, expiresAt)
      holds.set(key, hold)
    })
  }
  return [...holds.values()]
}

/** Past this many, marks whose time is over are forgotten, and then the oldest. */
const marksMax = 100_000

const forgetMarks = (marks: Map<string, number>, now: number): void => {
  for (const [name, until] of marks) if (until <= now) marks.delete(name)
  for (const name of marks.keys()) {
    if (marks.size <= marksMax) return
    marks.delete(name)
  }
}

const spendingOf = (window: BudgetWindow, spent: readonly Amount[], now: number): Spending => {
  const spending = emptySpending(window, now)
  for (const { at, amount } of spent) spend(spending, at, amount, now)
  return spending
}

const amountIn = (reservation: Reservation, state: State): bigint => {
  let sum = 0n
  for (let index = 0; index < reservation.states.length; index++)
    if (reservation.states[index] === state) sum += reservation.amounts[index] as bigint
  return sum
}
