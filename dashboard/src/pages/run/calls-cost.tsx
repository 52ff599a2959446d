import type { ReactNode } from 'react'
import type { RunCallJson } from '../../../../src/server/api.ts'
import { doubtOf } from '../../format/doubt.ts'
import { usd } from '../../format/numbers.ts'
import { DoubtMark } from '../../ui/figure.tsx'

/** What some calls of a run cost together, and how sure that is. */
export const CallsCost = ({ calls, cost }: { calls: readonly RunCallJson[]; cost: string }): ReactNode => {
  const doubt = doubtOf(doubtsOf(calls))
  if (doubt.isUnknown && Number(cost) === 0) return <span className="font-normal text-ink-3">unpriced</span>
  return (
    <span className="whitespace-nowrap">
      <DoubtMark mark={doubt.mark} title={`Calls not exactly priced: ${doubt.sentence}`} />
      {usd(cost)}
    </span>
  )
}

/** How many of them are not exactly priced, as a row of the API would say it. */
export const doubtsOf = (calls: readonly RunCallJson[]) => {
  const of = (basis: string): number => calls.filter(({ charge }) => charge.basis === basis).length
  return { unpricedCalls: of('unpriced'), partialCalls: of('partial'), estimatedCalls: of('estimated') }
}
