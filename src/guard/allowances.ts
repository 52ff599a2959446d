import { type Budget, type BudgetScope, windowName } from '../core/budget.ts'
import type { CallEntry } from '../core/event.ts'
import { parseUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price-book.ts'
import type { Allowance, Shelf } from './allowance.ts'
import { amountOfEntry, limitOf } from './amounts.ts'
import { type Bindable, type Bindings, type Bound, createBindings, modelName } from './bindings.ts'
import { levelsOf } from './crossings.ts'
import type { ReservationBook } from './reservation-book.ts'
import { askingOnce, isKnownAhead, type NameOf, type Seed, type SeedStore, seedOfValue, seedsOf } from './seed.ts'
import { emptySpending, spanMs, spend } from './spending.ts'

export interface AllowancesOptions {
  readonly book: ReservationBook
  readonly store: SeedStore
  readonly prices: () => PriceBook
  /** Called when what is spent of an allowance may have changed. */
  readonly onChange: (allowance: Allowance, now: number) => void
  readonly onFailure: (error: unknown) => void
}

export interface Allowances {
  /** Of the budgets that bind the call, and of the run's own. Undefined: one of them has more values than can be kept. */
  of(call: Bindable & { readonly runBudgetUsd?: string }, now: number): Allowance[] | undefined
  observe(entry: CallEntry, sign: 1 | -1, now: number): void
  /** Puts other budgets in force, once what they have spent is known. Those that stay the same budget keep what they know. */
  replace(budgets: readonly Budget[], now: () => number): Promise<void>
  shelves(): readonly Shelf[]
  /** Scopes that decide which budgets bind a call. */
  scopes(): readonly BudgetScope[]
}

/** More values of one budget than this are not told apart: a stream of new names cannot fill the memory. */
export const valuesMax = 50_000
/** How long after a seed an entry can still be observed that is in it. Between durable and observed lie milliseconds. */
const idsMs = 10_000
/** Past this many the entries of the seed have long been observed. */
const idsMax = 50_000
/** A value that nobody has used for so long is forgotten; the ledger is asked again when it comes back. */
const idleMs = 15 * 60_000
/** Values that are first met in an entry, not before a call, are looked up only so many at once; the others at their next entry. */
const openingsMax = 64
const runBudgetName = 'run budget'

export const createAllowances = (options: AllowancesOptions): Allowances => {
  const { book, store, prices } = options
  const nameOf: NameOf = (provider, model) => modelName(prices(), provider, model)
  const own = createShelf(runBudget(0n))
  let shelves: readonly Shelf[] = []
  let bindings: Bindings<Shelf> = createBindings<Shelf>([], prices)
  /** Budgets that are about to be in force: they hear of entries already. */
  let joining: Bindings<Shelf> | undefined
  let openings = 0

  const open = (allowance: Allowance, seed: Seed | undefined, now: number): void => {
    book.open({ key: allowance.key, window: allowance.shelf.budget.window }, seed?.spent ?? [], now)
    for (const { at, amount } of seed?.lastHour ?? []) spend(allowance.lastHour, at, amount, now)
  }

  /** Asks the ledger, entry by entry. What is observed meanwhile waits, and is then added unless it was in the answer. */
  const openByEntries = async (allowance: Allowance, now: number): Promise<void> => {
    openings += 1
    allowance.backlog = []
    try {
      const seed = await seedOfValue(store, allowance.shelf.budget, allowance.value, now, nameOf)
      open(allowance, seed, now)
      allowance.ids = seed.ids
      allowance.idsUntil = now + idsMs
      const backlog = allowance.backlog
      allowance.backlog = undefined
      for (const { entry, sign } of backlog) apply(book, allowance, entry, sign, now)
    } catch (error) {
      allowance.shelf.allowances.delete(allowance.value)
      throw error
    } finally {
      openings -= 1
      allowance.opening = undefined
    }
    options.onChange(allowance, now)
  }

  const create = (shelf: Shelf, value: string, limit: bigint, now: number): Allowance | undefined => {
    if (shelf.allowances.size >= valuesMax || (shelf.allowances.size + 1) % 1_024 === 0) forgetIdle(shelf, book, now)
    if (shelf.allowances.size >= valuesMax) return undefined
    const allowance = createAllowance(shelf, value, limit, now)
    shelf.allowances.set(value, allowance)
    if (shelf.isKnown) open(allowance, undefined, now)
    else {
      allowance.opening = openByEntries(allowance, now)
      allowance.opening.catch(options.onFailure)
    }
    return allowance
  }

  const observeIn = ({ item: shelf, value }: Bound<Shelf>, entry: CallEntry, sign: 1 | -1, now: number): void => {
    if (shelf.backlog !== undefined) {
      shelf.backlog.push({ entry, sign })
      return
    }
    const allowance = shelf.allowances.get(value)
    if (allowance !== undefined) {
      allowance.usedAt = now
      apply(book, allowance, entry, sign, now)
      if (allowance.backlog === undefined) options.onChange(allowance, now)
    } else if (sign === 1 && isWorthOpening(shelf, entry, now) && (shelf.isKnown || openings < openingsMax)) {
      const created = create(shelf, value, shelf.limit, now)
      if (created === undefined || !shelf.isKnown) return
      apply(book, created, entry, sign, now)
      options.onChange(created, now)
    }
  }

  const seedShelf = async (shelf: Shelf, from: SeedStore, now: number): Promise<void> => {
    const { budget } = shelf
    const seeds = await seedsOf(from, budget, now, nameOf)
    const named = budget.scope === 'all' ? [''] : budget.value === undefined ? [] : [budget.value]
    for (const value of [...new Set([...named, ...seeds.keys()])].slice(0, valuesMax)) {
      const allowance = createAllowance(shelf, value, shelf.limit, now)
      shelf.allowances.set(value, allowance)
      open(allowance, seeds.get(value), now)
    }
  }

  /** What was observed while the ledger was asked may be in its answer already: counted twice for a moment rather than never. */
  const settleBacklog = (shelf: Shelf, now: number): void => {
    const backlog = shelf.backlog ?? []
    shelf.backlog = undefined
    const only = createBindings([shelf], prices)
    for (const { entry, sign } of backlog) for (const bound of only.of(entry.event)) observeIn(bound, entry, sign, now)
  }

  return {
    of(call, now) {
      const found: Allowance[] = []
      for (const { item, value } of bindings.of(call)) {
        const allowance = item.allowances.get(value) ?? create(item, value, item.limit, now)
        if (allowance === undefined) return undefined
        allowance.usedAt = now
        found.push(allowance)
      }
      const limit = call.run === undefined || call.runBudgetUsd === undefined ? undefined : parseUsd(call.runBudgetUsd)
      if (call.run === undefined || limit === undefined || limit < 0n) return found
      const allowance = own.allowances.get(call.run) ?? create(own, call.run, limit, now)
      if (allowance === undefined) return undefined
      allowance.usedAt = now
      relimit(allowance, limit)
      found.push(allowance)
      return found
    },
    observe(entry, sign, now) {
      const { event } = entry
      for (const bound of bindings.of(event)) observeIn(bound, entry, sign, now)
      if (joining !== undefined) for (const bound of joining.of(event)) observeIn(bound, entry, sign, now)
      if (event.run !== undefined && own.allowances.has(event.run)) observeIn({ item: own, value: event.run }, entry, sign, now)
    },
    async replace(budgets, now) {
      // The same budget twice would count everything twice; the later one stands.
      const distinct = [...new Map(budgets.map((budget) => [identityOf(budget), budget])).values()]
      const next = distinct.map((budget) => shelves.find(({ identity }) => identity === identityOf(budget)) ?? createShelf(budget))
      const added = next.filter((shelf) => !shelves.includes(shelf))
      for (const shelf of added) shelf.backlog = []
      joining = createBindings(added, prices)
      try {
        const from = askingOnce(store)
        const at = now()
        for (const shelf of added) if (shelf.isKnown) await seedShelf(shelf, from, at)
      } finally {
        joining = undefined
      }
      for (const shelf of shelves) if (!next.includes(shelf)) for (const { key } of shelf.allowances.values()) book.close(key)
      shelves = next
      for (const [index, budget] of distinct.entries()) setBudget(next[index] as Shelf, budget)
      bindings = createBindings(next, prices)
      for (const shelf of added) settleBacklog(shelf, now())
      for (const shelf of next) for (const allowance of shelf.allowances.values()) options.onChange(allowance, now())
    },
    shelves: () => [...shelves, own],
    scopes: () => [...new Set(shelves.map(({ budget }) => budget.scope))],
  }
}

const createShelf = (budget: Budget): Shelf => ({
  budget,
  limit: limitOf(budget),
  identity: identityOf(budget),
  allowances: new Map(),
  isKnown: isKnownAhead(budget),
  backlog: undefined,
})

/** A run's own budget, as its SDK declared it with each call. */
const runBudget = (limit: bigint): Budget => ({
  name: runBudgetName,
  scope: 'run',
  window: { kind: 'total' },
  limit: { unit: 'usd', amount: limit as Extract<Budget['limit'], { unit: 'usd' }>['amount'] },
  onExceed: 'block',
  thresholds: [],
  unpriced: { policy: 'block' },
})

const identityOf = ({ name, scope, value, window, limit, unpriced }: Budget): string =>
  JSON.stringify([
    name,
    scope,
    value ?? null,
    windowName(window),
    limit.unit,
    limit.unit === 'usd' && unpriced.policy === 'assume' ? String(unpriced.perMillionTokens) : '',
  ])

const createAllowance = (shelf: Shelf, value: string, limit: bigint, now: number): Allowance => ({
  shelf,
  value,
  key: JSON.stringify([shelf.identity, value]),
  limit,
  levels: levelsOf(shelf.budget, limit),
  windowEnd: Number.NEGATIVE_INFINITY,
  lastHour: emptySpending({ kind: 'rolling', span: '1h' }, now),
  opening: undefined,
  backlog: undefined,
  ids: undefined,
  idsUntil: 0,
  usedAt: now,
})

const setBudget = (shelf: Shelf, budget: Budget): void => {
  shelf.budget = budget
  shelf.limit = limitOf(budget)
  for (const allowance of shelf.allowances.values()) {
    allowance.limit = shelf.limit
    allowance.levels = levelsOf(budget, shelf.limit, allowance.levels)
  }
}

const relimit = (allowance: Allowance, limit: bigint): void => {
  if (allowance.limit === limit) return
  allowance.limit = limit
  allowance.levels = levelsOf(allowance.shelf.budget, limit, allowance.levels)
}

/** An old entry that is imported now says nothing of a run in flight; in other scopes the window decides. */
const isWorthOpening = ({ budget, isKnown }: Shelf, { event }: CallEntry, now: number): boolean => {
  if (isKnown) return true
  if (budget.name === runBudgetName && budget.scope === 'run') return false
  const { window } = budget
  return event.at > now - (window.kind === 'rolling' ? spanMs[window.span] : budget.scope === 'run' ? spanMs['1h'] : spanMs['30d'])
}

const apply = (book: ReservationBook, allowance: Allowance, entry: CallEntry, sign: 1 | -1, now: number): void => {
  if (allowance.backlog !== undefined) {
    allowance.backlog.push({ entry, sign })
    return
  }
  const { id, at } = entry.event
  if (allowance.ids !== undefined) {
    if (now > allowance.idsUntil || allowance.ids.size > idsMax) allowance.ids = undefined
    else if (allowance.ids.has(id) === (sign === 1)) return
    else if (sign === 1) allowance.ids.add(id)
    else allowance.ids.delete(id)
  }
  const amount = amountOfEntry(allowance.shelf.budget, entry)
  if (amount === 0n) return
  book.spend(allowance.key, at, sign === 1 ? amount : -amount, now)
  spend(allowance.lastHour, at, sign === 1 ? amount : -amount, now)
}

const forgetIdle = (shelf: Shelf, book: ReservationBook, now: number): void => {
  if (shelf.isKnown) return
  for (const [value, { key, opening, usedAt }] of shelf.allowances) {
    if (opening !== undefined || now - usedAt < idleMs || book.read(key, now).held > 0n) continue
    shelf.allowances.delete(value)
    book.close(key)
  }
}
