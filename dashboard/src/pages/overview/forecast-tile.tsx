import type { ReactNode } from 'react'
import type { PeriodForecastJson } from '../../../../src/server/api.ts'
import { useForecast } from '../../api/use-lists.ts'
import { usd } from '../../format/numbers.ts'
import { clockOf } from '../../format/times.ts'
import { Money } from '../../ui/figure.tsx'
import { Skeleton } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

/** What the month will have cost by its end, and what it has cost. */
export const ForecastTile = (): ReactNode => {
  const { data, error } = useForecast()
  const month = data?.total.find(({ period }) => period === 'month')
  return (
    <ViewLink
      to="/budgets"
      className="flex min-w-0 flex-col gap-1 bg-surface px-4 py-3 outline-offset-[-3px] hover:bg-sunken/60"
      title="Forecasts and budgets"
    >
      {month !== undefined && data ? (
        <Heading month={month} zone={data.tz} />
      ) : (
        <>
          <span className="text-xs text-ink-3">By the end of the month</span>
          {data === undefined && error === null ? (
            <Skeleton className="h-9 w-28" />
          ) : (
            <span className="text-xs leading-9 text-ink-2">{data ? 'Too little is known for a forecast.' : 'No forecast.'}</span>
          )}
        </>
      )}
    </ViewLink>
  )
}

const Heading = ({ month, zone }: { month: PeriodForecastJson; zone: string }): ReactNode => {
  const share = Math.min(1, Number(month.spent) / Math.max(Number(month.expected), Number.MIN_VALUE))
  return (
    <>
      <span className="text-xs text-ink-3">Expected by the end of {clockOf(zone).monthName(Date.parse(month.from))}</span>
      <Money value={month.expected} mark="≈" className="text-2xl leading-9 sm:text-[1.75rem]" />
      <span aria-hidden="true" className="my-px flex h-1 overflow-hidden rounded-full bg-sunken">
        <span className="bg-accent" style={{ width: `${share * 100}%` }} />
      </span>
      <span className="flex flex-wrap gap-x-1 text-xs text-ink-3">
        <span>{usd(month.spent)} so far,</span>
        <span title="Four times in five it ends there">
          likely {usd(month.low)}–{usd(month.high)}
        </span>
      </span>
    </>
  )
}
