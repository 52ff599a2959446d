import type { ReactNode } from 'react'
import type { AnswerRow, SegmentJson, SegmentStatus } from '../../../../src/server/api.ts'
import { useReadings } from '../../api/use-lists.ts'
import { useQuestion } from '../../api/use-question.ts'
import type { Doubtful } from '../../format/doubt.ts'
import { count, decimalsFor } from '../../format/numbers.ts'
import { measureInfo, valueText } from '../../state/measures.ts'
import { useView } from '../../state/use-view.ts'
import { filterText } from '../../state/view.ts'
import { Card } from '../../ui/card.tsx'
import { Badge, type Tone } from '../../ui/controls.tsx'
import { type Column, DataTable } from '../../ui/data-table.tsx'
import { FigureText } from '../../ui/figure.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

const top = 50

/**
 * Segments with what a run of theirs costs and how that stands. The status and its reason are the server's reading; where it has
 * none, or the page is narrowed by a filter that the readings do not know, the same figures stand without a status.
 */
export const SegmentsCard = (): ReactNode => {
  const { filters } = useView()
  const readings = useReadings()
  const isRead = filters.length === 0 && readings.data !== null && readings.error === null && readings.data?.segments.length !== 0
  return isRead ? <ReadSegments /> : <PlainSegments />
}

type Doubts = ReadonlyMap<string, Doubtful>

const doubtsOf = (by: readonly string[], rows: readonly AnswerRow[]): Doubts =>
  new Map(rows.map((row) => [keyOf(by.map((name) => row[name])), row]))

const keyOf = (values: readonly unknown[]): string => JSON.stringify(values.map((value) => value ?? null))

const ReadSegments = (): ReactNode => {
  const query = useReadings()
  const by = Object.keys(query.data?.segments[0]?.segment ?? {})
  // The readings say what segments cost, and this how sure that is.
  const sure = useQuestion({ measures: ['cost'], by, isBare: true, isEnabled: by.length > 0 })
  return (
    <Card title="Segments" isFlush isStale={query.isPlaceholderData}>
      <Asked query={query}>
        {(data) => <SegmentTable segments={data?.segments ?? []} doubts={doubtsOf(by, sure.data?.rows ?? [])} hasStatus />}
      </Asked>
    </Card>
  )
}

const PlainSegments = (): ReactNode => {
  const query = useQuestion({ measures: ['cost', 'runs', 'costPerRun', 'costP95', 'burnRatePerHour'], by: ['agent', 'task'], top })
  return (
    <Card title="Segments" note="Agent and task" isFlush isStale={query.isPlaceholderData}>
      <Asked query={query}>
        {({ rows }) => (
          <SegmentTable
            hasStatus={false}
            doubts={doubtsOf(['agent', 'task'], rows)}
            segments={rows
              .filter((row) => row.folded === undefined)
              .map((row) => ({
                segment: { agent: row.agent as string | null, task: row.task as string | null },
                runs: Number(row.runs),
                costUsd: String(row.cost),
                costPerRunUsd: row.costPerRun as string | null,
                costP95Usd: row.costP95 as string | null,
                burnRatePerHourUsd: row.burnRatePerHour as string | null,
                status: 'ok',
                reason: '',
              }))}
          />
        )}
      </Asked>
    </Card>
  )
}

interface SegmentTableProps {
  readonly segments: readonly SegmentJson[]
  readonly doubts: Doubts
  readonly hasStatus: boolean
}

const SegmentTable = ({ segments, doubts, hasStatus }: SegmentTableProps): ReactNode =>
  segments.length === 0 ? (
    <Empty title="No run began in this period" />
  ) : (
    <DataTable
      label="Segments"
      rows={segments}
      columns={columnsOf(segments, doubts, hasStatus)}
      rowId={({ segment }) => JSON.stringify(segment)}
      sort={hasStatus ? '-status' : '-cost'}
      isSortedByAddress
    />
  )

const columnsOf = (segments: readonly SegmentJson[], doubts: Doubts, hasStatus: boolean): readonly Column<SegmentJson>[] => {
  const money = (
    id: string,
    title: string,
    of: (segment: SegmentJson) => string | null,
    about?: string,
    from?: 'sm' | 'md',
  ): Column<SegmentJson> => {
    const decimals = decimalsFor(segments.map(of))
    return {
      id,
      title,
      isNumber: true,
      sortBy: (segment) => (of(segment) === null ? null : Number(of(segment))),
      cell: (segment) => (
        <FigureText info={dollars} value={of(segment)} row={doubts.get(keyOf(Object.values(segment.segment))) ?? {}} decimals={decimals} />
      ),
      ...(about !== undefined && { about }),
      ...(from !== undefined && { from }),
    }
  }
  return [
    {
      id: 'segment',
      title: 'Segment',
      sortBy: ({ segment }) => Object.values(segment).join(' '),
      cell: (row) => (
        <>
          <SegmentName segment={row.segment} />
          {row.reason !== '' && (
            <span className="block text-xs text-ink-2">
              <bdi>{row.reason}</bdi>
            </span>
          )}
        </>
      ),
      className: 'min-w-48',
    },
    money('perRun', 'Per run', (row) => row.costPerRunUsd, 'Cost of the runs that began in the period, divided by their number.'),
    money('p95', 'p95', (row) => row.costP95Usd, '95 of 100 runs cost no more than this.', 'sm'),
    money('burn', 'Per hour', (row) => row.burnRatePerHourUsd, 'Cost of the period, divided by its hours.', 'md'),
    { id: 'runs', title: 'Runs', isNumber: true, from: 'md', sortBy: (row) => row.runs, cell: (row) => count(row.runs) },
    money('cost', 'Cost', (row) => row.costUsd, undefined, 'sm'),
    ...(hasStatus ? [statusColumn] : []),
  ]
}

const dollars = measureInfo('cost')
const severity: Readonly<Record<SegmentStatus, number>> = { ok: 0, warning: 1, critical: 2 }
const tones: Readonly<Record<SegmentStatus, Tone>> = { ok: 'ok', warning: 'warn', critical: 'bad' }

const statusColumn: Column<SegmentJson> = {
  id: 'status',
  title: 'Status',
  sortBy: (row) => severity[row.status],
  cell: (row) =>
    row.status === 'ok' ? <span className="text-xs text-ink-2">ok</span> : <Badge tone={tones[row.status]}>{row.status}</Badge>,
}

const SegmentName = ({ segment }: { segment: SegmentJson['segment'] }): ReactNode => {
  const { search } = useView()
  const names = Object.entries(segment)
  const where = names.map(([by, value]) => filterText({ by, values: [value], isNot: false }))
  return (
    <ViewLink
      to="/runs"
      patch={{ sort: 'costliest', where: [...(search.where ?? []), ...where] }}
      className="hover:underline"
      title="The costliest runs of this segment"
    >
      {names.map(([by, value], index) => (
        <span key={by}>
          {index > 0 && <span className="text-ink-3"> / </span>}
          <bdi className={index === names.length - 1 ? 'font-medium' : 'text-ink-2'}>{valueText(by, value)}</bdi>
        </span>
      ))}
    </ViewLink>
  )
}
