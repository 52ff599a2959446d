import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useRuns } from '../api/use-lists.ts'
import { attributes, attributeTitle } from '../state/measures.ts'
import { filterText } from '../state/view.ts'
import { Card } from '../ui/card.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Asked, Empty } from '../ui/states.tsx'
import { ViewLink } from '../ui/view-link.tsx'
import { KeyFigures } from './key-figures.tsx'
import { Ranking } from './ranking.tsx'
import { RunTable } from './run-table.tsx'
import type { SegmentKind } from './segment-kinds.ts'
import { SpendCard } from './spend-card.tsx'

/** One value of an attribute, as if it were all there is. */
export const SegmentDetail = ({ kind }: { kind: SegmentKind }): ReactNode => {
  const { value } = useParams({ strict: false }) as { value: string }
  const where = [filterText({ by: kind.by, values: [value], isNot: false }), ...kind.where]
  return (
    <>
      <PageHead
        title={value}
        tab={`${value}, ${kind.title}`}
        note={
          <>
            {attributeTitle(kind.by)} ·{' '}
            <ViewLink to={kind.path} className="link">
              all {kind.title.toLowerCase()}
            </ViewLink>
          </>
        }
      />
      <KeyFigures title="Key figures" names={kind.figures} where={where} />
      <SpendCard title="Spend over time" by={kind.stackedBy} measure={kind.measures[0] ?? 'cost'} where={where} />
      <div className="grid gap-4 md:grid-cols-2 3xl:grid-cols-4">
        {kind.rankings.map((by) => (
          <Ranking
            key={by}
            title={attributes.find(({ name }) => name === by)?.plural ?? by}
            by={by}
            measure={kind.measures[0] ?? 'cost'}
            where={[...where, ...(kindOf[by] ?? [])]}
          />
        ))}
      </div>
      <CostliestRuns where={where} />
    </>
  )
}

/** Models are not used by tools, nor tools by models: a share of both would say nothing of either. */
const kindOf: Readonly<Record<string, readonly string[]>> = { model: ['kind:llm'], tool: ['kind:tool'] }

const CostliestRuns = ({ where }: { where: readonly string[] }): ReactNode => {
  const query = useRuns({ sort: 'costliest', limit: 10, where })
  return (
    <Card
      title="Costliest runs"
      isFlush
      isStale={query.isPlaceholderData}
      actions={
        <ViewLink to="/runs" patch={{ sort: 'costliest', where }} className="link text-xs text-ink-2">
          All runs
        </ViewLink>
      }
    >
      <Asked query={query}>
        {({ runs }) =>
          runs.length === 0 ? <Empty title="No run began in this period" /> : <RunTable runs={runs} label="Costliest runs" />
        }
      </Asked>
    </Card>
  )
}
