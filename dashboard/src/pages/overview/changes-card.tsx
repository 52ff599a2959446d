import type { ReactNode } from 'react'
import type { ReadingJson } from '../../../../src/server/api.ts'
import { useReadings } from '../../api/use-lists.ts'
import { picoOf, signedUsd, usdTextOf } from '../../format/numbers.ts'
import { parseSearch } from '../../state/view.ts'
import { Card } from '../../ui/card.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Asked, Empty, Skeleton } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

const shown = 4

/** The readings: what moved and why, each with the question that shows it. Left out where the server has none. */
export const ChangesCard = (): ReactNode => {
  const query = useReadings()
  if (query.data === null || query.error !== null) return null
  return (
    <Card title="What changed" note="Of the whole ledger, against the period before" isStale={query.isPlaceholderData}>
      <Asked query={query} loading={<Skeleton className="h-24 w-full" />}>
        {(data) =>
          data === null || data.readings.length === 0 ? (
            <Empty title="Nothing moved that is worth a sentence" icon="check" />
          ) : (
            <>
              <ReadingList readings={ranked(data.readings).slice(0, shown)} />
              {data.readings.length > shown && (
                <details className="mt-3 border-t border-line pt-3">
                  <summary className="w-fit text-xs text-ink-2 hover:text-ink">{data.readings.length - shown} more</summary>
                  <ReadingList readings={ranked(data.readings).slice(shown)} />
                </details>
              )}
            </>
          )
        }
      </Asked>
    </Card>
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
      <p>
        {reading.severity !== 'info' && <span className="sr-only">{reading.severity}: </span>}
        <bdi>{reading.sentence}</bdi>{' '}
        <ViewLink to="/explore" patch={readingSearch(reading.query)} className="link whitespace-nowrap text-ink-2">
          Show it
        </ViewLink>
      </p>
      <Parts parts={reading.parts} isOpen={reading.severity !== 'info'} />
    </div>
  </li>
)

/** The parameters of a question → the address of the page that puts it. */
const readingSearch = (query: string) => {
  const { last, from, to, tz, where, measure, by, interval, top } = parseSearch(query)
  return { last, from, to, tz, where, measure, by, interval, top }
}

const partsShown = 5

/** What the change is made of, as bars to the left and right of nothing: the largest parts, and what the others come to. */
const Parts = ({ parts, isOpen }: { parts: ReadingJson['parts']; isOpen: boolean }): ReactNode => {
  const known = parts
    .filter((part) => Number(part.amountUsd) !== 0)
    .toSorted((left, right) => Math.abs(Number(right.amountUsd)) - Math.abs(Number(left.amountUsd)))
  const largest = Math.abs(Number(known[0]?.amountUsd ?? 0))
  if (known.length < 2 || largest === 0) return null
  const rest = known.slice(partsShown)
  const shownParts =
    rest.length === 0
      ? known
      : [...known.slice(0, partsShown), { name: `${rest.length} smaller parts`, amountUsd: sumUsd(rest.map((part) => part.amountUsd)) }]
  return (
    <details className="mt-1.5 text-xs" open={isOpen}>
      <summary className="w-fit text-ink-3 hover:text-ink">What it is made of</summary>
      <PartList parts={shownParts} largest={largest} />
    </details>
  )
}

const PartList = ({ parts, largest }: { parts: ReadingJson['parts']; largest: number }): ReactNode => (
  <ul className="mt-1 grid gap-y-1">
    {parts.map((part) => {
      const amount = Number(part.amountUsd)
      return (
        <li
          key={part.name}
          className="grid grid-cols-[minmax(0,1fr)_5rem_4.75rem] items-center gap-3 sm:grid-cols-[minmax(0,15rem)_minmax(4rem,14rem)_4.75rem]"
        >
          <bdi className="truncate text-ink-2">{part.name}</bdi>
          <span aria-hidden="true" className="relative h-1.5 rounded-full bg-sunken">
            <span
              className={`absolute inset-y-0 rounded-full ${amount > 0 ? 'left-1/2 bg-up' : 'right-1/2 bg-down'}`}
              style={{ width: `${(Math.abs(amount) / largest) * 50}%` }}
            />
          </span>
          <span className="text-right font-medium whitespace-nowrap">{signedUsd(part.amountUsd)}</span>
        </li>
      )
    })}
  </ul>
)

const sumUsd = (amounts: readonly string[]): string => usdTextOf(amounts.reduce((sum, amount) => sum + (picoOf(amount) ?? 0n), 0n))
