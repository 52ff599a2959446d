import { divideHalfEven } from '../core/money.ts'
import { grouped, readableChange, readableUsd } from '../core/readable.ts'

/** What is known of a segment in the period that is looked at, and in the one before it. Money in pico-dollars; null: not defined. */
export interface SegmentFigures {
  readonly cost: bigint
  readonly runs: number
  readonly costPerRun: bigint | null
  readonly p95: bigint | null
  readonly calls: number
  readonly errors: number
  readonly unpricedCalls: number
}

export interface Segment {
  readonly segment: string | null
  readonly costPerRun: bigint | null
  readonly p95: bigint | null
  readonly burnPerHour: bigint
  readonly status: 'ok' | 'warning' | 'critical'
  /** Why it is not ok, the gravest first; empty when it is. */
  readonly reasons: readonly string[]
}

/** Cost per run, or its 95th percentile, this much above the period before is a warning; this much, critical. */
const riseWarning = 20
const riseCritical = 50
/** Runs on each side before a change of the average says anything; fewer are luck. */
const runsMin = 5
/** Past so many times the old amount a percentage says nothing. */
const sharesMax = 10
const errorShareWarning = 10
const errorShareCritical = 30

/** One row of the segment table: its figures, and whether they are as they were. */
export const segmentOf = (segment: string | null, now: SegmentFigures, before: SegmentFigures | undefined, hours: number): Segment => {
  const found = [...rises(now, before), ...failures(now), ...unpriced(now)].sort(
    (left, right) => Number(right.isCritical) - Number(left.isCritical),
  )
  return {
    segment,
    costPerRun: now.costPerRun,
    p95: now.p95,
    burnPerHour: hours <= 0 ? 0n : divideHalfEven(now.cost * 3_600_000n, BigInt(Math.max(1, Math.round(hours * 3_600_000)))),
    status: found.length === 0 ? 'ok' : found[0]?.isCritical ? 'critical' : 'warning',
    reasons: found.map(({ sentence }) => sentence),
  }
}

interface Reason {
  readonly isCritical: boolean
  readonly sentence: string
}

const rises = (now: SegmentFigures, before: SegmentFigures | undefined): readonly Reason[] => {
  if (before === undefined || now.runs < runsMin || before.runs < runsMin) return []
  return [...rise('Cost per run', before.costPerRun, now.costPerRun), ...rise('The 95th percentile of run cost', before.p95, now.p95)]
}

const rise = (what: string, before: bigint | null, now: bigint | null): readonly Reason[] => {
  if (before === null || now === null || before === 0n) return []
  const percent = Number(((now - before) * 100n) / before)
  if (percent < riseWarning) return []
  return [
    {
      isCritical: percent >= riseCritical,
      sentence:
        percent >= sharesMax * 100
          ? `${what} rose from ${readableUsd(before)} to ${readableUsd(now)}.`
          : `${what} rose ${readableChange(before, now)?.replace('+', '')} (${readableUsd(before)} → ${readableUsd(now)}).`,
    },
  ]
}

const failures = ({ calls, errors }: SegmentFigures): readonly Reason[] => {
  const percent = calls === 0 ? 0 : (errors * 100) / calls
  if (percent < errorShareWarning) return []
  return [
    {
      isCritical: percent >= errorShareCritical,
      sentence: `${grouped(String(errors))} of ${grouped(String(calls))} calls failed (${percent.toFixed(0)} %).`,
    },
  ]
}

const unpriced = ({ calls, unpricedCalls }: SegmentFigures): readonly Reason[] =>
  unpricedCalls === 0
    ? []
    : [
        {
          isCritical: false,
          sentence: `${grouped(String(unpricedCalls))} of ${grouped(String(calls))} calls have no price: the cost is higher than shown.`,
        },
      ]
