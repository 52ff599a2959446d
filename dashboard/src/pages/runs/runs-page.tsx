import type { ReactNode } from 'react'
import type { RunSort } from '../../../../src/server/api.ts'
import { useRuns } from '../../api/use-lists.ts'
import { KeyFigures } from '../../segments/key-figures.tsx'
import { RunTable } from '../../segments/run-table.tsx'
import { useSetView, useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { Segmented } from '../../ui/controls.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Pager } from '../../ui/pager.tsx'
import { Asked, Empty } from '../../ui/states.tsx'

const sorts: readonly { readonly value: RunSort; readonly title: string }[] = [
  { value: 'newest', title: 'Newest' },
  { value: 'costliest', title: 'Costliest' },
  { value: 'longest', title: 'Longest' },
  { value: 'tokens', title: 'Tokens' },
]

/** Every run of the period; each leads to its steps. */
export const RunsPage = (): ReactNode => {
  const { search } = useView()
  const setView = useSetView()
  const sort = sorts.find(({ value }) => value === search.sort)?.value ?? 'newest'
  const query = useRuns({ sort, limit: 50, after: search.after })
  return (
    <>
      <PageHead title="Runs" note="One execution of an agent on one task." />
      <KeyFigures
        title="Runs of the period"
        names={['runs', 'costPerRun', 'costP50', 'costP95', 'costP99', 'costPer1kRuns', 'tokensPerRun', 'toolCostPerRun']}
      />
      <Card
        title={
          sorts.find(({ value }) => value === sort)?.title === 'Tokens'
            ? 'Most tokens first'
            : `${sorts.find(({ value }) => value === sort)?.title} first`
        }
        isFlush
        isStale={query.isPlaceholderData}
        actions={
          <div className="max-w-full overflow-x-auto">
            <Segmented label="Order" value={sort} options={sorts} onChange={(value) => setView({ sort: value, after: undefined })} />
          </div>
        }
      >
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
