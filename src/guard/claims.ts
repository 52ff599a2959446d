import type { Refusal } from '../core/budget.ts'
import type { Allowance } from './allowance.ts'
import { amountAhead } from './amounts.ts'
import { exceededRefusal } from './refusal.ts'
import type { Claim, ReservationBook, Verdict } from './reservation-book.ts'
import type { WorstCase } from './worst-case.ts'

export const isBlocking = ({ shelf }: Allowance): boolean => shelf.budget.onExceed === 'block'

/** Undefined unless a budget that can block must first learn what its value has spent. */
export const openingOf = (bound: readonly Allowance[]): Promise<unknown> | undefined => {
  let waiting: Promise<void>[] | undefined
  for (const allowance of bound) {
    if (allowance.opening === undefined || !isBlocking(allowance)) continue
    waiting ??= []
    waiting.push(allowance.opening)
  }
  return waiting && Promise.all(waiting)
}

export interface BoundClaim extends Claim {
  readonly unit: 'usd' | 'tokens'
}

/** What the call takes of each allowance at the most; or the allowance that lets no model pass whose price is unknown. */
export const claimsOf = (bound: readonly Allowance[], worst: WorstCase): BoundClaim[] | Allowance => {
  const claims: BoundClaim[] = []
  for (const allowance of bound) {
    const { budget } = allowance.shelf
    const amount = amountAhead(budget, worst)
    if (amount !== undefined) {
      claims.push({ key: allowance.key, limit: allowance.limit, amount, isSoft: budget.onExceed === 'warn', unit: budget.limit.unit })
    } else if (budget.unpriced.policy === 'block' && budget.onExceed === 'block') return allowance
  }
  return claims
}

export const refusalOf = (
  book: ReservationBook,
  { claim, reading }: Extract<Verdict, { isGranted: false }>,
  bound: readonly Allowance[],
  now: number,
): Refusal => {
  const allowance = bound.find(({ key }) => key === claim.key) ?? (bound[0] as Allowance)
  const most = claim.limit - claim.amount - reading.held
  return exceededRefusal(allowance, claim.amount, reading, book.instantBelow(claim.key, most > 0n ? most : 0n, now))
}
