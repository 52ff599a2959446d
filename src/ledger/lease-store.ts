/**
 * What must outlive a crash of a process that lets calls through: how much it may have promised, and which warnings it has given.
 * Kept in the ledger's file, so that one backup, one disk and one lock hold for both. Small and rarely written: a row says how
 * much a process *may* hold of an allowance, not each call.
 */
export interface LeaseStore {
  /** Everything that is still in force at `now` (UTC ms). */
  load(now: number): Promise<LeaseState>
  /** All of it or nothing; outlives the process from the moment it resolves. Rejects with LEDGER_BUSY or LEDGER_FAILED. */
  write(changes: LeaseChanges): Promise<void>
  close(): Promise<void>
}

export interface LeaseState {
  readonly leases: readonly Lease[]
  readonly marks: readonly Mark[]
}

/** `holder` has up to `amount` of an allowance until `expiresAt`. One row per holder and allowance. */
export interface Lease {
  readonly holder: string
  readonly allowance: string
  readonly amount: bigint
  readonly expiresAt: number
}

/** Something that was done once and is not to be done again before `until`; undefined: ever. */
export interface Mark {
  readonly name: string
  readonly until: number | undefined
}

export interface LeaseChanges {
  /** Written over the row of the same holder and allowance. */
  readonly leases: readonly Lease[]
  /** Holders all of whose rows go, before `leases` are written. */
  readonly ended: readonly string[]
  readonly marks: readonly Mark[]
  /** Rows whose time is over at this instant may be deleted on the way. */
  readonly now: number
}
