import type { Attribution } from '../core/attribution.ts'
import type { Budget, BudgetScope } from '../core/budget.ts'
import type { PriceBook } from '../core/price-book.ts'

/** What decides which budgets bind a call: its attribution and, for a model call, its model. */
export interface Bindable extends Attribution {
  readonly provider?: string
  readonly model?: string
}

export interface Bound<Item> {
  readonly item: Item
  /** The value that the call has for the budget's scope; empty for scope `all`. One allowance each. */
  readonly value: string
}

export interface Bindings<Item> {
  /** All that bind the call, in no particular order. A call without a value for a scope is not bound by it. */
  of(call: Bindable): Bound<Item>[]
}

/** Names of models that callers make up are remembered only up to this many. */
const modelsMax = 10_000

/**
 * Finds the budgets of a call without looking at those that cannot bind it: a thousand budgets, one for each key, cost one
 * look-up. `bookOf` gives the price book of the moment, which knows the names of models.
 */
export const createBindings = <Item extends { readonly budget: Budget }>(
  items: readonly Item[],
  bookOf: () => PriceBook,
): Bindings<Item> => {
  const scopes = [...Map.groupBy(items, ({ budget }) => budget.scope)].map(([scope, among]) => createScope(scope, among, bookOf))
  return {
    of(call) {
      const bound: Bound<Item>[] = []
      for (const collect of scopes) collect(call, bound)
      return bound
    },
  }
}

type Collect<Item> = (call: Bindable, into: Bound<Item>[]) => void

const createScope = <Item extends { readonly budget: Budget }>(
  scope: BudgetScope,
  items: readonly Item[],
  bookOf: () => PriceBook,
): Collect<Item> => {
  if (scope === 'all') {
    const bound = items.map((item) => ({ item, value: '' }))
    return (_call, into) => void into.push(...bound)
  }
  if (scope === 'model') return createModelScope(items, bookOf)
  const each = items.filter(({ budget }) => budget.value === undefined)
  const byValue = Map.groupBy(
    items.filter(({ budget }) => budget.value !== undefined),
    ({ budget }) => budget.value,
  )
  const read = valueOfScope(scope)
  return (call, into) => {
    const value = read(call)
    if (value === undefined || value === '') return
    for (const item of each) into.push({ item, value })
    for (const item of byValue.get(value) ?? []) into.push({ item, value })
  }
}

const valueOfScope = (scope: Exclude<BudgetScope, 'all' | 'model'>): ((call: Bindable) => string | undefined) => {
  if (scope.startsWith('tag.')) {
    const key = scope.slice(4)
    return ({ tags }) => (tags !== undefined && Object.hasOwn(tags, key) ? tags[key] : undefined)
  }
  const name = scope as Exclude<typeof scope, `tag.${string}`>
  return (call) => call[name]
}

/**
 * A model goes by several names (dated snapshots, aliases), and the one that is billed can be spelled otherwise than the one that
 * was asked for. A cap that knew one spelling only would not hold for the others.
 */
const createModelScope = <Item extends { readonly budget: Budget }>(items: readonly Item[], bookOf: () => PriceBook): Collect<Item> => {
  const known = new Map<string, readonly Bound<Item>[]>()
  let knownBook: PriceBook | undefined
  return ({ provider, model }, into) => {
    if (model === undefined || model === '') return
    const book = bookOf()
    if (book !== knownBook || known.size >= modelsMax) known.clear()
    knownBook = book
    const key = `${provider}\n${model}`
    let bound = known.get(key)
    if (bound === undefined) known.set(key, (bound = boundByModel(items, provider ?? '', model, book)))
    into.push(...bound)
  }
}

const boundByModel = <Item extends { readonly budget: Budget }>(
  items: readonly Item[],
  provider: string,
  model: string,
  book: PriceBook,
): readonly Bound<Item>[] => {
  const name = modelName(book, provider, model)
  return items
    .filter(({ budget: { value } }) => value === undefined || value === model || modelName(book, provider, value) === name)
    .map((item) => ({ item, value: item.budget.value ?? name }))
}

/** The name under which the book knows a model, or the given one. */
export const modelName = (book: PriceBook, provider: string, model: string): string => book.nameOf(provider, model)?.model ?? model
