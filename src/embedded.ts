import { randomUUID } from 'node:crypto'
import { reportText } from './cli/report.ts'
import type { Answer } from './core/answer.ts'
import { type Budget, dailyBudget } from './core/budget.ts'
import { parseBudgets } from './core/budget-form.ts'
import { TaximeterError } from './core/errors.ts'
import { parseUsd } from './core/money.ts'
import { type PriceAdditions, withPrices } from './core/price-additions.ts'
import { createPriceBook } from './core/price-book.ts'
import { parseQuestion, type Question, type QuestionText } from './core/question.ts'
import { parseToolPrices, type ToolPricesJson } from './core/tool-prices.ts'
import { startOf } from './core/window.ts'
import { type Budgets, createBudgetGuard } from './guard/budget-guard.ts'
import type { Crossing } from './guard/crossings.ts'
import { createDurableBook } from './guard/durable-book.ts'
import { createIntake, type Intake } from './intake/intake.ts'
import { sqliteLeases } from './ledger/sqlite/leases.ts'
import { sqliteStore } from './ledger/sqlite/sqlite-store.ts'
import type { Store } from './ledger/store.ts'
import { bookJson } from './pricing.ts'
import { TokenTracker, type TrackerOptions } from './sdk/token-tracker.ts'
import { createWarn } from './sdk/warning.ts'
import { createMetrics, type Metrics } from './server/metrics.ts'

export { BudgetExceededError } from './sdk/budget-exceeded-error.ts'
export type { Run, RunOptions } from './sdk/runs.ts'

export interface EmbeddedOptions extends Omit<TrackerOptions, 'url' | 'key' | 'sender' | 'guard'> {
  /** The ledger's SQLite file; several processes may write to one. Default: ./taximeter.db. */
  readonly data?: string
  /** `normal` (the default): what is kept survives the process being killed. `full`: also a loss of power. */
  readonly durability?: 'normal' | 'full'
  /** Own models, aliases, discounts and rates: docs/reference/prices.md. */
  readonly prices?: PriceAdditions
  /** Prices of tools by name: "0.005", or per call, unit and hour. */
  readonly tools?: ToolPricesJson
  /** Budgets that hold by reservation before each call: docs/reference/budgets.md. */
  readonly budgets?: readonly object[]
  /** Dollars a day at which a warning is given, once per day. Default: "5"; "0" turns it off. */
  readonly dailyBudgetUsd?: string
  /** In which days are cut where a question names no zone. Default: UTC. */
  readonly zone?: string
  /** Written on the metrics' build line. */
  readonly version?: string
}

interface Parts {
  readonly store: Store
  readonly metrics: Metrics
  readonly zone: string
  readonly now: () => number
}

/** A tracker with a ledger of its own, in the agent's process: nothing else to run. Made by `createEmbeddedTracker`. */
export class EmbeddedTracker extends TokenTracker {
  readonly #parts: Parts

  constructor(options: TrackerOptions, parts: Parts) {
    super(options)
    this.#parts = parts
  }

  /** A question put to the ledger, with all that was recorded before it. Without a period it is about today. Throws BAD_QUESTION. */
  async ask(question: QuestionText | string = {}): Promise<Answer> {
    return (await this.#answer(question)).answer
  }

  /** The answer as a table: by default what today's tasks, releases and agents cost. */
  async report(question: QuestionText | string = {}): Promise<string> {
    const { question: asked, answer } = await this.#answer(question)
    return reportText(asked, answer)
  }

  /** What Prometheus reads. */
  async metrics(): Promise<string> {
    await this.flush()
    return this.#parts.metrics.text()
  }

  async #answer(given: QuestionText | string): Promise<{ readonly question: Question; readonly answer: Answer }> {
    const { store, zone, now } = this.#parts
    const question = questionOf(typeof given === 'string' ? textOf(given) : given, zone, now())
    await this.flush()
    return { question, answer: await store.ask(question) }
  }
}

