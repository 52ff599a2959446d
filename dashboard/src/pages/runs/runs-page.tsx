import type { ReactNode } from 'react'
import { useRuns } from '../../api/use-lists.ts'
import { KeyFigures } from '../../segments/key-figures.tsx'
import { OrderChoice, useOrder } from '../../segments/order.tsx'
import { RunTable } from '../../segments/run-table.tsx'
import { useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Asked, Empty } from '../../ui/states.tsx'

/** Every run of the period; each leads to its steps. */
export const RunsPage = (): ReactNode => {
  const { search } = useView()
  const { order, heading } = useOrder('newest')
  const query = useRuns({ sort: order, limit: 50, after: search.after })
  return (
    <>
      <PageHead title="Runs" note="One execution of an agent on one task." />
      <KeyFigures
        title="Runs of the period"
        names={['runs', 'costPerRun', 'costP50', 'costP95', 'costP99', 'costPer1kRuns', 'tokensPerRun', 'toolCostPerRun']}
      />
      <Card title={heading} isFlush isStale={query.isPlaceholderData} actions={<OrderChoice order={order} />}>
        <Asked query={query}>
          {({ runs, next }) =>
            runs.length === 0 ? (
              <Empty title="No run began in this period">Choose a longer period, or take a filter away.</Empty>
            ) : (
              <>
                <RunTable runs={runs} label="Runs" />
                <Pager next={next} what="runs" />
              </>
            )
          }
        </Asked>
      </Card>
    </>
  )
}
