import type { Budget, BudgetScope, BudgetWindow } from '../core/budget.ts'
import { TaximeterError } from '../core/errors.ts'
import { parseUsd } from '../core/money.ts'
import type { Filter, Question } from '../core/question.ts'
import { type Interval, nextStart, startOf } from '../core/window.ts'
import type { Store } from '../ledger/store.ts'
import { amountOfEntry, assumedEach } from './amounts.ts'
import type { Amount } from './reservation-book.ts'
import { spanMs } from './spending.ts'

/** What the ledger says was spent before a budget began to be watched. */
export interface Seed {
  /** In the budget's window. */
  readonly spent: Amount[]
  /** In the last hour, for the burn rate. */
  readonly lastHour: Amount[]
}

export type SeedStore = Pick<Store, 'ask' | 'entries'>

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Scopes with few values, which roll-ups answer for all values at once. The others are asked value by value, when first needed. */
const segmentScopes: ReadonlySet<BudgetScope> = new Set(['all', 'agent', 'task', 'team', 'model', 'release', 'environment'])

/** True when all that was ever spent of a budget is known from the start: a value that it did not name has spent nothing. */
export const isKnownAhead = (budget: Budget): boolean => segmentScopes.has(budget.scope) || budget.value !== undefined

/** The period of a budget's present window, UTC ms. It reaches a day past now, for calls from clocks that are ahead. */
const periodOf = (window: BudgetWindow, now: number): { readonly from: number; readonly to: number } => {
  switch (window.kind) {
    case 'total':
      return { from: 0, to: now + dayMs }
    case 'rolling':
      return { from: Math.max(0, now - spanMs[window.span] + 1), to: now + dayMs }
    case 'calendar':
      return { from: startOf(window.interval, now, window.zone), to: nextStart(window.interval, now, window.zone) }
    default:
      return window satisfies never
  }
}

/**
 * What each value of a budget has spent, by three questions or so. In a rolling window, what lies in a
 * quarter of an hour counts as spent at its end, so that it leaves late and never early.
 */
export const seedsOf = async (store: SeedStore, budget: Budget, now: number, nameOf: NameOf): Promise<ReadonlyMap<string, Seed>> => {
  const seeds = new Map<string, Seed>()
  const into = (part: keyof Seed) => (value: string, amount: Amount) => {
    let seed = seeds.get(value)
    if (seed === undefined) seeds.set(value, (seed = { spent: [], lastHour: [] }))
    if (amount.amount !== 0n) seed[part].push(amount)
  }
  const { from, to } = periodOf(budget.window, now)
  const isRolling = budget.window.kind === 'rolling'
  const cut: Interval | undefined = isRolling ? (budget.window.span === '1h' ? 'minute' : '15m') : undefined
  await askAll(store, budget, nameOf, { from, to, cut }, into('spent'))
  await askAll(store, budget, nameOf, { from: now - hourMs + 1, to: now + 1, cut: 'minute' }, into('lastHour'))
  return seeds
}

/** Budgets that differ in their limits only, or in what they name, ask the same: each question is put once. */
export const askingOnce = (store: SeedStore): SeedStore => {
  const answers = new Map<string, ReturnType<SeedStore['ask']>>()
  return {
    entries: store.entries,
    ask(question) {
      const key = JSON.stringify(question)
      let answer = answers.get(key)
      if (answer === undefined) answers.set(key, (answer = store.ask(question)))
      return answer
    },
  }
}

/** The name of a model as budgets compare it. */
export type NameOf = (provider: string, model: string) => string

interface Period {
  readonly from: number
  readonly to: number
  readonly cut: Interval | undefined
}

type Into = (value: string, amount: Amount) => void

const askAll = async (store: SeedStore, budget: Budget, nameOf: NameOf, period: Period, into: Into): Promise<void> => {
  const each = assumedEach(budget)
  await askPeriod(store, budget, nameOf, period, [], into, amountColumn(budget))
  const unpriced: Filter = { by: 'basis', values: ['unpriced'] }
  if (each !== undefined) await askPeriod(store, budget, nameOf, period, [unpriced], into, (row) => each * BigInt(row.tokens ?? 0))
}

type AmountOf = (row: Readonly<Record<string, string | number | null>>) => bigint