/** Opens the ledger and gives a tracker that writes to it. Rejects where the file is not one that this program can use, or an option is wrong. */
export const createEmbeddedTracker = async (options: EmbeddedOptions = {}): Promise<EmbeddedTracker> => {
  const { data = './taximeter.db', durability = 'normal', zone = 'UTC', now = Date.now } = options
  const book = createPriceBook(withPrices(bookJson, options.prices ?? {}))
  const toolPrices = parseToolPrices(options.tools ?? {})
  const budgets = budgetsOf(options, zone)
  const store = await sqliteStore({ path: data, durability })
  const opened: (() => Promise<void> | void)[] = [() => store.close()]
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).reverse()) await end()
  }
  try {
    const intake = createIntake({ store, book: () => book, toolPrices: () => toolPrices, now })
    const metrics = await createMetrics({ store, intake, now, version: options.version ?? 'embedded', bookVersion: () => book.version })
    opened.push(() => metrics.close())
    const guard = await openGuard({ budgets, data, store, now, prices: () => book, onMeterFailure: options.onMeterFailure ?? 'allow' })
    opened.push(() => guard.close())
    watch(guard, intake, options)
    const sender = { send: (events: readonly unknown[]) => intake.admit(events), close }
    const holdsCalls = (options.budgets ?? []).length > 0
    return new EmbeddedTracker({ ...options, sender, ...(holdsCalls && { guard }) }, { store, metrics, zone, now })
  } catch (error) {
    await close()
    throw error
  }
}

const budgetsOf = (options: EmbeddedOptions, zone: string): readonly Budget[] => {
  const daily = parseUsd(options.dailyBudgetUsd ?? '5')
  if (daily === undefined || daily < 0n) {
    throw new TaximeterError('BAD_BUDGET', `dailyBudgetUsd should be dollars such as "5", got ${JSON.stringify(options.dailyBudgetUsd)}.`)
  }
  const own = parseBudgets(options.budgets ?? [], 'budgets', zone)
  const warning = dailyBudget(zone, daily)
  return daily === 0n || own.some(({ name }) => name === warning.name) ? own : [...own, warning]
}

interface GuardParts {
  readonly budgets: readonly Budget[]
  readonly data: string
  readonly store: Store
  readonly now: () => number
  readonly prices: () => ReturnType<typeof createPriceBook>
  readonly onMeterFailure: 'allow' | 'block'
}

const openGuard = async ({ budgets, data, store, now, prices, onMeterFailure }: GuardParts): Promise<Budgets> => {
  const holder = randomUUID().slice(0, 8)
  const book = await createDurableBook({ leases: sqliteLeases({ path: data }), holder, now: now() })
  return createBudgetGuard({ budgets, prices, book, store, now, holder, onUnavailable: onMeterFailure })
}

const watch = (budgets: Budgets, intake: Intake, options: EmbeddedOptions): void => {
  const warn = createWarn(options.onWarning)
  intake.onCounted((counted, uncounted) => budgets.observe(counted, uncounted))
  budgets.onCrossing((crossing) => warn('budget-crossed', crossingText(crossing)))
}

const crossingText = ({ budget, value, unit, limit, spent, share }: Crossing): string => {
  const amount = (text: string): string => (unit === 'usd' ? `$${text.replace(/(\.\d\d\d*?)0*$/, '$1')}` : `${text} tokens`)
  const whose = value === undefined ? '' : ` of "${value}"`
  const part = share === 1 ? '' : `, past ${Math.round(share * 100)} %`
  return `Budget "${budget}"${whose} has spent ${amount(spent)} of ${amount(limit)}${part}.`
}

/** `measure=cost&by=agent&last=24h`, as in the address of `/v1/query`. */
const textOf = (query: string): QuestionText => {
  const given = new URLSearchParams(query)
  const where = given.getAll('where')
  return { ...Object.fromEntries(given), ...(where.length > 0 && { where }) }
}

const questionOf = (text: QuestionText, zone: string, now: number): Question => {
  const tz = text.tz ?? zone
  const isToday = text.last === undefined && text.from === undefined && text.to === undefined
  return parseQuestion(
    {
      measure: 'cost,calls,promptTokens,completionTokens',
      by: 'task,release,agent',
      ...text,
      tz,
      ...(isToday && { from: new Date(startOf('day', now, tz)).toISOString() }),
    },
    now,
  )
}
