import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useSession } from '../../api/use-lists.ts'
import { KeyFigures } from '../../segments/key-figures.tsx'
import { Ranking } from '../../segments/ranking.tsx'
import { RunTable } from '../../segments/run-table.tsx'
import { filterText } from '../../state/view.ts'
import { Card } from '../../ui/card.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

/** One session: its runs in the period. */
export const SessionPage = (): ReactNode => {
  const { id } = useParams({ strict: false }) as { id: string }
  const query = useSession(id)
  const where = [filterText({ by: 'session', values: [id], isNot: false })]
  return (
    <>
      <PageHead
        title={id}
        tab={`Session ${id}`}
        note={
          <>
            Session ·{' '}
            <ViewLink to="/sessions" className="link">
              all sessions
            </ViewLink>
          </>
        }
      />
      <Asked query={query}>
        {({ runs, next }) => (
          <>
            <KeyFigures
              title="Key figures"
              names={['cost', 'runs', 'costPerRun', 'calls', 'tokens', 'retries', 'errors', 'toolCost']}
              where={where}
            />
            <div className="grid gap-4 md:grid-cols-2">
              <Ranking title="Models" by="model" where={where} />
              <Ranking title="Tasks" by="task" where={where} />
            </div>
            <Card
              title="Runs, in order"
              isFlush
              isStale={query.isPlaceholderData}
              actions={
                next !== undefined && (
                  <ViewLink to="/runs" patch={{ where }} className="link text-xs text-ink-2">
                    All runs
                  </ViewLink>
                )
              }
            >
              <RunTable runs={runs} label="Runs of the session" />
            </Card>
          </>
        )}
      </Asked>
    </>
  )
}
