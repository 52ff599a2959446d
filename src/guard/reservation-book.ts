import type { BudgetWindow } from '../core/budget.ts'

/**
 * What is spent and set aside of every allowance: the one place where a call is let through or not.
 *
 * A reservation is atomic over all its claims: every one of them has room and all are held, or nothing is. Amounts are
 * pico-dollars or tokens; the book does not know which. `reserve` and `mark` may have to wait for what makes them durable; the
 * other methods take effect at once in this process, and a driver shared by several tells the others in its own time.
 * reservation-book.contract.ts is what every driver must do.
 */
export interface ReservationBook {
  /** Begins an allowance with what was spent before. One that is there already is left as it is: seeding twice adds nothing. */
  open(account: Account, spent: readonly Amount[], now: number): void
  isOpen(key: string): boolean
  /** Forgets what was spent of an allowance. What is held stays held. */
  close(key: string): void
  /**
   * Sets all claims aside until `expiresAt`, or none. An id that is held already is replaced in the same step, its own amounts
   * counting as free; a claim of no more than it holds is never refused. Granted means: a crash of this process at any later moment leaves the amounts held until they expire.
   */
  reserve(request: ReserveRequest): Verdict | Promise<Verdict>
  /** Lowers what a reservation holds, claim by claim; an amount above the present one changes nothing. */
  narrow(id: string, amounts: readonly bigint[]): void
  /** Gives everything back. False when the id is unknown or has expired. */
  release(id: string, now: number): boolean
  /** Adds what a call that began at `at` has cost; negative takes it back. Unknown allowances are ignored. */
  spend(key: string, at: number, amount: bigint, now: number): void
  read(key: string, now: number): Reading
  /** The first instant at which at most `most` of what is spent remains; undefined when that never comes. */
  instantBelow(key: string, most: bigint, now: number): number | undefined
  /**
   * Claims a mark (a threshold that fires): true for exactly one caller until it is unmarked, across restarts and processes. With
   * `until` (UTC ms) the mark goes by itself at that time.
   */
  mark(name: string, now: number, until?: number): boolean | Promise<boolean>
  /** A mark that has no end can be claimed again from `from` (UTC ms, now or later) on; any other is left as it is. */
  unmark(name: string, from: number, now: number): void
  /** Reservations that expired before they were released. */
  expired(): number
  /** Makes durable what is held, and ends. Reservations that are not released stay held for whoever opens the book next. */
  end(now: number): Promise<void>
}

/** One allowance: a budget's, for one value of its scope. The key is the same at every start. */
export interface Account {
  readonly key: string
  readonly window: BudgetWindow
}

export interface Amount {
  readonly at: number
  readonly amount: bigint
}

export interface Claim {
  readonly key: string
  readonly limit: bigint
  readonly amount: bigint
  /** Held and counted, but never a reason to refuse: a budget that only warns. */
  readonly isSoft: boolean
  /** Of a reservation that is replaced: how much of it is still held. What is kept needs no room. Absent: all of it. */
  readonly kept?: bigint
}

export interface ReserveRequest {
  readonly id: string
  /** Of different allowances, each at most once. */
  readonly claims: readonly Claim[]
  readonly now: number
  readonly expiresAt: number
  /** Kept under its own id, so that it can be replaced and released after a restart (a lease that a client holds). */
  readonly isLasting?: boolean
}

export type Verdict =
  | {
      readonly isGranted: true
      /** Soft claims that went over their limit. */
      readonly overdrawn: number
    }
  | { readonly isGranted: false; readonly claim: Claim; readonly reading: Reading }

export interface Reading {
  readonly spent: bigint
  readonly held: bigint
}
