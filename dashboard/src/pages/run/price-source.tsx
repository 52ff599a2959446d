import type { ReactNode } from 'react'
import type { PeriodAnswer } from '../../../../src/server/api.ts'
import { usePrice } from '../../api/use-lists.ts'
import { SafeLink } from '../../ui/safe-link.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'

interface PriceSourceProps {
  readonly provider: string
  readonly model: string
  readonly at: string
  readonly book: string | undefined
}

/** Where the rate is from: the period of the price book that held when the call was made. */
export const PriceSource = ({ provider, model, at, book }: PriceSourceProps): ReactNode => {
  const { data } = usePrice(provider, model)
  const period = data?.periods.find((each) => holds(each, at))
  return (
    <p className="mt-2 text-xs text-ink-2">
      {book === undefined ? 'No price book was needed.' : `Price book ${book}.`}{' '}
      {period?.source !== undefined && (
        <>
          {period.confidence === undefined ? 'From' : `${confidenceText[period.confidence]}, from`} <SafeLink href={period.source} />.{' '}
        </>
      )}
      {data !== undefined && (
        <ViewLink to={pathOf('/prices', data.provider, data.model)} className="link">
          Price history
        </ViewLink>
      )}
    </p>
  )
}

export const confidenceText = { confirmed: 'Confirmed', 'single-source': 'One source', decided: 'Decided' } as const

/** The newest period first: the first that had begun by then is the one that held. */
const holds = (period: PeriodAnswer, at: string): boolean => period.from === undefined || Date.parse(period.from) <= Date.parse(at)
