import type { RunCallJson, RunDetailJson, RunJson } from '../../../../src/server/api.ts'

/** One line of the waterfall: a call, or a sub-run where it began. Shares of the whole run's time, from 0 to 1. */
export interface WaterfallRow {
  readonly id: string
  readonly name: string
  readonly step: string | undefined
  /** The first line of its step. */
  readonly isStepStart: boolean
  readonly startShare: number
  readonly lengthShare: number
  readonly of: { readonly kind: 'call'; readonly call: RunCallJson } | { readonly kind: 'run'; readonly run: RunJson }
}

export interface Waterfall {
  readonly from: number
  readonly to: number
  readonly rows: readonly WaterfallRow[]
}

/** Calls and sub-runs of a run in the order in which they began. */
export const waterfallOf = ({ run, calls, children }: RunDetailJson): Waterfall => {
  const spans = [
    ...calls.map((call) => ({ at: Date.parse(call.at), ms: call.durationMs ?? 0, of: { kind: 'call', call } as const })),
    ...children.map((child) => ({ at: Date.parse(child.startedAt), ms: child.durationMs, of: { kind: 'run', run: child } as const })),
  ].sort((left, right) => left.at - right.at)
  let from = Date.parse(run.startedAt)
  let to = Date.parse(run.endedAt)
  for (const { at, ms } of spans) {
    from = Math.min(from, at)
    to = Math.max(to, at + ms)
  }
  const whole = Math.max(1, to - from)
  let step: string | undefined
  const rows = spans.map((span): WaterfallRow => {
    const own = span.of.kind === 'call' ? span.of.call.step : step
    const isStepStart = own !== undefined && own !== step
    step = own
    return {
      id: span.of.kind === 'call' ? span.of.call.id : span.of.run.run,
      name:
        span.of.kind === 'run'
          ? (span.of.run.agent ?? span.of.run.run)
          : span.of.call.kind === 'llm'
            ? span.of.call.model
            : span.of.call.tool,
      step: own,
      isStepStart,
      startShare: (span.at - from) / whole,
      lengthShare: span.ms / whole,
      of: span.of,
    }
  })
  return { from, to, rows }
}

/** The share of the dearest line, for the small bar under a cost: 0 where nothing is known. */
export const costOf = (row: WaterfallRow): string | undefined => {
  if (row.of.kind === 'run') return row.of.run.costUsd
  return row.of.call.charge.basis === 'unpriced' ? undefined : row.of.call.charge.totalUsd
}

/** The points of a step line that can still be told apart: at most `most`, the last one always among them. */
export const thinned = <T>(points: readonly T[], most: number): readonly T[] => {
  if (points.length <= most) return points
  const step = (points.length - 1) / (most - 1)
  return Array.from({ length: most }, (_, index) => points[Math.round(index * step)] as T)
}
