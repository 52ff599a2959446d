import type { BudgetWindow } from '../core/budget.ts'
import { nextStart, startOf } from '../core/window.ts'

/**
 * What was spent in one allowance's present window.
 *
 * A calendar window and a total are exact. A rolling window forgets by buckets of one minute: an amount leaves up to one minute
 * late and never early, so that the sum is never below the true one. Amounts belong to the window in which their call began.
 */
export interface Spending {
  readonly window: BudgetWindow
  /** In the window as it was last looked at; `spentAt` brings it up to date. */
  spent: bigint
  /** The window's bounds, UTC ms; of a calendar window only. */
  start: number
  end: number
  /** Calendar: amounts of calls that begin after the window's end (a client's clock is ahead). Rolling: all amounts, by rising end. */
  readonly buckets: Bucket[]
}

interface Bucket {
  /** Rolling: the end of the minute. Calendar: the instant itself. */
  readonly at: number
  amount: bigint
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

export const spanMs: Readonly<Record<'1h' | '24h' | '7d' | '30d', number>> = {
  '1h': hourMs,
  '24h': 24 * hourMs,
  '7d': 7 * 24 * hourMs,
  '30d': 30 * 24 * hourMs,
}

/** A clock that is ahead by more than this is wrong, and a calendar window keeps no more than this many amounts for later. */
const laterMax = 1_000

export const emptySpending = (window: BudgetWindow, now: number): Spending => {
  const spending: Spending = { window, spent: 0n, start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, buckets: [] }
  if (window.kind === 'calendar') {
    spending.start = startOf(window.interval, now, window.zone)
    spending.end = nextStart(window.interval, now, window.zone)
  }
  return spending
}

/** Adds what a call that began at `at` has spent; a negative amount takes it back. */
export const spend = (spending: Spending, at: number, amount: bigint, now: number): void => {
  advance(spending, now)
  switch (spending.window.kind) {
    case 'total':
      spending.spent += amount
      return
    case 'calendar':
      if (at < spending.start) return
      if (at < spending.end) spending.spent += amount
      else if (spending.buckets.length < laterMax) spending.buckets.push({ at, amount })
      return
    case 'rolling': {
      const end = Math.floor(at / minuteMs) * minuteMs + minuteMs
      if (end + spanMs[spending.window.span] <= now) return
      spending.spent += amount
      addToBucket(spending.buckets, end, amount)
      return
    }
    default:
      spending.window satisfies never
  }
}

/** What is spent in the window that `now` lies in. Below zero never: an amount can be taken back after its window has gone. */
export const spentAt = (spending: Spending, now: number): bigint => {
  if (spending.window.kind !== 'total') advance(spending, now)
  return spending.spent < 0n ? 0n : spending.spent
}

/**
 * The first instant at which no more than `most` of the present spending is left in the window; undefined when that never comes.
 * For a rolling window that is when enough minutes have left, for a calendar window its end.
 */
export const instantBelow = (spending: Spending, most: bigint, now: number): number | undefined => {
  const { window } = spending
  if (most < 0n || window.kind === 'total') return undefined
  if (window.kind === 'calendar') {
    advance(spending, now)
    return spending.end
  }
  let left = spentAt(spending, now)
  for (const bucket of spending.buckets) {
    left -= bucket.amount
    if (left <= most) return bucket.at + spanMs[window.span]
  }
  return undefined
}

const advance = (spending: Spending, now: number): void => {
  if (spending.window.kind === 'calendar') {
    if (now >= spending.end) beginWindow(spending, spending.window, now)
  } else if (spending.window.kind === 'rolling') {
    const span = spanMs[spending.window.span]
    let gone = 0
    for (const bucket of spending.buckets) {
      if (bucket.at + span > now) break
      spending.spent -= bucket.amount
      gone += 1
    }
    if (gone > 0) spending.buckets.splice(0, gone)
  }
}

/** A clock that is set back does not bring the old window back: what was forgotten is forgotten. */
const beginWindow = (spending: Spending, window: BudgetWindow & { kind: 'calendar' }, now: number): void => {
  spending.start = startOf(window.interval, now, window.zone)
  spending.end = nextStart(window.interval, now, window.zone)
  spending.spent = 0n
  const later = spending.buckets.splice(0)
  for (const { at, amount } of later) spend(spending, at, amount, now)
}

/** Nearly every amount belongs to the newest minute; a late one walks back from there. */
const addToBucket = (buckets: Bucket[], at: number, amount: bigint): void => {
  let index = buckets.length - 1
  while (index >= 0 && (buckets[index] as Bucket).at > at) index -= 1
  const bucket = buckets[index]
  if (bucket?.at === at) bucket.amount += amount
  else buckets.splice(index + 1, 0, { at, amount })
}
