import type { Refusal } from '../core/budget.ts'
import { formatUsd, parseUsd } from '../core/money.ts'

const mark = 'BUDGET_EXCEEDED: '

/**
 * A call was not sent because a budget that the user set is spent. The only error that metering ever causes.
 *
 * A model client gets it as an answer of status 402 in its provider's form, and throws it as an error of its own that its
 * retries do not repeat; `BudgetExceededError.of(error)` finds it inside. `tracker.run` and `run.tool` throw it as it is.
 */
export class BudgetExceededError extends Error {
  override readonly name = 'BudgetExceededError'
  readonly code = 'BUDGET_EXCEEDED'
  readonly budget: string
  /** Decimal dollars, or tokens for a budget in tokens. */
  readonly limit: string
  readonly spent: string

  constructor(refusal: Pick<Refusal, 'budget' | 'limit' | 'spent' | 'message'>, options?: { cause?: unknown }) {
    super(`BUDGET_EXCEEDED: ${refusal.message}`, options)
    this.budget = refusal.budget
    this.limit = refusal.limit
    this.spent = refusal.spent
  }

  /** The refusal inside an error that a client made of it, however often it was wrapped; undefined when there is none. */
  static of(error: unknown): BudgetExceededError | undefined {
    for (const each of chainOf(error)) {
      if (each instanceof BudgetExceededError) return each
      if (messageOf(each).includes(mark)) return new BudgetExceededError(refusalIn(messageOf(each)), { cause: error })
    }
    return undefined
  }
}

/** Clients put the message into their own, some as JSON, so that its quotes may be escaped. */
const refusalIn = (text: string): Pick<Refusal, 'budget' | 'limit' | 'spent' | 'message'> => {
  const message = text.slice(text.indexOf(mark) + mark.length).replaceAll('\\"', '"')
  const [, budget = ''] = /"([^"]{1,300})"/.exec(message) ?? []
  const [, dollar, spent = '', limit = ''] = /(\$?)(\d+(?:\.\d+)?) of \$?(\d+(?:\.\d+)?)/.exec(message) ?? []
  const amount = (digits: string): string => (dollar === '$' ? formatUsd(parseUsd(digits) ?? 0n) : digits)
  return { budget, spent: amount(spent), limit: amount(limit), message: message.replace(/"[,}\]][\s\S]*$/, '') }
}

const chainLengthMax = 20

/** An error, what caused it, and what it gathered (AI SDK's `lastError`, `AggregateError`'s `errors`), nearest first. */
export function* chainOf(error: unknown): Generator<object> {
  const seen = new Set<object>()
  const waiting = [error]
  while (waiting.length > 0 && seen.size < chainLengthMax) {
    const next = waiting.shift()
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    yield next
    const { cause, lastError, errors } = next as { cause?: unknown; lastError?: unknown; errors?: unknown }
    waiting.push(cause, lastError, ...(Array.isArray(errors) ? errors : []))
  }
}

export const messageOf = (error: object): string => ('message' in error && typeof error.message === 'string' ? error.message : '')
