import type { ReactNode } from 'react'
import type { ReadingJson } from '../../../../src/server/api.ts'
import { useReadings } from '../../api/use-lists.ts'
import { signedUsd } from '../../format/numbers.ts'
import { previousTitle } from '../../state/period.ts'
import { useView } from '../../state/use-view.ts'
import { parseSearch } from '../../state/view.ts'
import { Card } from '../../ui/card.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Asked, Empty, Skeleton } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'
import { Bridge } from './bridge.tsx'
import { causeTitle, largest } from './causes.ts'

const shown = 3

/** The readings: how the whole moved and why, then what moved in it, each with the question that shows it. Left out where the server has none. */
export const ChangesCard = (): ReactNode => {
  const { period, filters } = useView()
  const query = useReadings()
  if (query.data === null || query.error !== null) return null
  return (
    <Card
      title="What changed, and why"
      note={`Against ${previousTitle(period)}${filters.length > 0 ? ', of the whole ledger' : ''}`}
      isStale={query.isPlaceholderData}
    >
      <Asked query={query} loading={<Skeleton className="h-56 w-full" />}>
        {(data) =>
          data === null || data.readings.length === 0 ? (
            <Empty title="Nothing moved that is worth a sentence" icon="check" />
          ) : (
            <Changes readings={data.readings} />
          )
        }
      </Asked>
    </Card>
  )
}

const Changes = ({ readings }: { readings: readonly ReadingJson[] }): ReactNode => {
  const whole = readings.find(({ segment, parts }) => Object.keys(segment).length === 0 && parts.length > 0)
  const others = ranked(readings.filter((reading) => reading !== whole))
  return (
    <div
      className={`grid gap-x-8 gap-y-5 ${whole === undefined || others.length === 0 ? '' : 'lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]'}`}
    >
      {whole !== undefined && (
        <div className="flex flex-col gap-2">
          <Sentence reading={whole} />
          <Bridge parts={whole.parts} />
        </div>
      )}
      {others.length > 0 && (
        <div className="min-w-0 lg:nth-2:border-l lg:nth-2:border-line lg:nth-2:pl-8">
          <ReadingList readings={others.slice(0, shown)} />
          {others.length > shown && (
            <details className="mt-3 border-t border-line pt-3">
              <summary className="mb-3 w-fit text-xs text-ink-2 hover:text-ink">{others.length - shown} more</summary>
              <ReadingList readings={others.slice(shown)} />
            </details>
          )}
        </div>
      )}
    </div>
  )
}

const severities = ['critical', 'warning', 'info'] as const

/** What wants attention first; otherwise in the server's order. */
const ranked = (readings: readonly ReadingJson[]): readonly ReadingJson[] =>
  readings.toSorted((left, right) => severities.indexOf(left.severity) - severities.indexOf(right.severity))

const ReadingList = ({ readings }: { readings: readonly ReadingJson[] }): ReactNode => (
  <ul className="flex flex-col divide-y divide-line">
    {readings.map((reading) => (
      <Reading key={`${reading.kind}${reading.sentence}`} reading={reading} />
    ))}
  </ul>
)

const tones = { info: 'text-ink-3', warning: 'text-warn', critical: 'text-bad' } as const

const Reading = ({ reading }: { reading: ReadingJson }): ReactNode => (
  <li className="flex gap-3 py-3 first:pt-0 last:pb-0">
    <Icon name={reading.severity === 'info' ? 'info' : 'warn'} className={`mt-0.5 size-4 ${tones[reading.severity]}`} />
    <div className="min-w-0 flex-1">
      <Sentence reading={reading} />
      <Parts parts={reading.parts} isOpen={reading.severity !== 'info'} />
    </div>
  </li>
)

const Sentence = ({ reading }: { reading: ReadingJson }): ReactNode => (
  <p className="text-pretty">
    {reading.severity !== 'info' && <span className="sr-only">{reading.severity}: </span>}
    <bdi>{reading.sentence}</bdi>{' '}
    <ViewLink to="/explore" patch={readingSearch(reading.query)} className="link whitespace-nowrap text-ink-2">
      Show it
    </ViewLink>
  </p>
)

/** The parameters of a question → the address of the page that puts it. */
const readingSearch = (query: string) => {
  const { last, from, to, tz, where, measure, by, interval, top } = parseSearch(query)
  return { last, from, to, tz, where, measure, by, interval, top }
}

const partsShown = 4

/** What the change is made of, as bars to the left and right of nothing: the largest parts, and what the others come to. */
const Parts = ({ parts, isOpen }: { parts: ReadingJson['parts']; isOpen: boolean }): ReactNode => {
  const rows = largest(parts, partsShown)
  const most = Math.max(...rows.map((part) => Math.abs(Number(part.amountUsd))), 0)
  if (rows.length < 2 || most === 0) return null
  return (
    <details className="mt-1.5 text-xs" open={isOpen}>
      <summary className="w-fit text-ink-3 hover:text-ink">What it is made of</summary>
      <PartList parts={rows} most={most} />
    </details>
  )
}

const PartList = ({ parts, most }: { parts: ReadingJson['parts']; most: number }): ReactNode => (
  <ul className="mt-1 grid gap-y-1">
    {parts.map((part) => {
      const amount = Number(part.amountUsd)
      return (
        <li
          key={part.name}
          className="grid grid-cols-[minmax(0,1fr)_5rem_4.75rem] items-center gap-3 sm:grid-cols-[minmax(0,14rem)_minmax(4rem,1fr)_4.75rem]"
        >
          <bdi className="truncate text-ink-2">{causeTitle(part.name)}</bdi>
          <span aria-hidden="true" className="relative h-1.5 rounded-full bg-sunken">
            <span
              className={`absolute inset-y-0 rounded-full ${amount > 0 ? 'left-1/2 bg-up' : 'right-1/2 bg-down'}`}
              style={{ width: `${(Math.abs(amount) / most) * 50}%` }}
            />
          </span>
          <span className="text-right font-medium whitespace-nowrap">{signedUsd(part.amountUsd)}</span>
        </li>
      )
    })}
  </ul>
)
