import type { AnswerRow, Value } from '../../../src/server/api.ts'
import { count } from './numbers.ts'

/** What stands before an amount that is less than what was paid, or about it. */
export type Mark = '' | '≥' | '≈'

/** What leaves an amount in doubt. */
export interface Doubt {
  readonly mark: Mark
  /** Every call of it is unpriced: nothing is known of its cost. */
  readonly isUnknown: boolean
  readonly sentence: string
}

/** A row of the API says how many of its calls are not exactly priced, where there are any. */
export type Doubtful =
  | Partial<AnswerRow>
  | {
      readonly unpricedCalls?: Value
      readonly partialCalls?: Value
      readonly estimatedCalls?: Value
    }

export const doubtOf = (row: Doubtful): Doubt => {
  const [unpriced, partial, estimated] = [row.unpricedCalls, row.partialCalls, row.estimatedCalls].map((calls) => Number(calls ?? 0))
  const parts = [
    [unpriced, 'unpriced'],
    [partial, 'partial'],
    [estimated, 'estimated'],
  ] as const
  const found = parts.filter(([calls = 0]) => calls > 0)
  return {
    mark: Number(estimated) > 0 ? '≈' : found.length > 0 ? '≥' : '',
    isUnknown: Number(unpriced) > 0,
    sentence: found.map(([calls, basis]) => `${count(calls)} ${basis}`).join(', '),
  }
}
