import type { ReactNode } from 'react'
import { trustOf } from '../../format/coverage.ts'
import { percent } from '../../format/numbers.ts'
import { useKeyFigures } from '../../segments/key-figures.tsx'
import { Card } from '../../ui/card.tsx'
import { CoverageBar, CoverageTable } from '../../ui/coverage-mark.tsx'
import { Asked, Skeleton } from '../../ui/states.tsx'

/** How much of what is shown is sure. */
export const CoverageCard = ({ figures }: { figures: readonly string[] }): ReactNode => {
  const query = useKeyFigures(figures)
  return (
    <Card title="Coverage" isStale={query.isPlaceholderData}>
      <Asked query={query} loading={<Skeleton className="h-40 w-full" />}>
        {({ coverage }) => (
          <div className="flex flex-col gap-3">
            <p className="text-2xl font-semibold tracking-tight">
              {percent(trustOf(coverage).shareSure)}{' '}
              <span className="text-xs font-normal tracking-normal text-ink-3">of calls priced exactly</span>
            </p>
            <CoverageBar coverage={coverage} className="h-2 w-full" />
            <CoverageTable coverage={coverage} />
          </div>
        )}
      </Asked>
    </Card>
  )
}
