import type { Budget } from '../core/budget.ts'
import { amountOf } from '../core/charge.ts'
import type { CallEntry } from '../core/event.ts'
import { totalTokensOf } from '../core/usage.ts'
import type { WorstCase } from './worst-case.ts'

export const limitOf = ({ limit }: Budget): bigint => BigInt(limit.amount)

/** Pico-dollars for one token of a model without a price, rounded up so that sums over calls are exact; undefined where none is assumed. */
export const assumedEach = ({ limit, unpriced }: Budget): bigint | undefined =>
  limit.unit === 'usd' && unpriced.policy === 'assume' ? (unpriced.perMillionTokens + 999_999n) / 1_000_000n : undefined

/** What an entry spends of a budget. Usage that nobody knows spends nothing: it is shown as coverage, never guessed. */
export const amountOfEntry = (budget: Budget, { event, charge }: CallEntry): bigint => {
  if (budget.limit.unit === 'tokens') return event.kind === 'llm' ? BigInt(totalTokensOf(event.usage)) : 0n
  if (charge.basis !== 'unpriced') return amountOf(charge)
  const each = event.kind === 'llm' ? assumedEach(budget) : undefined
  return each === undefined || event.kind !== 'llm' ? 0n : each * BigInt(totalTokensOf(event.usage))
}

/** What a call may take of a budget at the most; undefined: nobody can say, because the model has no price. */
export const amountAhead = (budget: Budget, worst: WorstCase): bigint | undefined => {
  if (budget.limit.unit === 'tokens') return BigInt(worst.tokens)
  if (worst.cost !== undefined) return worst.cost
  const each = assumedEach(budget)
  return each === undefined ? undefined : each * BigInt(worst.tokens)
}
