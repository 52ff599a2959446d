import type { ReactNode } from 'react'
import type { PeriodForecastJson } from '../../../../src/server/api.ts'
import { useForecast } from '../../api/use-lists.ts'
import { usd } from '../../format/numbers.ts'
import { clockOf } from '../../format/times.ts'
import { Card } from '../../ui/card.tsx'
import { Money } from '../../ui/figure.tsx'
import { Asked, Empty, Skeleton } from '../../ui/states.tsx'

/** What the day, the week and the month will have cost by their end. Left out where the server makes no forecasts. */
export const AheadCard = (): ReactNode => {
  const query = useForecast()
  if (query.data === null) return null
  return (
    <Card title="What lies ahead" note={query.data && `From the hours, days and weeks before, in the time of ${query.data.tz}`}>
      <Asked query={query} loading={<Skeleton className="h-24 w-full" />}>
        {(data) =>
          data === null || data.total.length === 0 ? (
            <Empty title="Too little is known for a forecast" icon="clock">
              It takes six hours of calls.
            </Empty>
          ) : (
            <ul aria-label="Forecasts" className="grid gap-x-8 gap-y-5 sm:grid-cols-3">
              {data.total.map((each) => (
                <Ahead key={each.period} forecast={each} zone={data.tz} />
              ))}
            </ul>
          )
        }
      </Asked>
    </Card>
  )
}

const titles = { day: 'By the end of today', week: 'By the end of the week', month: 'By the end of the month' } as const

/** A bar as long as the upper end of what is likely: spent is solid, what is likely is a band, and the expected a tick in it. */
const Ahead = ({ forecast, zone }: { forecast: PeriodForecastJson; zone: string }): ReactNode => {
  const most = Math.max(Number(forecast.high), Number(forecast.spent), Number.MIN_VALUE)
  const share = (amount: string): number => Math.min(100, (Number(amount) / most) * 100)
  return (
    <li className="flex min-w-0 flex-col gap-1">
      <span className="text-xs text-ink-3" title={`It ends ${clockOf(zone).full(Date.parse(forecast.to))}`}>
        {titles[forecast.period]}
      </span>
      <Money value={forecast.expected} mark="≈" className="text-2xl leading-9" />
      <span aria-hidden="true" className="relative block h-2 overflow-hidden rounded-full bg-sunken">
        <span className="absolute inset-y-0 left-0 bg-s3" style={{ width: `${share(forecast.spent)}%` }} />
        <span
          className="absolute inset-y-0 bg-s3 opacity-35"
          style={{ left: `${share(forecast.low)}%`, width: `${share(forecast.high) - share(forecast.low)}%` }}
        />
        <span className="absolute inset-y-0 w-0.5 bg-ink" style={{ left: `${share(forecast.expected)}%` }} />
      </span>
      <span className="flex flex-wrap gap-x-1 text-xs text-ink-3">
        <span>{usd(forecast.spent)} so far,</span>
        <span title="Four times in five it ends there">
          likely {usd(forecast.low)}–{usd(forecast.high)}
        </span>
      </span>
    </li>
  )
}
