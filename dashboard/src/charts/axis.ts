import type { Clock } from '../format/times.ts'
import { dayMs, hourMs, type Interval, offsetAt, startOf } from '../state/buckets.ts'

/** Where a label stands under the bars, and what it says. */
export interface AxisLabel {
  readonly index: number
  readonly text: string
}

const hourSteps = [1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336]

/** As many labels as fit, at times that people count in: every six hours, every midnight, every Monday. */
export const axisLabels = (starts: readonly number[], interval: Interval, clock: Clock, most: number): readonly AxisLabel[] => {
  const first = starts[0]
  if (first === undefined || most < 1) return []
  if (interval === 'month') return thinned(starts, most).map((index) => ({ index, text: clock.month(starts[index] ?? first) }))
  if (interval === 'day' || interval === 'week')
    return thinned(starts, most).map((index) => ({ index, text: clock.day(starts[index] ?? first) }))
  if (interval === 'hour') return hourLabels(starts, clock, most)
  const stepsMs = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720].map((minutes) => minutes * 60_000)
  for (const step of stepsMs) {
    const labels = labelsAt(starts, clock, (at) => (at + offsetAt(at, clock.zone)) % step === 0)
    if (labels.length <= most) return labels
  }
  return labelsAt(starts.slice(0, 1), clock, () => true)
}

const hourLabels = (starts: readonly number[], clock: Clock, most: number): readonly AxisLabel[] => {
  for (const step of hourSteps) {
    const labels = labelsAt(starts, clock, (at) => Math.floor((at + offsetAt(at, clock.zone)) / hourMs) % step === 0)
    if (labels.length <= most) return labels
  }
  return []
}

/** Midnight is written as its day: that is what one looks for. */
const labelsAt = (starts: readonly number[], clock: Clock, isLabelled: (at: number) => boolean): readonly AxisLabel[] =>
  starts.flatMap((at, index) =>
    isLabelled(at) ? [{ index, text: startOf('day', at, clock.zone) === at ? clock.day(at) : clock.time(at) }] : [],
  )

const thinned = (starts: readonly number[], most: number): readonly number[] => {
  const step = Math.max(1, Math.ceil(starts.length / most))
  const last = starts.length - 1
  // Counted from the end, so that the newest bar always has its label.
  return starts.map((_, index) => index).filter((index) => (last - index) % step === 0)
}

/** What a bar is: "Sun 22 Nov 2026", "22 Nov, 14:00 – 15:00". */
export const bucketTitle = (start: number, end: number, interval: Interval, clock: Clock): string => {
  if (interval === 'month') return clock.month(start)
  if (interval === 'week') return `${clock.day(start)} – ${clock.day(end - dayMs / 2)}`
  if (interval === 'day') return clock.date(start)
  return `${clock.minute(start)} – ${clock.time(end)}`
}
