import type { ReactNode } from 'react'
import type { SessionJson } from '../../../../src/server/api.ts'
import { useSessions } from '../../api/use-lists.ts'
import { ShareBar } from '../../charts/sparkline.tsx'
import { compact, count, decimalsFor } from '../../format/numbers.ts'
import { measureInfo } from '../../state/measures.ts'
import { Card } from '../../ui/card.tsx'
import { type Column, DataTable } from '../../ui/data-table.tsx'
import { FigureText } from '../../ui/figure.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'

const limit = 200

/** Conversations and jobs: what runs belong to. */
export const SessionsPage = (): ReactNode => {
  const query = useSessions(limit)
  return (
    <>
      <PageHead title="Sessions" note="The conversation or job that runs belong to." />
      <Card
        title="Costliest first"
        note={query.data?.next !== undefined ? `The first ${limit}; a filter or a shorter period shows the others` : undefined}
        isFlush
        isStale={query.isPlaceholderData}
      >
        <Asked query={query}>
          {({ sessions }) =>
            sessions.length === 0 ? (
              <Empty title="No session in this period">Calls that name a session are gathered here.</Empty>
            ) : (
              <DataTable
                label="Sessions"
                rows={sessions}
                columns={columnsOf(sessions)}
                rowId={(row) => row.session}
                sort="-cost"
                isSortedByAddress
              />
            )
          }
        </Asked>
      </Card>
    </>
  )
}

const columnsOf = (sessions: readonly SessionJson[]): readonly Column<SessionJson>[] => {
  const decimals = decimalsFor(sessions.map((session) => session.costUsd))
  const most = Math.max(...sessions.map((session) => Number(session.costUsd)))
  return [
    {
      id: 'session',
      title: 'Session',
      className: 'max-w-80 min-w-36 truncate',
      sortBy: (row) => row.session,
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
      sortBy: (row) => (row.costUsd === null ? null : Number(row.costUsd)),
      cell: (row) => (
        <span className="font-medium">
          <FigureText info={measureInfo('cost')} value={row.costUsd} row={row} decimals={decimals} />
          <ShareBar share={most > 0 ? Number(row.costUsd) / most : 0} className="mt-0.5 ml-auto h-1 w-20" />
        </span>
      ),
    },
    { id: 'runs', title: 'Runs', isNumber: true, sortBy: (row) => row.runs, cell: (row) => count(row.runs) },
    { id: 'calls', title: 'Calls', isNumber: true, from: 'sm', sortBy: (row) => row.calls, cell: (row) => count(row.calls) },
    { id: 'retries', title: 'Retries', isNumber: true, from: 'md', sortBy: (row) => row.retries, cell: (row) => count(row.retries) },
    { id: 'errors', title: 'Errors', isNumber: true, from: 'md', sortBy: (row) => row.errors, cell: (row) => count(row.errors) },
    {
      id: 'in',
      title: 'Tokens in',
      isNumber: true,
      from: 'lg',
      sortBy: (row) => Number(row.promptTokens),
      cell: (row) => compact(row.promptTokens),
    },
    {
      id: 'out',
      title: 'Tokens out',
      isNumber: true,
      from: 'lg',
      sortBy: (row) => Number(row.completionTokens),
      cell: (row) => compact(row.completionTokens),
    },
  ]
}
