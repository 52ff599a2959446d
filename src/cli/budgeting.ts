import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Config } from '../config/settings.ts'
import type { Budget } from '../core/budget.ts'
import type { PriceBook } from '../core/price-book.ts'
import { type Budgets, createBudgetGuard } from '../guard/budget-guard.ts'
import type { Crossing } from '../guard/crossings.ts'
import { createDurableBook } from '../guard/durable-book.ts'
import { sqliteLeases } from '../ledger/sqlite/leases.ts'
import type { Store } from '../ledger/store.ts'

export interface BudgetingOptions {
  /** Leases and what was warned of are kept in the ledger's file; `meterFailure` says what happens when nobody can say what is left. */
  readonly config: Pick<Config, 'data' | 'meterFailure'>
  readonly budgets: readonly Budget[]
  readonly prices: () => PriceBook
  readonly store: Store
  readonly log: Logger
  readonly now: () => number
}

/** The budgets on the ledger, with their crossings in the log. `observe` has to be told of every counted call. */
export const startBudgets = async ({ config, log, now, ...options }: BudgetingOptions): Promise<Budgets> => {
  const holder = randomUUID()
  // Whoever opens last closes first: the guard ends the book, and the book its leases.
  const book = await createDurableBook({ leases: sqliteLeases({ path: config.data }), holder, now: now() })
  const budgets = await createBudgetGuard({
    ...options,
    book,
    now,
    holder,
    onUnavailable: config.meterFailure === 'block' ? 'block' : 'allow',
  })
  budgets.onCrossing((crossing) => log.warn(crossingFacts(crossing), crossingText(crossing)))
  return budgets
}

const crossingFacts = ({ budget, scope, value, limit, spent, share }: Crossing) => ({ budget, scope, value, limit, spent, share })

const crossingText = ({ budget, value, unit, limit, spent, share, isLimit }: Crossing): string => {
  const amount = (text: string) => (unit === 'usd' ? `$${Number(text).toFixed(2)}` : `${text} tokens`)
  const whose = value === undefined ? '' : ` of ${value}`
  return `Budget "${budget}"${whose} ${isLimit ? 'is spent' : `has passed ${Math.round(share * 100)} %`}: ${amount(spent)} of ${amount(limit)}.`
}
