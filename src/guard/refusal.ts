import { formatAmount, type Refusal, sayAmount, windowName } from '../core/budget.ts'
import { sentenceOf } from '../core/errors.ts'
import type { Allowance } from './allowance.ts'
import type { CallAhead } from './guard.ts'
import type { Reading } from './reservation-book.ts'

/** Nothing is left, or not enough: with all that a person needs to decide what to do. */
export const exceededRefusal = (allowance: Allowance, asked: bigint, reading: Reading, resetsAt: number | undefined): Refusal => {
  const { unit } = allowance.shelf.budget.limit
  const say = (amount: bigint): string => sayAmount(unit, amount)
  const limit = `${say(allowance.limit)} ${sayWindow(allowance)}`
  const left = allowance.limit - reading.spent - reading.held
  const state =
    left <= 0n && reading.held === 0n
      ? `is spent: ${say(reading.spent)} of ${limit}`
      : `has ${left > 0n ? say(left) : 'nothing'} left of ${limit} (${say(reading.spent)} spent, ${say(reading.held)} reserved)`
  const wait = resetsAt === undefined ? '' : ` or wait until ${new Date(resetsAt).toISOString()}`
  return {
    ...subjectOf(allowance),
    spent: formatAmount(unit, reading.spent),
    reserved: formatAmount(unit, reading.held),
    asked: formatAmount(unit, asked),
    ...(resetsAt !== undefined && { resetsAt: new Date(resetsAt).toISOString() }),
    reason: 'exceeded',
    message: `${sayName(allowance)} ${state}, and this call can take ${say(asked)}. Raise the limit, lower the call's output limit${wait}.`,
  }
}

/** The budget is in dollars, and nobody knows what the model costs. */
export const unpricedRefusal = (allowance: Allowance, call: CallAhead, reading: Reading): Refusal => {
  const { unit } = allowance.shelf.budget.limit
  return {
    ...subjectOf(allowance),
    spent: formatAmount(unit, reading.spent),
    reserved: formatAmount(unit, reading.held),
    asked: 'unknown',
    reason: 'unpriced',
    message: `${sayName(allowance)} lets no model pass whose price is unknown, and "${call.model.slice(0, 100)}" of ${call.provider} has none. Give it a price, or set the budget's "unpriced" to allow or to a rate such as "assume $10 per million tokens".`,
  }
}

/** What is left could not be learned, and the guard was told to let nothing through then. */
export const unavailableRefusal = (allowance: Allowance, error: unknown): Refusal => ({
  ...subjectOf(allowance),
  spent: 'unknown',
  reserved: 'unknown',
  asked: 'unknown',
  reason: 'unavailable',
  message: `What is left of ${sayName(allowance).replace('Budget', 'budget')} is not known now, and calls are held back until it is: ${sentenceOf(error)}`,
})

const subjectOf = ({ shelf: { budget }, value, limit }: Allowance) => ({
  budget: budget.name,
  scope: budget.scope,
  ...(budget.scope !== 'all' && { value }),
  unit: budget.limit.unit,
  limit: formatAmount(budget.limit.unit, limit),
})

const sayName = ({ shelf: { budget }, value }: Allowance): string =>
  budget.scope === 'all' || budget.value !== undefined
    ? `Budget "${budget.name}"`
    : `Budget "${budget.name}" of ${budget.scope} "${value.slice(0, 100)}"`

const sayWindow = ({ shelf: { budget } }: Allowance): string => {
  const { window, scope } = budget
  if (window.kind === 'calendar') return `per ${window.interval} (${window.zone})`
  if (window.kind === 'rolling') return `in ${windowName(window)}`
  return scope === 'run' ? 'per run' : 'in total'
}
