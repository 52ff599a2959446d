import type { Refusal } from '../core/budget.ts'
import { formatUsd, parseUsd } from '../core/money.ts'

/** Begins the message of every refusal; what a client makes of one is known by it. */
const mark = 'BUDGET_EXCEEDED: '

type Told = Pick<Refusal, 'budget' | 'limit' | 'spent' | 'message'> & Partial<Pick<Refusal, 'reason' | 'resetsAt'>>

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
  /** Decimal dollars, or tokens for a budget in tokens; empty where it is not known. */
  readonly limit: string
  readonly spent: string
  readonly reason: Refusal['reason'] | undefined
  /** ISO 8601, UTC; undefined when the budget never resets. */
  readonly resetsAt: string | undefined

  constructor(refusal: Told, options?: { cause?: unknown }) {
    super(mark + refusal.message, options)
    this.budget = refusal.budget
    this.limit = refusal.limit
    this.spent = refusal.spent
    this.reason = refusal.reason
    this.resetsAt = refusal.resetsAt
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

/** The latest refusals by their sentences, which are all that comes back from a client. */
const remembered = new Map<string, Refusal>()
const rememberedMax = 100

export const rememberRefusal = (refusal: Refusal): void => {
  const [oldest] = remembered.keys()
  if (remembered.size >= rememberedMax && oldest !== undefined) remembered.delete(oldest)
  remembered.set(refusal.message, refusal)
}

/** Clients put the message into their own, some as JSON, so that its quotes may be escaped. A gateway's refusal is read from its sentence. */
const refusalIn = (text: string): Told => {
  const rest = text.slice(text.indexOf(mark) + mark.length).replaceAll('\\"', '"')
  const message = rest.replace(/"[,}\]][\s\S]*$/, '')
  const known = remembered.get(message)
  if (known !== undefined) return known
  const [, budget = ''] = /"([^"]{1,300})"/.exec(message) ?? []
  const [, dollar, spent = '', limit = ''] =
    /(\$?)(\d+(?:\.\d+)?) of \$?(\d+(?:\.\d+)?)/.exec(message) ??
    turned(/left of (\$?)(\d+(?:\.\d+)?)[\s\S]*?\(\$?(\d+(?:\.\d+)?) spent/.exec(message))
  const amount = (digits: string): string => (dollar === '$' && digits !== '' ? formatUsd(parseUsd(digits) ?? 0n) : digits)
  return { budget, spent: amount(spent), limit: amount(limit), message }
}

const turned = (match: RegExpExecArray | null): readonly (string | undefined)[] =>
  match === null ? [] : [match[0], match[1], match[3], match[2]]

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
