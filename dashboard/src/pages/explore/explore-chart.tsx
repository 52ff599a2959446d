import type { ReactNode } from 'react'
import { StackChart } from '../../segments/stack-chart.tsx'
import { StackLegend } from '../../segments/stack-legend.tsx'
import { useStack } from '../../segments/use-stack.ts'
import { type Interval, intervals } from '../../state/buckets.ts'
import { attributeTitle, measureInfo } from '../../state/measures.ts'
import { previousTitle, searchOfPeriod } from '../../state/period.ts'
import { useRange } from '../../state/use-range.ts'
import { useSetView, useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { Skeleton } from '../../ui/states.tsx'
import type { Asked } from './use-asked.ts'

/** The first measure over time, by the first attribute. A question that cannot be asked is explained once, by the table. */
export const ExploreChart = ({ asked }: { asked: Asked }): ReactNode => {
  const { period } = useView()
  const setView = useSetView()
  const range = useRange()
  const measure = asked.measures[0] ?? 'cost'
  const by = asked.by[0] ?? 'kind'
  const interval = intervals.includes(asked.interval as Interval) ? (asked.interval as Interval) : undefined
  const stack = useStack({ by, measure, interval }, range)
  if (stack.error !== null) return null
  const title = `${measureInfo(measure).title} over time`
  return (
    <Card title={title} note={`By ${attributeTitle(by).toLowerCase()}`} isStale={stack.isStale}>
      {stack.data === undefined ? (
        <Skeleton className="h-65 w-full" />
      ) : (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-x-6 gap-y-4 xl:grid-cols-[minmax(0,1fr)_20rem]">
          <StackChart
            stack={stack.data}
            label={title}
            isOpen={range.isMoving}
            height={260}
            onZoom={(from, to) => setView(searchOfPeriod({ kind: 'between', from, to }))}
          />
          <StackLegend stack={stack.data} by={by} against={previousTitle(period)} />
        </div>
      )}
    </Card>
  )
}
