import { type ReactNode, useMemo } from 'react'
import { bucketTitle } from '../charts/axis.ts'
import { approximate } from '../format/sums.ts'
import { clockOf } from '../format/times.ts'
import { nextStart } from '../state/buckets.ts'
import { type Column, DataTable } from '../ui/data-table.tsx'
import { FigureText } from '../ui/figure.tsx'
import type { Stack } from './stack-of.ts'

/** The same figures as the chart's, newest bucket first. */
export const StackTable = ({ stack, by }: { stack: Stack; by: string }): ReactNode => {
  const columns = useMemo(() => columnsOf(stack), [stack])
  const rows = useMemo(() => stack.starts.map((_, index) => index).reverse(), [stack])
  return (
    <DataTable
      label={`${stack.info.title} by ${by} over time`}
      rows={rows.map((index) => ({ index }))}
      columns={columns}
      rowId={(row) => String(row.index)}
    />
  )
}

const columnsOf = (stack: Stack): readonly Column<{ index: number }>[] => {
  const { info, interval, starts, layers, wholes, wholeDoubts, answer } = stack
  const clock = clockOf(answer.tz)
  return [
    {
      id: 'when',
      title: `By ${interval}`,
      className: 'whitespace-nowrap',
      cell: ({ index }) => {
        const start = starts[index] ?? 0
        return bucketTitle(start, nextStart(interval, start, answer.tz), interval, clock)
      },
    },
    ...(info.isSum
      ? [
          {
            id: 'whole',
            title: 'Total',
            isNumber: true,
            cell: ({ index }: { index: number }) => <FigureText info={info} value={wholes[index]} row={wholeDoubts[index]} />,
          },
        ]
      : []),
    ...layers.map((layer) => ({
      id: `layer:${layer.name}`,
      title: layer.name,
      isNumber: true,
      sortBy: ({ index }: { index: number }) => approximate(layer.values[index]),
      cell: ({ index }: { index: number }) => <FigureText info={info} value={layer.values[index]} row={layer.doubts[index]} />,
    })),
  ]
}
