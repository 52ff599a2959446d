import { createHash } from 'node:crypto'
import { amountOf, type Charge } from '../core/charge.ts'
import type { CallEntry, ModelCall } from '../core/event.ts'
import type { PriceBook } from '../core/price-book.ts'
import type { Filter } from '../core/question.ts'
import { settleCharge } from '../core/settle.ts'
import type { Store } from '../ledger/store.ts'
import type { CountedListener } from './intake.ts'

export interface RepriceOptions {
  readonly store: Pick<Store, 'entries' | 'append'>
  readonly book: PriceBook
  readonly where: readonly Filter[]
  /** UTC ms; `to` is not inside. */
  readonly from: number
  readonly to: number
  /** Absent: nothing is written, the difference is shown. */
  readonly correction?: { readonly who: string; readonly why: string }
  readonly onProgress?: (entries: number) => void
  readonly onCounted?: CountedListener
}

/** What repricing changes for one model on one UTC day. Amounts in pico-dollars; calls that were or are unpriced count as nothing in them. */
export interface RepriceRow {
  readonly provider: string
  readonly model: string
  readonly day: string
  readonly calls: number
  readonly before: bigint
  readonly after: bigint
}

export interface RepriceResult {
  readonly rows: readonly RepriceRow[]
  readonly before: bigint
  readonly after: bigint
  /** Model calls that were looked at, and those whose charge is another under the book. */
  readonly looked: number
  readonly changed: number
}

const pageEntries = 1_000

/**
 * Prices past model calls by the book as it is now. Nothing is rewritten: a call whose charge changes gets a further entry that
 * names it, with the new charge, who asked for it and why; the old one stays readable. The entry's id follows from the call and
 * the new charge, so that running it again, or after being killed half way, changes nothing twice. What a provider reported
 * stays its word.
 */
export const reprice = async (options: RepriceOptions): Promise<RepriceResult> => {
  const rows = new Map<string, { provider: string; model: string; day: string; calls: number; before: bigint; after: bigint }>()
  const total = { before: 0n, after: 0n, looked: 0, changed: 0 }
  let after: string | undefined
  do {
    const page = await options.store.entries(
      { where: options.where, from: options.from, to: options.to },
      { limit: pageEntries, ...(after !== undefined && { after }) },
    )
    const corrections: CallEntry[] = []
    for (const entry of page.entries) {
      if (entry.event.kind !== 'llm') continue
      total.looked += 1
      const charge = settleCharge(entry.event, options.book)
      if (isSameCharge(entry.charge, charge)) continue
      corrections.push(correctionOf(entry, entry.event, charge, options.correction))
      addTo(rows, entry.event, entry.charge, charge)
      total.changed += 1
      total.before += amountOf(entry.charge)
      total.after += amountOf(charge)
    }
    if (options.correction !== undefined && corrections.length > 0) {
      for (const { counted, uncounted } of await options.store.append(corrections)) options.onCounted?.(counted, uncounted)
    }
    options.onProgress?.(total.looked)
    after = page.next
  } while (after !== undefined)
  return { ...total, rows: [...rows.values()].sort((left, right) => (left.day + left.model < right.day + right.model ? -1 : 1)) }
}

/** The same money on the same lines, whichever version of the book says it: another version alone is no reason for a correction. */
const isSameCharge = (left: Charge, right: Charge): boolean => {
  if (left.basis === 'unpriced' || right.basis === 'unpriced') return left.basis === right.basis
  return left.basis === right.basis && left.total === right.total && left.computed === right.computed && linesKey(left) === linesKey(right)
}

const linesKey = (charge: Exclude<Charge, { basis: 'unpriced' }>): string =>
  charge.lines.map((line) => `${line.unit}:${line.count}:${line.rate}:${line.total}`).join('|')

const correctionOf = (entry: CallEntry, event: ModelCall, charge: Charge, by: RepriceOptions['correction']): CallEntry => {
  const version = charge.basis === 'unpriced' ? 'none' : (charge.book ?? 'none')
  const old = entry.charge.basis === 'unpriced' ? 'none' : (entry.charge.book ?? 'none')
  return {
    event: { ...event, id: correctionId(`${event.id} ${version} ${amountOf(charge)} ${charge.basis}`) },
    charge,
    corrects: event.id,
    reason: `book ${old} → ${version}, by ${by?.who ?? ''}: ${by?.why ?? ''}`.slice(0, 500),
  }
}

/** A UUID of version 8 (RFC 9562, 5.8) made from a hash: the same correction has the same id. */
const correctionId = (text: string): string => {
  const hex = createHash('sha256').update(text).digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const addTo = (
  rows: Map<string, { provider: string; model: string; day: string; calls: number; before: bigint; after: bigint }>,
  event: ModelCall,
  before: Charge,
  after: Charge,
): void => {
  const day = new Date(event.at).toISOString().slice(0, 10)
  const key = `${day} ${event.provider} ${event.model}`
  const row = rows.get(key) ?? { provider: event.provider, model: event.model, day, calls: 0, before: 0n, after: 0n }
  row.calls += 1
  row.before += amountOf(before)
  row.after += amountOf(after)
  rows.set(key, row)
}
