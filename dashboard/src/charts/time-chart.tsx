import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react'
import type uPlot from 'uplot'
import { clockOf } from '../format/times.ts'
import { nextStart } from '../state/buckets.ts'
import { useSeenTheme } from '../state/theme.ts'
import { bucketTitle } from './axis.ts'
import { createPlot } from './plot.ts'
import type { TimeChartProps } from './series.ts'

/** Buckets of time as stacked bars or lines. Drag to zoom, click or Enter for one bucket, arrow keys to read. */
export const TimeChart = (props: TimeChartProps): ReactNode => {
  const { label, starts, interval, zone, series, onZoom, height = 260 } = props
  const theme = useSeenTheme()
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const [at, setAt] = useState<number | undefined>(undefined)
  const latest = useRef(props)
  latest.current = props
  const hint = useId()

  const zoomTo = (first: number, last: number): void => {
    const { starts: all, interval: cut, zone: where, onZoom: zoom } = latest.current
    const from = all[first]
    const end = all[last]
    if (from !== undefined && end !== undefined) zoom?.(from, nextStart(cut, end, where))
  }

  // Dropped and drawn anew when what is drawn changes: a plot of a few thousand points takes a few milliseconds.
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const made = createPlot(element, latest.current, { onPoint: setAt, onSelect: zoomTo })
    plot.current = made.plot
    return () => {
      made.close()
      plot.current = undefined
    }
  }, [starts, series, interval, zone, props.kind, props.isOpen, height, theme])

  const move = (event: KeyboardEvent): void => {
    const last = starts.length - 1
    const from = at ?? (event.key === 'ArrowLeft' ? last + 1 : -1)
    const next = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key]
    if (next !== undefined) {
      event.preventDefault()
      const index = Math.min(last, Math.max(0, next))
      setAt(index)
      plot.current?.setCursor({ left: plot.current.valToPos(index, 'x'), top: 10 })
    } else if (event.key === 'Enter' && at !== undefined) {
      zoomTo(at, at)
    } else if (event.key === 'Escape') {
      setAt(undefined)
    }
  }

  return (
    <div className="relative">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the drawing is read and zoomed by key as well. */}
      <div role="img" aria-label={label} aria-describedby={hint} tabIndex={0} onKeyDown={move} onBlur={() => setAt(undefined)}>
        <div ref={box} style={{ height }} className="overflow-hidden" />
      </div>
      <span id={hint} className="sr-only">
        {onZoom === undefined
          ? 'Arrow keys read the values.'
          : 'Arrow keys read the values, Enter shows one bucket alone. The same figures are in the table.'}
      </span>
      {at !== undefined && <Readout {...props} at={at} left={plot.current} />}
    </div>
  )
}

const rowsMax = 10

const Readout = ({ at, left: plot, ...props }: TimeChartProps & { at: number; left: uPlot | undefined }): ReactNode => {
  const { starts, interval, zone, series, figureOf, totalOf, isOpen } = props
  const start = starts[at]
  const clock = useMemo(() => clockOf(zone), [zone])
  if (start === undefined || plot === undefined) return null
  const position = plot.valToPos(at, 'x') + plot.bbox.left / devicePixelRatio
  const isRight = position > (plot.width * 2) / 3
  const rows = series
    .map((each, index) => ({ each, index, value: each.values[at] }))
    .filter(({ value }) => value !== null && value !== undefined && value !== 0)
    .reverse()
  return (
    <div
      role="status"
      className="pointer-events-none absolute top-0 z-20 w-max max-w-72 rounded-md border border-line bg-surface px-3 py-2 text-xs shadow-lg"
      style={isRight ? { right: plot.width - position + 14 } : { left: position + 14 }}
    >
      <p className="mb-1 flex justify-between gap-4 font-medium">
        <span>
          {bucketTitle(start, nextStart(interval, start, zone), interval, clock)}
          {isOpen && at === starts.length - 1 && <span className="ml-1 font-normal text-ink-3">so far</span>}
        </span>
        {totalOf?.(at)}
      </p>
      {rows.length === 0 && <p className="text-ink-3">Nothing here.</p>}
      {rows.slice(0, rowsMax).map(({ each, index }) => (
        <p key={each.name} className="flex items-center gap-2 leading-5 text-ink-2">
          <span aria-hidden="true" className="size-2 shrink-0 rounded-xs" style={{ background: each.color }} />
          <bdi className="mr-auto max-w-40 truncate">{each.name}</bdi>
          <span className="pl-3 text-ink">{figureOf(index, at)}</span>
        </p>
      ))}
      {rows.length > rowsMax && <p className="text-ink-3">and {rows.length - rowsMax} more</p>}
    </div>
  )
}
