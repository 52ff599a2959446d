import type { Budget } from '../core/budget.ts'
import type { CallEntry } from '../core/event.ts'
import type { Spending } from './spending.ts'

/** A budget in force, with one allowance for each value that its scope has had. */
export interface Shelf {
  budget: Budget
  limit: bigint
  /** All that decides what is spent of it. A budget with the same identity and another limit is the same shelf. */
  readonly identity: string
  readonly allowances: Map<string, Allowance>
  /** Every value that it has not named has spent nothing. */
  readonly isKnown: boolean
  /** What was observed while the ledger was being asked about the whole shelf. */
  backlog: Observed[] | undefined
}

/** What is left of one budget for one value. The amounts lie in the reservation book, under `key`. */
export interface Allowance {
  readonly shelf: Shelf
  readonly value: string
  readonly key: string
  limit: bigint
  levels: readonly Level[]
  /** Of the calendar window that the levels were last compared in. */
  windowEnd: number
  readonly lastHour: Spending
  /** Pending while the ledger is asked what this value has spent. */
  opening: Promise<void> | undefined
  backlog: Observed[] | undefined
  /** Entries that are in the seed, or came soon after: one that is observed again is not added twice. */
  ids: Set<string> | undefined
  idsUntil: number
  usedAt: number
}

export interface Observed {
  readonly entry: CallEntry
  /** 1: came into the totals; -1: left them. */
  readonly sign: 1 | -1
}

/** A threshold of a budget, or its limit. */
export interface Level {
  readonly share: number
  readonly amount: bigint
  /** Undefined until it is compared for the first time. */
  isAbove: boolean | undefined
  /** When this process fired it. */
  firedAt: number | undefined
}
