import type { Answer, Basis } from '../../../src/server/api.ts'
import type { Mark } from './doubt.ts'
import { count } from './numbers.ts'

/** The surest first; the same order everywhere. */
export const basisInfo: readonly { readonly basis: Basis; readonly title: string; readonly about: string }[] = [
  { basis: 'reported', title: 'Reported', about: 'The provider said what it cost.' },
  { basis: 'computed', title: 'Computed', about: 'Complete usage at the rates of the price book.' },
  { basis: 'partial', title: 'Partial', about: 'Some of what was used has no rate: a lower bound.' },
  { basis: 'estimated', title: 'Estimated', about: 'Cut off or not exactly priced: near, not exact.' },
  { basis: 'unpriced', title: 'Unpriced', about: 'No price is known: counted, and adds nothing to a total.' },
]

/** How far a total can be trusted. `shareSure` is the share of calls that are reported or computed; undefined without calls. */
export interface Trust {
  readonly calls: number
  readonly shareSure: number | undefined
  readonly isLowerBound: boolean
  readonly isEstimate: boolean
  /** What stands before the figure. */
  readonly mark: Mark
  readonly sentence: string
}

export const trustOf = (coverage: Answer['coverage']): Trust => {
  const calls = basisInfo.reduce((sum, { basis }) => sum + coverage[basis].calls, 0)
  const sure = coverage.reported.calls + coverage.computed.calls
  const isLowerBound = coverage.unpriced.calls > 0 || coverage.partial.calls > 0
  const isEstimate = coverage.estimated.calls > 0
  return {
    calls,
    shareSure: calls === 0 ? undefined : sure / calls,
    isLowerBound,
    isEstimate,
    mark: isEstimate ? '≈' : isLowerBound ? '≥' : '',
    sentence: sentenceOf(calls, coverage),
  }
}

const sentenceOf = (calls: number, coverage: Answer['coverage']): string => {
  if (calls === 0) return 'No calls in this period.'
  const unsure = (['partial', 'estimated', 'unpriced'] as const).filter((basis) => coverage[basis].calls > 0)
  if (unsure.length === 0) return 'Every call is priced exactly.'
  const parts = unsure.map((basis) => `${count(coverage[basis].calls)} ${basis}`)
  return `Of ${count(calls)} calls, ${parts.join(', ')}.`
}
