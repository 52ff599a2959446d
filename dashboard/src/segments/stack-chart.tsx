import { type ReactNode, useMemo } from 'react'
import { TimeChart } from '../charts/time-chart.tsx'
import { approximate } from '../format/sums.ts'
import { FigureText } from '../ui/figure.tsx'
import type { Stack } from './stack-of.ts'
import { axisText, summaryOf } from './stack-text.ts'

interface StackChartProps {
  readonly stack: Stack
  readonly label: string
  readonly isOpen: boolean
  readonly height?: number
  readonly onZoom: (from: number, to: number) => void
}

/** A stack drawn: bars for sums, lines for everything that cannot be added up. */
export const StackChart = ({ stack, label, isOpen, height, onZoom }: StackChartProps): ReactNode => {
  const { info, starts, interval, layers, wholes, wholeDoubts, answer } = stack
  const series = useMemo(
    () => layers.map((layer) => ({ name: layer.name, color: layer.color, values: layer.values.map(approximate) })),
    [layers],
  )
  return (
    <TimeChart
      label={`${label}. ${summaryOf(stack)}`}
      starts={starts}
      interval={interval}
      zone={answer.tz}
      series={series}
      kind={info.isSum ? 'stack' : 'line'}
      axisText={(value) => axisText(info, value)}
      figureOf={(layer, bucket) => <FigureText info={info} value={layers[layer]?.values[bucket]} row={layers[layer]?.doubts[bucket]} />}
      totalOf={(bucket) => <FigureText info={info} value={wholes[bucket]} row={wholeDoubts[bucket]} />}
      isOpen={isOpen}
      onZoom={onZoom}
      {...(height !== undefined && { height })}
    />
  )
}
