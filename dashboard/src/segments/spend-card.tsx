import type { ReactNode } from 'react'
import { intervals } from '../state/buckets.ts'
import { attributes, attributeTitle, measureInfo } from '../state/measures.ts'
import { previousTitle, searchOfPeriod } from '../state/period.ts'
import { useRange } from '../state/use-range.ts'
import { useSetView, useView } from '../state/use-view.ts'
import { Card } from '../ui/card.tsx'
import { IconButton, Select } from '../ui/controls.tsx'
import { CoverageMark } from '../ui/coverage-mark.tsx'
import { Asked, Empty, Skeleton } from '../ui/states.tsx'
import { StackChart } from './stack-chart.tsx'
import { StackLegend } from './stack-legend.tsx'
import { StackTable } from './stack-table.tsx'
import { useStack } from './use-stack.ts'

interface SpendCardProps {
  readonly title: string
  readonly measure?: string
  /** What it is stacked by unless the address says otherwise. */
  readonly by: string
  /** The page is about this attribute: nothing else can be chosen. */
  readonly isFixed?: boolean
  readonly where?: readonly string[]
  readonly className?: string
}

const chartHeight = 240

/** A measure over time, stacked, with its legend; or the same as a table. */
export const SpendCard = ({ title, measure = 'cost', by: usual, isFixed = false, where, className }: SpendCardProps): ReactNode => {
  const { search, period } = useView()
  const setView = useSetView()
  const range = useRange()
  const by = isFixed ? usual : (search.by ?? usual)
  const interval = intervals.find((each) => each === search.interval)
  const stack = useStack({ by, measure, interval, ...(where !== undefined && { where }) }, range)
  const isTable = search.table === '1'
  const zoom = (from: number, to: number): void => setView({ ...searchOfPeriod({ kind: 'between', from, to }), after: undefined })
  return (
    <Card
      title={title}
      isStale={stack.isStale}
      {...(className !== undefined && { className })}
      actions={
        <div className="flex flex-wrap items-center gap-2">
          {stack.data !== undefined && <CoverageMark coverage={stack.data.answer.coverage} />}
          {!isFixed && (
            <Select
              label="Stacked by"
              value={by}
              options={attributes
                .filter(({ name }) => name !== 'run' && name !== 'step')
                .map(({ name, title: text }) => ({ value: name, title: `by ${text.toLowerCase()}` }))}
              onChange={(value) => setView({ by: value === usual ? undefined : value }, { replace: true })}
            />
          )}
          <Select
            label="Bars"
            value={search.interval ?? ''}
            className="max-sm:hidden"
            options={[
              { value: '', title: `per ${stack.data?.interval ?? 'hour'}, auto` },
              ...intervals.map((each) => ({ value: each, title: `per ${each}` })),
            ]}
            onChange={(value) => setView({ interval: value || undefined }, { replace: true })}
          />
          <IconButton
            icon={isTable ? 'chart' : 'table'}
            label={isTable ? 'Show as a chart' : 'Show as a table'}
            onClick={() => setView({ table: isTable ? undefined : '1' }, { replace: true })}
          />
        </div>
      }
    >
      <Asked query={stack} loading={<Skeleton className="h-60 w-full" />}>
        {(data) =>
          data.layers.length === 0 ? (
            <Empty title="Nothing was spent in this period">Choose a longer period, or take a filter away.</Empty>
          ) : isTable ? (
            <StackTable stack={data} by={attributeTitle(by)} />
          ) : (
            <div className="grid grid-cols-[minmax(0,1fr)] gap-x-6 gap-y-4 xl:grid-cols-[minmax(0,1fr)_20rem]">
              <StackChart
                stack={data}
                label={`${title}, ${measureInfo(measure).title.toLowerCase()} by ${attributeTitle(by).toLowerCase()}`}
                isOpen={range.isMoving}
                height={chartHeight}
                onZoom={zoom}
              />
              <StackLegend stack={data} by={by} against={previousTitle(period)} />
            </div>
          )
        }
      </Asked>
    </Card>
  )
}
