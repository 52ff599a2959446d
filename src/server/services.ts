import type { BookJson } from '../core/book-json.ts'
import type { PriceBook } from '../core/price-book.ts'
import type { Budgets as BudgetGuards } from '../guard/budget-guard.ts'
import type { Intake } from '../intake/intake.ts'
import type { Store } from '../ledger/store.ts'
import type { AlertRulesAnswer, AlertsAnswer, ForecastAnswer, ReadingsAnswer, SelfCheckAnswer } from './api.ts'
import type { ServerLimits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import type { BodyReader } from './read-body.ts'
import type { ReadingsAsked } from './readings.ts'
import type { Streams } from './streams.ts'

/** The budgets, as the routes and the metrics use them. */
export type Budgets = Pick<BudgetGuards, 'status' | 'reserve' | 'settle' | 'lease' | 'giveBack' | 'counters'>

/** What the routes are wired to. The optional parts have routes only where they are given. */
export interface Services {
  readonly store: Store
  readonly intake: Pick<Intake, 'admit'>
  readonly book: () => PriceBook
  /** The book as it is written, with what the configuration adds: for search and history. */
  readonly prices?: (() => BookJson) | undefined
  readonly budgets?: Budgets | undefined
  readonly alerts?: (() => AlertsAnswer | Promise<AlertsAnswer>) | undefined
  readonly alertRules?: (() => AlertRulesAnswer) | undefined
  readonly forecast?: (() => Promise<ForecastAnswer>) | undefined
  readonly selfCheck?: (() => Promise<SelfCheckAnswer>) | undefined
  readonly readings?: ((asked: ReadingsAsked) => Promise<ReadingsAnswer>) | undefined
  /** Reads the configuration again. Rejects with BAD_CONFIG, having changed nothing. */
  readonly reload?: (() => Promise<void>) | undefined
  readonly metrics: Metrics
  readonly now: () => number
  readonly version: string
  readonly startedAt: number
  readonly needsKey: boolean
  readonly hasGateway: boolean
  readonly limits: ServerLimits
  readonly bodies: BodyReader
  readonly streams: Streams
  /** The text of /openapi.json. */
  readonly openApi: () => Promise<string>
}
