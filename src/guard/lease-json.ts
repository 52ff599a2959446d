import type { BudgetScope, Refusal } from '../core/budget.ts'
import { parseEventId } from '../core/event-id.ts'
import { type PicoUsd, parseUsd } from '../core/money.ts'
import type { CallAhead } from './guard.ts'

/**
 * `lease` of `POST /v1/budgets/reserve`: an allowance for several calls like the one that is described beside it, so that the
 * client decides about them without a round trip. Asking again with the same id replaces what the lease holds, and renews it.
 */
export interface LeaseJson {
  /** A UUID that the client makes; one for each set of values that budgets tell apart, and one per model. */
  readonly id: string
  /** How many calls it is to be enough for, beyond what is in flight. 0: for none, only keep what is in flight. */
  readonly calls?: number
  /** What calls in flight have taken of the lease, decimal dollars and tokens. What is in the ledger already does not belong here. */
  readonly heldUsd?: string
  readonly heldTokens?: number
  /** How long it lasts without being renewed. */
  readonly ttlMs?: number
}

/** The answer to it, status 200 or 402. */
export type LeaseAnswer =
  | {
      readonly allowed: true
      /** Absent when no budget binds such calls, or when nobody can say (`because`): all of them may go, until `expiresAt`. */
      readonly lease?: LeaseGrant
      readonly expiresAt: string
      /** The attributes by which budgets tell calls apart: a lease holds for calls that have the same values of these. */
      readonly scopes: readonly BudgetScope[]
      readonly because?: 'unavailable'
    }
  | { readonly allowed: false; readonly refusal: Refusal; readonly scopes: readonly BudgetScope[] }

export interface LeaseGrant {
  readonly id: string
  /** All that the lease holds, what is in flight included; absent where no budget in that unit binds. */
  readonly usd?: string
  readonly tokens?: number
  /** What a call takes of it at the most: decimal dollars per token and per request. */
  readonly promptUsd: string
  readonly outputUsd: string
  readonly requestUsd: string
  /** Output tokens of a call that names no limit. */
  readonly outputMax: number
}

/** `lease` of `POST /v1/budgets/settle`: gives all of it back. */
export interface LeaseSettleJson {
  readonly id: string
}

/** A lease that is asked for, with the call that stands for its kind. */
export interface LeaseRequest {
  readonly id: string
  readonly call: CallAhead
  readonly calls: number
  readonly heldUsd: PicoUsd
  readonly heldTokens: number
  readonly ttlMs: number
}

export const leaseCallsMax = 1_000
export const leaseCallsDefault = 8
export const leaseTtlMsMin = 5_000
export const leaseTtlMsMax = 600_000
export const leaseTtlMsDefault = 60_000

/** The outside form → request; a sentence when it is not one. */
export const leaseRequestOf = (json: LeaseJson, call: CallAhead): LeaseRequest | string => {
  const id = parseEventId(json.id)
  if (id === undefined) return '"lease.id" should be a UUID'
  const { calls = leaseCallsDefault, heldTokens = 0, ttlMs = leaseTtlMsDefault } = json
  if (!isWhole(calls, 0, leaseCallsMax)) return `"lease.calls" should be a whole number from 0 to ${leaseCallsMax}`
  if (!isWhole(heldTokens, 0, 1e12)) return '"lease.heldTokens" should be a whole number of tokens'
  if (!isWhole(ttlMs, leaseTtlMsMin, leaseTtlMsMax))
    return `"lease.ttlMs" should be a whole number of milliseconds from ${leaseTtlMsMin} to ${leaseTtlMsMax}`
  const heldUsd = parseUsd(json.heldUsd ?? '0')
  if (heldUsd === undefined || heldUsd < 0n) return '"lease.heldUsd" should be dollars as a decimal string such as "0.25"'
  return { id, call, calls, heldUsd, heldTokens, ttlMs }
}

const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most
