import type { ReactNode } from 'react'
import { useRuns } from '../../api/use-lists.ts'
import { counted, duration } from '../../format/numbers.ts'
import { StopBadge } from '../../segments/run-badges.tsx'
import { RunCost, useRunDoubts } from '../../segments/run-cost.tsx'
import { Card } from '../../ui/card.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'

/** The runs to open first. */
export const CostliestCard = (): ReactNode => {
  const query = useRuns({ sort: 'costliest', limit: 6 })
  const doubts = useRunDoubts(query.data?.runs ?? [])
  return (
    <Card
      title="Costliest runs"
      isStale={query.isPlaceholderData}
      actions={
        <ViewLink to="/runs" patch={{ sort: 'costliest' }} className="link text-xs text-ink-2">
          All runs
        </ViewLink>
      }
    >
      <Asked query={query}>
        {({ runs }) =>
          runs.length === 0 ? (
            <Empty title="No run began in this period" />
          ) : (
            <ol className="-mx-2 flex flex-col">
              {runs.map((run) => (
                <li key={run.run}>
                  <ViewLink to={pathOf('/runs', run.run)} className="flex items-center gap-3 rounded-md px-2 py-1.5 hover:bg-sunken">
                    <span className="mr-auto min-w-0">
                      <span className="block truncate">
                        <bdi>{run.task ?? run.run}</bdi>
                      </span>
                      <span className="block truncate text-xs text-ink-3">
                        <bdi>{run.agent ?? 'no agent'}</bdi> · {counted(run.calls, 'call')} · {duration(run.durationMs)}
                      </span>
                    </span>
                    {run.stopReason !== 'completed' && <StopBadge run={run} />}
                    <RunCost run={run} doubts={doubts} />
                  </ViewLink>
                </li>
              ))}
            </ol>
          )
        }
      </Asked>
    </Card>
  )
}
