import type { ReactNode } from 'react'
import type { ChargeJson } from '../../../src/server/api.ts'
import { exactUsd, usd } from '../format/numbers.ts'
import { Badge } from '../ui/controls.tsx'
import { DoubtMark } from '../ui/figure.tsx'

export const unpricedReasons: Readonly<Record<string, string>> = {
  'unknown-model': 'The price book does not know this model.',
  'not-yet-priced': 'The book has a price for this model, but none that held at this time.',
  'unpriced-unit': 'What was used has no rate.',
  'missing-usage': 'The provider answered and did not say what was used.',
  'unpriced-tool': 'Nobody has said what this tool costs.',
}

/** What one call cost and how sure that is. An unpriced call says so, and never "$0". */
export const ChargeText = ({ charge }: { charge: ChargeJson }): ReactNode => {
  if (charge.basis === 'unpriced') {
    return (
      <span title={unpricedReasons[charge.reason]}>
        <Badge tone="bad">unpriced</Badge>
      </span>
    )
  }
  const mark = charge.basis === 'estimated' ? '≈' : charge.basis === 'partial' ? '≥' : ''
  return (
    <span title={`${exactUsd(charge.totalUsd)} ${charge.basis}`} className="whitespace-nowrap">
      <DoubtMark mark={mark} />
      {usd(charge.totalUsd)}
    </span>
  )
}
