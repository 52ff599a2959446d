import { type BudgetStatus, formatAmount } from '../core/budget.ts'
import type { Allowance } from './allowance.ts'
import type { ReservationBook } from './reservation-book.ts'
import { spentAt } from './spending.ts'

const hourMs = 3_600_000

/** One allowance as it stands at `now` (UTC ms). */
export const statusOf = (allowance: Allowance, book: ReservationBook, now: number): BudgetStatus => {
  const { shelf, value, key, limit, levels, lastHour } = allowance
  const { budget } = shelf
  const { unit } = budget.limit
  const { spent, held } = book.read(key, now)
  const left = limit - spent - held
  const perHour = spentAt(lastHour, now)
  const resetsAt = budget.window.kind === 'total' ? undefined : resetOf(book, key, spent, now)
  const exhaustsAt = exhaustionOf(limit - spent, perHour, now, budget.window.kind === 'calendar' ? resetsAt : undefined)
  const thresholds = levels.map(({ share, amount }) => ({ share, isCrossed: amount > 0n && spent >= amount }))
  return {
    name: budget.name,
    scope: budget.scope,
    ...(budget.scope !== 'all' && { value }),
    unit,
    window: budget.window,
    onExceed: budget.onExceed,
    limit: formatAmount(unit, limit),
    spent: formatAmount(unit, spent),
    reserved: formatAmount(unit, held),
    remaining: formatAmount(unit, left > 0n ? left : 0n),
    share: shareOf(spent, limit),
    burnRatePerHour: formatAmount(unit, perHour),
    ...(exhaustsAt !== undefined && { exhaustsAt: new Date(exhaustsAt).toISOString() }),
    ...(resetsAt !== undefined && { resetsAt: new Date(resetsAt).toISOString() }),
    thresholds,
    status: spent >= limit ? 'exceeded' : thresholds.some(({ isCrossed }) => isCrossed) ? 'warning' : 'ok',
  }
}

/** A rolling window begins anew bit by bit: the next bit leaves when the oldest minute does. */
const resetOf = (book: ReservationBook, key: string, spent: bigint, now: number): number | undefined =>
  book.instantBelow(key, spent > 0n ? spent - 1n : 0n, now)

const exhaustionOf = (left: bigint, perHour: bigint, now: number, resetsAt: number | undefined): number | undefined => {
  if (left <= 0n) return now
  if (perHour <= 0n) return undefined
  const ms = Number((left * BigInt(hourMs)) / perHour)
  const at = now + ms
  // Past the year 9999, or past the reset, is the same as never.
  return at > 253_402_300_000_000 || (resetsAt !== undefined && at >= resetsAt) ? undefined : at
}

const shareOf = (spent: bigint, limit: bigint): number => (limit <= 0n ? (spent > 0n ? 1 : 0) : Number((spent * 1_000_000n) / limit) / 1e6)
