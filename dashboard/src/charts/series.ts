import type { ReactNode } from 'react'
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
  /** A figure as it is read out, with how sure it is. */
  readonly figureOf: (seriesIndex: number, bucketIndex: number) => ReactNode
  readonly totalOf?: (bucketIndex: number) => ReactNode
  readonly onZoom?: (from: number, to: number) => void
  /** The last bucket is still filling. */
  readonly isOpen?: boolean
  readonly height?: number
}