const amountColumn = ({ limit }: Budget): AmountOf =>
  limit.unit === 'tokens' ? (row) => BigInt(row.tokens ?? 0) : (row) => parseUsd(String(row.cost)) ?? 0n

/** Too many rows for one answer: half the period at a time, and at last longer buckets, which leave later still and never early. */
const smaller = ({ from, to, cut }: Period, error: unknown): readonly Period[] => {
  const next = cut && coarser[cut]
  if (!(error instanceof TaximeterError) || error.code !== 'BAD_QUESTION' || cut === undefined) throw error
  const middle = startOf('day', (from + to) / 2, 'UTC')
  if (middle > from)
    return [
      { from, to: middle, cut },
      { from: middle, to, cut },
    ]
  if (next === undefined) throw error
  return [{ from, to, cut: next }]
}

const coarser: Partial<Record<Interval, Interval>> = { minute: '15m', '15m': 'hour', hour: 'day' }

const askPeriod = async (
  store: SeedStore,
  budget: Budget,
  nameOf: NameOf,
  { from, to, cut }: Period,
  where: readonly Filter[],
  into: Into,
  amountOf: AmountOf,
): Promise<void> => {
  const question: Question = {
    measures: ['cost', 'tokens'],
    by: budget.scope === 'all' ? [] : budget.scope === 'model' ? ['provider', 'model'] : [budget.scope],
    where: [...where, ...valueFilter(budget)],
    from,
    to,
    zone: 'UTC',
    ...(cut && { interval: cut }),
  }
  try {
    for (const row of (await store.ask(question)).rows) {
      const value = valueOfRow(budget, row, nameOf)
      const at = cut === undefined ? from : nextStart(cut, Date.parse(String(row.bucket)), 'UTC') - 1
      if (value !== undefined) into(value, { at, amount: amountOf(row) })
    }
  } catch (error) {
    for (const period of smaller({ from, to, cut }, error)) await askPeriod(store, budget, nameOf, period, where, into, amountOf)
  }
}

/** Models are compared by name after the question, because the ledger keeps them as they were billed. */
const valueFilter = ({ scope, value }: Budget): readonly Filter[] =>
  value === undefined || scope === 'all' || scope === 'model' ? [] : [{ by: scope, values: [value] }]

const valueOfRow = (
  { scope, value }: Budget,
  row: Readonly<Record<string, string | number | null>>,
  nameOf: NameOf,
): string | undefined => {
  if (scope === 'all') return ''
  if (scope !== 'model') return row[scope] === null || row[scope] === undefined ? undefined : String(row[scope])
  if (row.model === null || row.model === undefined) return undefined
  const provider = String(row.provider)
  const name = nameOf(provider, String(row.model))
  if (value === undefined) return name
  return value === row.model || nameOf(provider, value) === name ? value : undefined
}

/** Pages of a value's entries that are read one by one; a value with more is asked for its sum instead. */
const pagesMax = 20
const pageLimit = 1_000

/** What one value has spent, with the ids of the entries that are in it; `ids` is absent when there were too many to read. */
export interface ValueSeed extends Seed {
  readonly ids: Set<string> | undefined
}

/**
 * What one value of a budget has spent, entry by entry, so that an entry that is observed while the ledger is being asked is
 * known to be in it or not.
 */
export const seedOfValue = async (store: SeedStore, budget: Budget, value: string, now: number, nameOf: NameOf): Promise<ValueSeed> => {
  const { from, to } = periodOf(budget.window, now)
  const where: readonly Filter[] = budget.scope === 'all' ? [] : [{ by: budget.scope, values: [value] }]
  const seed = { spent: [] as Amount[], lastHour: [] as Amount[], ids: new Set<string>() }
  let after: string | undefined
  for (let page = 0; page < pagesMax; page++) {
    const { entries, next } = await store.entries({ where, from, to }, { limit: pageLimit, ...(after !== undefined && { after }) })
    for (const entry of entries) {
      const { id, at } = entry.event
      seed.ids.add(id)
      const amount = amountOfEntry(budget, entry)
      seed.spent.push({ at, amount })
      if (at > now - hourMs) seed.lastHour.push({ at, amount })
    }
    if (next === undefined) return seed
    after = next
  }
  const whole = (await seedsOf(store, { ...budget, value }, now, nameOf)).get(value)
  return { spent: whole?.spent ?? [], lastHour: whole?.lastHour ?? [], ids: undefined }
}
