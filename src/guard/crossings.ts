import { type Budget, formatAmount, windowName } from '../core/budget.ts'
import { nextStart, startOf } from '../core/window.ts'
import type { Allowance, Level } from './allowance.ts'
import type { ReservationBook } from './reservation-book.ts'
import { spanMs } from './spending.ts'

/** A share of a limit that spending has passed: told once per window, whatever happens to the process. */
export interface Crossing {
  readonly budget: string
  readonly scope: Budget['scope']
  readonly value?: string
  readonly unit: 'usd' | 'tokens'
  readonly limit: string
  readonly spent: string
  /** The share that was passed: 0.8. */
  readonly share: number
  /** The share is 1: the limit itself. */
  readonly isLimit: boolean
  readonly window: Budget['window']
  readonly onExceed: Budget['onExceed']
  readonly at: number
}

/** The thresholds of a budget and its limit, as amounts. Those that `before` has with the same amount keep what they know. */
export const levelsOf = ({ thresholds }: Budget, limit: bigint, before: readonly Level[] = []): readonly Level[] =>
  [...new Set([...thresholds, 1])]
    .sort((left, right) => left - right)
    .map((share) => {
      const amount = (limit * BigInt(Math.round(share * 1e6)) + 999_999n) / 1_000_000n
      const known = before.find((level) => level.share === share && level.amount === amount)
      return known ?? { share, amount, isAbove: undefined, firedAt: undefined }
    })

export interface CrossingsOptions {
  readonly book: ReservationBook
  readonly onCrossing: (crossing: Crossing) => void
  readonly onFailure: (error: unknown) => void
}

const dayMs = 86_400_000
/** A run does not last longer; its marks are forgotten then. */
const runMs = 30 * dayMs

/**
 * Compares what is spent with the levels. A level fires when spending reaches it from below, once per window: the claim of its
 * mark is durable before anyone is told, so that a crash in between costs the warning and never repeats it.
 *
 * A rolling window has no beginning. There a level fires again when spending has been below it since and a whole span has passed.
 */
export const createCrossings = ({ book, onCrossing, onFailure }: CrossingsOptions) => {
  const fire = async (allowance: Allowance, level: Level, name: string, until: number | undefined, now: number): Promise<void> => {
    try {
      const spent = book.read(allowance.key, now).spent
      const claimed = book.mark(name, now, until)
      if (!(typeof claimed === 'boolean' ? claimed : await claimed)) return
      level.firedAt = now
      onCrossing(crossingOf(allowance, level.share, spent, now))
    } catch (error) {
      // Nobody was told; the next entry tries again.
      level.isAbove = undefined
      onFailure(error)
    }
  }

  return (allowance: Allowance, now: number): void => {
    const { budget } = allowance.shelf
    if (now >= allowance.windowEnd) beginWindow(allowance, now)
    const { spent } = book.read(allowance.key, now)
    for (const level of allowance.levels) {
      const isAbove = spent >= level.amount && level.amount > 0n
      if (isAbove === level.isAbove) continue
      level.isAbove = isAbove
      const name = markName(allowance, level, now)
      if (isAbove) void fire(allowance, level, name, markEnd(allowance, now), now)
      else if (budget.window.kind === 'rolling') book.unmark(name, Math.max(now, (level.firedAt ?? now) + spanMs[budget.window.span]), now)
    }
  }
}

/** A new window: what was passed in the old one can be passed again. */
const beginWindow = (allowance: Allowance, now: number): void => {
  const { window } = allowance.shelf.budget
  allowance.windowEnd = window.kind === 'calendar' ? nextStart(window.interval, now, window.zone) : Number.POSITIVE_INFINITY
  for (const level of allowance.levels) level.isAbove = undefined
}

/** The amount is part of the name: a raised or lowered limit is another threshold, which has not fired yet. */
const markName = ({ key, shelf: { budget } }: Allowance, { share, amount }: Level, now: number): string => {
  const { window } = budget
  const start = window.kind === 'calendar' ? startOf(window.interval, now, window.zone) : windowName(window)
  return JSON.stringify([key, start, share, String(amount)])
}

const markEnd = ({ windowEnd, shelf: { budget } }: Allowance, now: number): number | undefined => {
  if (budget.window.kind === 'calendar') return windowEnd + dayMs
  return budget.scope === 'run' ? now + runMs : undefined
}

const crossingOf = ({ shelf: { budget }, value, limit }: Allowance, share: number, spent: bigint, at: number): Crossing => {
  const { unit } = budget.limit
  return {
    budget: budget.name,
    scope: budget.scope,
    ...(budget.scope !== 'all' && { value }),
    unit,
    limit: formatAmount(unit, limit),
    spent: formatAmount(unit, spent),
    share,
    isLimit: share === 1,
    window: budget.window,
    onExceed: budget.onExceed,
    at,
  }
}
