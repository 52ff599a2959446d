import type { LoadedConfig } from '../config/load-config.ts'
import { type Budget, dailyBudget } from '../core/budget.ts'
import { parseBudget } from '../core/budget-form.ts'
import { TaximeterError } from '../core/errors.ts'
import { parseUsd, zeroUsd } from '../core/money.ts'
import { type BookJson, createPriceBook, type PriceBook } from '../core/price-book.ts'
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
  readonly keyRing: KeyRing
  readonly upstreams: Upstreams
}

/** Reads all of it before anything is put in force: a bad file changes nothing. Throws with the line of what is wrong. */
export const settle = (loaded: LoadedConfig): Settled => {
  const { config, locate } = loaded
  const bookJson = bookJsonOf(loaded)
  const daily = parseUsd(config.dailyBudgetUsd) ?? zeroUsd
  return {
    bookJson,
    book: createPriceBook(bookJson),
    toolPrices: parseToolPrices(config.tools),
    budgets: [
      ...(daily > 0n ? [dailyBudget(config.zone, daily)] : []),
      ...config.budgets.map((budget, index) =>
        located(`budgets[${index}]`, locate, () => parseBudget(budget, `budgets[${index}]`, config.zone)),
      ),
    ],
    keyRing: createKeyRing(parseKeys(config.keys, locate)),
    upstreams: parseUpstreams(config.upstreams, locate),
  }
}

/** Puts the line of the file in front of a complaint that only knows the path. */
const located = <Value>(path: string, locate: (path: string) => string, read: () => Value): Value => {
  try {
    return read()
  } catch (error) {
    if (error instanceof TaximeterError && locate(path) !== path)
      throw new TaximeterError('BAD_CONFIG', `${locate(path)}: ${error.message}`, { cause: error })
    throw error
  }
}
