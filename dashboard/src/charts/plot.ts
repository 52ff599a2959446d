import uPlot from 'uplot'
import { clockOf } from '../format/times.ts'
import { axisLabels } from './axis.ts'
import { resolvedColor } from './palette.ts'
import type { TimeChartProps } from './series.ts'

interface PlotEvents {
  /** The bucket under the pointer. */
  onPoint(index: number | undefined): void
  /** Buckets chosen by dragging or clicking, both included. */
  onSelect(first: number, last: number): void
}

const labelPixels = 64

/**
 * A plot whose x axis counts buckets rather than milliseconds: a day of 25 hours is as wide as any other, and the bars of months
 * leave no gaps.
 */
export const createPlot = (box: HTMLElement, props: TimeChartProps, events: PlotEvents): { plot: uPlot; close(): void } => {
  const { starts, interval, zone, kind } = props
  const clock = clockOf(zone)
  const colors = {
    text: resolvedColor('var(--ink-3)'),
    grid: resolvedColor('var(--line)'),
    open: resolvedColor('var(--surface)'),
  }
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16
  const font = `${Math.round(11 * rem)}px ${getComputedStyle(box).fontFamily}`
  const axis = { stroke: colors.text, font, ticks: { show: false }, border: { show: false } }
  const { data, series } = kind === 'stack' ? stacked(props) : lines(props)

  const plot = new uPlot(
    {
      width: Math.max(120, box.clientWidth),
      height: box.clientHeight,
      padding: [10, Math.round(18 * rem), 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        x: kind === 'line',
        points: { show: kind === 'line' },
        drag: { x: props.onZoom !== undefined, y: false, setScale: false, dist: 6 },
      },
      select: { show: true, left: 0, top: 0, width: 0, height: 0 },
      scales: {
        x: { time: false, range: () => (kind === 'stack' ? [-0.5, starts.length - 0.5] : [0, Math.max(1, starts.length - 1)]) },
        y: { range: (_, __, max) => [0, max === null || max <= 0 ? 1 : max * 1.06] },
      },
      axes: [
        {
          ...axis,
          size: Math.round(26 * rem),
          grid: { show: false },
          splits: (self) => axisLabels(starts, interval, clock, Math.floor(self.width / (labelPixels * rem))).map(({ index }) => index),
          values: (self) => axisLabels(starts, interval, clock, Math.floor(self.width / (labelPixels * rem))).map(({ text }) => text),
        },
        {
          ...axis,
          size: Math.round(44 * rem),
          gap: 6,
          space: Math.round(44 * rem),
          grid: { stroke: colors.grid, width: 1 },
          values: (_, splits) => splits.map(props.axisText),
        },
      ],
      series: [{}, ...series],
      hooks: {
        draw: props.isOpen && kind === 'stack' ? [(self) => hatchLast(self, starts.length - 1, colors.open)] : [],
        setCursor: [
          (self) => {
            if (self.cursor.event !== undefined && self.cursor.event !== null) events.onPoint(self.cursor.idx ?? undefined)
          },
        ],
        setSelect: [
          (self) => {
            if (self.select.width < 6) return
            const first = Math.round(self.posToVal(self.select.left, 'x'))
            const last = Math.round(self.posToVal(self.select.left + self.select.width, 'x'))
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            events.onSelect(Math.max(0, first), Math.min(starts.length - 1, last))
          },
        ],
      },
    },
    data,
    box,
  )
  const stop = listen(plot, box, events, props.onZoom !== undefined)
  return {
    plot,
    close() {
      stop()
      plot.destroy()
    },
  }
}

const listen = (plot: uPlot, box: HTMLElement, events: PlotEvents, canZoom: boolean): (() => void) => {
  const leave = (): void => events.onPoint(undefined)
  let pressedAt = Number.NaN
  const press = (event: MouseEvent): void => {
    pressedAt = event.clientX
  }
  const click = (event: MouseEvent): void => {
    const index = plot.cursor.idx
    if (canZoom && index !== null && index !== undefined && Math.abs(event.clientX - pressedAt) < 4) events.onSelect(index, index)
  }
  plot.over.addEventListener('mouseleave', leave)
  plot.over.addEventListener('mousedown', press)
  plot.over.addEventListener('click', click)
  if (canZoom) plot.over.style.cursor = 'zoom-in'
  const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(120, box.clientWidth), height: box.clientHeight }))
  observer.observe(box)
  return () => {
    observer.disconnect()
    plot.over.removeEventListener('mouseleave', leave)
    plot.over.removeEventListener('mousedown', press)
    plot.over.removeEventListener('click', click)
  }
}

interface Drawn {
  readonly data: uPlot.AlignedData
  readonly series: uPlot.Series[]
}

/** Bars on bars: each series is drawn from the sum of all below it to the sum with itself. */
const stacked = ({ starts, series }: TimeChartProps): Drawn => {
  const sums: number[][] = [starts.map(() => 0)]
  for (const { values } of series) sums.push((sums.at(-1) ?? []).map((sum, index) => sum + (values[index] ?? 0)))
  return {
    data: [starts.map((_, index) => index), ...sums.slice(1)],
    series: series.map(({ color }, place) => ({
      fill: resolvedColor(color),
      width: 0,
      points: { show: false },
      paths: barPaths(sums[place] ?? [], sums[place + 1] ?? []),
    })),
  }
}

const barShare = 0.84
const barPixelsMax = 44

/** Whole pixels, so that the edges of one colour never shine through another; what is there is at least one pixel high. */
const barPaths =
  (below: readonly number[], above: readonly number[]): uPlot.Series.PathBuilder =>
  (self) => {
    const fill = new Path2D()
    const step = self.bbox.width / Math.max(1, above.length)
    const width = Math.max(1, Math.min(Math.floor(step * barShare), Math.round(barPixelsMax * devicePixelRatio)))
    for (const [index, top] of above.entries()) {
      const bottom = below[index] ?? 0
      if (top === bottom) continue
      const left = Math.round(self.valToPos(index, 'x', true) - width / 2)
      const high = Math.round(self.valToPos(top, 'y', true))
      const low = Math.max(high + 1, Math.round(self.valToPos(bottom, 'y', true)))
      fill.rect(left, high, width, low - high)
    }
    return { fill, stroke: null, clip: null, flags: 1 }
  }

const lines = ({ starts, series }: TimeChartProps): Drawn => ({
  data: [starts.map((_, index) => index), ...series.map(({ values }) => [...values])],
  series: series.map(({ color }) => {
    const stroke = resolvedColor(color)
    return { stroke, width: 1.75, spanGaps: false, points: { show: starts.length < 2, size: 6, fill: stroke } }
  }),
})

/** A bucket that is still filling is hatched, so that nobody reads the present hour as a fall. */
const hatchLast = (plot: uPlot, index: number, color: string): void => {
  const { ctx, bbox } = plot
  const middle = plot.valToPos(index, 'x', true)
  const half = Math.abs(plot.valToPos(index + 0.5, 'x', true) - middle)
  ctx.save()
  ctx.beginPath()
  ctx.rect(middle - half, bbox.top, half * 2, bbox.height)
  ctx.clip()
  ctx.strokeStyle = color
  ctx.lineWidth = 1.5 * devicePixelRatio
  ctx.globalAlpha = 0.6
  const step = 6 * devicePixelRatio
  for (let x = middle - half - bbox.height; x < middle + half; x += step) {
    ctx.beginPath()
    ctx.moveTo(x, bbox.top + bbox.height)
    ctx.lineTo(x + bbox.height, bbox.top)
    ctx.stroke()
  }
  ctx.restore()
}
