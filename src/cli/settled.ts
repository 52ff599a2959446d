import type { LoadedConfig } from '../config/load-config.ts'
import type { BookJson } from '../core/book-json.ts'
import { type Budget, dailyBudget } from '../core/budget.ts'
import { parseBudgets } from '../core/budget-form.ts'
import { sentenceOf, TaximeterError } from '../core/errors.ts'
import { parseUsd, zeroUsd } from '../core/money.ts'
import { createPriceBook, type PriceBook } from '../core/price-book.ts'
import { parseToolPrices, type ToolPrices } from '../core/tool-prices.ts'
import { parseUpstreams, type Upstreams } from '../gateway/upstreams.ts'
import { createKeyRing, type KeyRing, parseKeys } from '../intake/keys.ts'
import { bookJsonOf } from './book.ts'

/** What the configuration says, read by the parts that own it: everything that can change while the program runs. */
export interface Settled {
  readonly bookJson: BookJson
  readonly book: PriceBook
  readonly toolPrices: ToolPrices
  readonly budgets: readonly Budget[]
  /** Of those, what somebody has chosen. */
  readonly chosenBudgets: readonly unknown[]
  readonly keyRing: KeyRing
  readonly upstreams: Upstreams
}

/** Reads all of it before anything is put in force: a bad file changes nothing. Throws with the line of what is wrong. */
export const settle = (loaded: LoadedConfig): Settled => {
  const { config, locate } = loaded
  const bookJson = bookJsonOf(loaded)
  return {
    bookJson,
    book: createPriceBook(bookJson),
    toolPrices: parseToolPrices(config.tools),
    budgets: budgetsOf(loaded),
    chosenBudgets: chosenBudgets(loaded),
    keyRing: createKeyRing(parseKeys(config.keys, locate)),
    upstreams: parseUpstreams(config.upstreams, locate),
  }
}

/** The daily warning stands unless it is turned off or a budget of that name takes its place. */
const budgetsOf = ({ config, locate }: LoadedConfig): readonly Budget[] => {
  const own = located(locate, () => parseBudgets(config.budgets, 'budgets', config.zone))
  const daily = dailyBudget(config.zone, parseUsd(config.dailyBudgetUsd) ?? zeroUsd)
  return daily.limit.amount === 0n || own.some(({ name }) => name === daily.name) ? own : [daily, ...own]
}

/** Puts the line of the file in front of a complaint that begins with the path of what is wrong. */
export const located = <Value>(locate: (path: string) => string, read: () => Value): Value => {
  try {
    return read()
  } catch (error) {
    const path = error instanceof TaximeterError ? /[\w.[\]]+(?=[ :])/.exec(sentenceOf(error))?.[0] : undefined
    if (path === undefined || locate(path) === path) throw error
    throw new TaximeterError('BAD_CONFIG', `${locate(path)}: ${sentenceOf(error)}`, { cause: error })
  }
}

/** The budgets that somebody has chosen: those of the configuration, and the daily warning where its amount was set. */
export const chosenBudgets = ({ config, origins }: Pick<LoadedConfig, 'config' | 'origins'>): readonly unknown[] => [
  ...config.budgets,
  ...(origins.dailyBudgetUsd !== 'default' && Number(config.dailyBudgetUsd) > 0 ? [config.dailyBudgetUsd] : []),
]
