import type { ReactNode } from 'react'
import type { SessionJson } from '../../../../src/server/api.ts'
import { useSessions } from '../../api/use-lists.ts'
import { ShareBar } from '../../charts/sparkline.tsx'
import { compact, count, decimalsFor, duration } from '../../format/numbers.ts'
import { clockOf } from '../../format/times.ts'
import { OrderChoice, useOrder } from '../../segments/order.tsx'
import { measureInfo } from '../../state/measures.ts'
import { useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { type Column, DataTable } from '../../ui/data-table.tsx'
import { FigureText } from '../../ui/figure.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'

/** Conversations and jobs: what runs belong to. */
export const SessionsPage = (): ReactNode => {
  const { search, zone } = useView()
  const { order, heading } = useOrder('costliest')
  const query = useSessions({ sort: order, limit: 50, after: search.after })
  return (
    <>
      <PageHead title="Sessions" note="The conversation or job that runs belong to." />
      <Card title={heading} isFlush isStale={query.isPlaceholderData} actions={<OrderChoice order={order} />}>
        <Asked query={query}>
          {({ sessions, next }) =>
            sessions.length === 0 ? (
              <Empty title="No session in this period">Calls that name a session are gathered here.</Empty>
            ) : (
              <>
                <DataTable label="Sessions" rows={sessions} columns={columnsOf(sessions, zone)} rowId={(row) => row.session} />
                <Pager next={next} what="sessions" />
              </>
            )
          }
        </Asked>
      </Card>
    </>
  )
}

const columnsOf = (sessions: readonly SessionJson[], zone: string): readonly Column<SessionJson>[] => {
  const decimals = decimalsFor(sessions.map((session) => session.costUsd))
  const clock = clockOf(zone)
  const most = Math.max(...sessions.map((session) => Number(session.costUsd)))
  return [
    {
      id: 'session',
      title: 'Session',
      className: 'max-w-80 min-w-36 truncate',
      cell: (row) => (
        <ViewLink to={pathOf('/sessions', row.session)} className="font-medium hover:underline">
          <bdi>{row.session}</bdi>
        </ViewLink>
      ),
    },
    {
      id: 'cost',
      title: 'Cost',
      isNumber: true,
      cell: (row) => (
        <span className="font-medium">
          <FigureText info={measureInfo('cost')} value={row.costUsd} row={row} decimals={decimals} />
          <ShareBar share={most > 0 ? Number(row.costUsd) / most : 0} className="mt-0.5 ml-auto h-1 w-20" />
        </span>
      ),
    },
    { id: 'started', title: 'Began', from: 'sm', className: 'whitespace-nowrap', cell: (row) => clock.minute(Date.parse(row.startedAt)) },
    { id: 'took', title: 'Lasted', isNumber: true, from: 'md', cell: (row) => duration(row.durationMs) },
    { id: 'runs', title: 'Runs', isNumber: true, cell: (row) => count(row.runs) },
    { id: 'calls', title: 'Calls', isNumber: true, from: 'sm', cell: (row) => count(row.calls) },
    { id: 'retries', title: 'Retries', isNumber: true, from: 'md', cell: (row) => count(row.retries) },
    { id: 'errors', title: 'Errors', isNumber: true, from: 'md', cell: (row) => count(row.errors) },
    {
      id: 'in',
      title: 'Tokens in',
      isNumber: true,
      from: 'lg',
      cell: (row) => compact(row.promptTokens),
    },
    {
      id: 'out',
      title: 'Tokens out',
      isNumber: true,
      from: 'lg',
      cell: (row) => compact(row.completionTokens),
    },
  ]
}
