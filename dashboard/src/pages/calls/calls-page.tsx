import type { ReactNode } from 'react'
import type { CallJson } from '../../../../src/server/api.ts'
import { useLiveState } from '../../api/live-context.tsx'
import { useEntries } from '../../api/use-lists.ts'
import { compact, count, duration } from '../../format/numbers.ts'
import { clockOf } from '../../format/times.ts'
import { ChargeText } from '../../segments/charge-text.tsx'
import { useSetView, useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { Badge, Segmented } from '../../ui/controls.tsx'
import { type Column, DataTable } from '../../ui/data-table.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'

/** The entries of the ledger themselves: what every total is made of. */
export const CallsPage = (): ReactNode => {
  const { search, zone } = useView()
  const setView = useSetView()
  const isLive = search.sort === 'newest'
  return (
    <>
      <PageHead title="Calls" note="The entries that every figure is made of.">
        <Segmented
          label="Which calls"
          value={isLive ? 'newest' : 'all'}
          options={[
            { value: 'all', title: 'Of the period' },
            { value: 'newest', title: 'As they come' },
          ]}
          onChange={(value) => setView({ sort: value === 'all' ? undefined : value, after: undefined })}
        />
      </PageHead>
      {isLive ? <LiveCalls zone={zone} /> : <PeriodCalls zone={zone} />}
    </>
  )
}

const PeriodCalls = ({ zone }: { zone: string }): ReactNode => {
  const { search } = useView()
  const query = useEntries(100, search.after)
  return (
    <Card title="Oldest first" isFlush isStale={query.isPlaceholderData}>
      <Asked query={query}>
        {({ entries, next }) =>
          entries.length === 0 ? (
            <Empty title="No call was made in this period" />
          ) : (
            <>
              <CallTable calls={entries} zone={zone} />
              <Pager next={next} what="calls" />
            </>
          )
        }
      </Asked>
    </Card>
  )
}

const LiveCalls = ({ zone }: { zone: string }): ReactNode => {
  const { recent, seen } = useLiveState()
  return (
    <Card title="As they come" note={`${count(seen)} since this page was opened; the latest ${recent.length} are shown`} isFlush>
      {recent.length === 0 ? <Empty title="Waiting for the next call" icon="clock" /> : <CallTable calls={recent} zone={zone} />}
    </Card>
  )
}

const CallTable = ({ calls, zone }: { calls: readonly CallJson[]; zone: string }): ReactNode => (
  <DataTable label="Calls" rows={calls} columns={columnsOf(zone)} rowId={(call) => call.id} />
)

const columnsOf = (zone: string): readonly Column<CallJson>[] => {
  const clock = clockOf(zone)
  return [
    {
      id: 'at',
      title: 'At',
      className: 'whitespace-nowrap',
      cell: (call) => <span title={clock.full(Date.parse(call.at))}>{clock.moment(Date.parse(call.at))}</span>,
    },
    {
      id: 'name',
      title: 'Model or tool',
      className: 'max-w-56 truncate',
      cell: (call) => <bdi className="font-medium">{call.kind === 'llm' ? call.model : call.tool}</bdi>,
    },
    { id: 'cost', title: 'Cost', isNumber: true, cell: (call) => <ChargeText charge={call.charge} /> },
    {
      id: 'status',
      title: 'Status',
      cell: (call) => (
        <span className="flex gap-1">
          {call.status === 'ok' ? (
            <span className="text-xs text-ink-2">ok</span>
          ) : (
            <Badge tone={call.status === 'aborted' ? 'warn' : 'bad'}>{call.error ?? call.status}</Badge>
          )}
          {call.attempt > 0 && <Badge tone="warn">try {call.attempt + 1}</Badge>}
        </span>
      ),
    },
    { id: 'in', title: 'In', isNumber: true, from: 'md', cell: (call) => (call.kind === 'llm' ? compact(call.promptTokens) : '–') },
    { id: 'out', title: 'Out', isNumber: true, from: 'md', cell: (call) => (call.kind === 'llm' ? compact(call.completionTokens) : '–') },
    { id: 'took', title: 'Took', isNumber: true, from: 'md', cell: (call) => duration(call.durationMs) },
    { id: 'agent', title: 'Agent', from: 'lg', className: 'max-w-40 truncate', cell: (call) => <bdi>{call.agent ?? '–'}</bdi> },
    { id: 'task', title: 'Task', from: 'lg', className: 'max-w-40 truncate', cell: (call) => <bdi>{call.task ?? '–'}</bdi> },
    {
      id: 'run',
      title: 'Run',
      className: 'max-w-28 truncate',
      cell: (call) =>
        call.run === undefined ? (
          '–'
        ) : (
          <ViewLink to={pathOf('/runs', call.run)} patch={{ call: call.id }} className="link font-mono text-xs">
            {call.run}
          </ViewLink>
        ),
    },
  ]
}
