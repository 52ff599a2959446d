import type { Interval } from '../state/buckets.ts'

export interface Series {
  readonly name: string
  readonly color: string
  /** One per bucket; `null` where the figure is not defined. */
  readonly values: readonly (number | null)[]
}

export interface TimeChartProps {
  readonly label: string
  readonly starts: readonly number[]
  readonly interval: Interval
  readonly zone: string
  readonly series: readonly Series[]
  /** Sums are stacked bars; everything else is lines. */
  readonly kind: 'stack' | 'line'
  readonly axisText: (value: number) => string
  readonly figureText: (seriesIndex: number, bucketIndex: number) => string
  readonly totalText?: (bucketIndex: number) => string
  readonly onZoom?: (from: number, to: number) => void
  /** The last bucket is still filling. */
  readonly isOpen?: boolean
  readonly height?: number
}
