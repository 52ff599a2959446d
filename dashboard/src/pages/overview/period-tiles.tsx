import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { QueryAnswer } from '../../../../src/server/api.ts'
import { useQuestion } from '../../api/use-question.ts'
import { Sparkline } from '../../charts/sparkline.tsx'
import { trustOf } from '../../format/coverage.ts'
import { changeOf, usd } from '../../format/numbers.ts'
import { approximate } from '../../format/sums.ts'
import { type Interval, startOf } from '../../state/buckets.ts'
import { type Period, parsePeriod, presets, previousTitle } from '../../state/period.ts'
import { useView } from '../../state/use-view.ts'
import { mergeSearch } from '../../state/view.ts'
import { Change, Money } from '../../ui/figure.tsx'
import { Skeleton } from '../../ui/states.tsx'
import { ForecastTile } from './forecast-tile.tsx'

const titles: Readonly<Record<string, string>> = { today: 'Today', '24h': 'Last 24 hours', '7d': 'Last 7 days', '30d': 'Last 30 days' }
const cuts: Readonly<Record<string, Interval>> = { today: 'hour', '24h': 'hour', '7d': 'day', '30d': 'day' }

/** Four meters, of which the one that is chosen is the period of the page; and where the month is heading. */
export const PeriodTiles = (): ReactNode => (
  <div className="grid gap-px overflow-hidden rounded-lg border border-line bg-line xl:grid-cols-[minmax(0,1fr)_minmax(0,13.5rem)] 3xl:grid-cols-[minmax(0,4fr)_minmax(0,1fr)]">
    <nav aria-label="Spend by period" className="grid grid-cols-2 gap-px xl:grid-cols-4">
      {presets.map(({ name }) => (
        <Tile key={name} name={name} />
      ))}
    </nav>
    <ForecastTile />
  </div>
)

/** The first bucket is left out where the period begins in the middle of it: half a day beside whole ones looks like a rise. */
const courseOf = ({ from, rows, tz }: QueryAnswer, interval: Interval = 'day'): readonly (number | null)[] =>
  rows
    .filter((row) => startOf(interval, Date.parse(from), tz) === Date.parse(from) || Date.parse(row.bucket ?? '') > Date.parse(from))
    .map((row) => approximate(row.cost))

const Tile = ({ name }: { name: string }): ReactNode => {
  const { search, period: chosen } = useView()
  const period = parsePeriod({ last: name }) as Period
  const query = useQuestion({ measures: ['cost'], interval: cuts[name], period, isCompared: true })
  const isChosen = chosen.kind === 'today' ? name === 'today' : chosen.kind === 'last' && chosen.span === name
  const { data } = query
  const before = data?.previous?.totals.cost
  return (
    <Link
      to="."
      search={mergeSearch(search, { last: name, from: undefined, to: undefined }) as never}
      resetScroll={false}
      aria-current={isChosen ? 'true' : undefined}
      className="group relative flex min-w-0 flex-col gap-1 bg-surface px-4 py-3 outline-offset-[-3px] hover:bg-sunken/60"
    >
      <span
        aria-hidden="true"
        className={`absolute inset-x-0 top-0 h-[3px] ${isChosen ? 'bg-accent' : 'bg-transparent group-hover:bg-line'}`}
      />
      <span className={`text-xs ${isChosen ? 'font-medium text-ink' : 'text-ink-3'}`}>{titles[name]}</span>
      {data === undefined ? (
        <Skeleton className="h-9 w-28" />
      ) : (
        <span className={`flex items-end justify-between gap-3 ${query.isPlaceholderData ? 'stale' : ''}`}>
          <Money value={data.totals.cost as string} mark={trustOf(data.coverage).mark} className="text-2xl leading-9 sm:text-[1.75rem]" />
          <Sparkline values={courseOf(data, cuts[name])} className="mb-1 h-8 w-12 max-sm:hidden 2xl:w-24" />
        </span>
      )}
      <span className="flex min-h-4 flex-wrap items-baseline gap-x-2 text-xs text-ink-3">
        {data !== undefined && (
          <>
            <Change change={changeOf(approximate(data.totals.cost), approximate(before))} />
            <span className="truncate">
              <span className="sm:hidden">from </span>
              {usd(before as string | null | undefined)} <span className="max-sm:sr-only">{previousTitle(period)}</span>
            </span>
          </>
        )}
      </span>
    </Link>
  )
}
