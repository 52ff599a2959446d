import { type ReactNode, useMemo } from 'react'
import type { RunDetailJson } from '../../../../src/server/api.ts'
import { duration, exactUsd, usd } from '../../format/numbers.ts'
import { Card } from '../../ui/card.tsx'
import { thinned, type Waterfall } from './waterfall-rows.ts'

interface CostSoFarProps {
  readonly detail: RunDetailJson
  readonly waterfall: Waterfall
  readonly chosen: string | undefined
  readonly onChoose: (id: string) => void
}

const pointsMax = 600
const width = 1_000
const height = 100

/** The meter as it ran: what the run had cost at each moment, against its budget where it has one. */
export const CostSoFar = ({ detail, waterfall, chosen, onChoose }: CostSoFarProps): ReactNode => {
  const { run, calls } = detail
  const { from, to } = waterfall
  const whole = Math.max(1, to - from)
  const points = useMemo(
    () =>
      thinned(
        calls.map((call) => ({
          id: call.id,
          x: ((Date.parse(call.at) + (call.durationMs ?? 0) - from) / whole) * width,
          cost: Number(call.costSoFarUsd),
        })),
        pointsMax,
      ),
    [calls, from, whole],
  )
  const total = Number(run.costUsd)
  const budget = Number(run.budgetUsd ?? 0)
  // A budget far above the cost would flatten the line to nothing: then it is said in words instead.
  const hasBudgetLine = budget > 0 && budget <= total * 2
  const top = Math.max(total, hasBudgetLine ? budget : 0) * 1.08 || 1
  const y = (cost: number): number => height - (cost / top) * height
  if (points.length < 2) return null
  const path = points.map(({ x, cost }) => `H${x.toFixed(1)}V${y(cost).toFixed(2)}`).join('')
  const mark = calls.find((call) => call.id === chosen)
  const markAt = mark === undefined ? undefined : (Date.parse(mark.at) + (mark.durationMs ?? 0) - from) / whole

  const pick = (share: number): void => {
    const nearest = points.reduce((best, point) => (Math.abs(point.x - share * width) < Math.abs(best.x - share * width) ? point : best))
    onChoose(nearest.id)
  }
  return (
    <Card title="Cost so far" note={`${usd(run.costUsd)} over ${duration(whole)}`}>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the steps below have the keys. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: see above. */}
      <div
        className="relative h-28 cursor-crosshair border-b border-line"
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect()
          pick((event.clientX - box.left) / box.width)
        }}
      >
        <svg
          role="img"
          aria-label={`The cost of the run rises to ${exactUsd(run.costUsd)} over ${duration(whole)} in ${calls.length} calls.`}
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          className="absolute inset-0 size-full"
        >
          <path d={`M0 ${height}${path}H${width}V${height}Z`} className="fill-s1/20" />
          <path d={`M0 ${height}${path}H${width}`} fill="none" className="stroke-s1" strokeWidth="2" vectorEffect="non-scaling-stroke" />
          {hasBudgetLine && (
            <line
              x1="0"
              x2={width}
              y1={y(budget)}
              y2={y(budget)}
              className="stroke-bad"
              strokeDasharray="4 4"
              strokeWidth="1.25"
              vectorEffect="non-scaling-stroke"
            />
          )}
        </svg>
        {hasBudgetLine && (
          <span className="absolute left-0 -translate-y-full text-2xs text-bad" style={{ top: `${y(budget)}%` }}>
            budget {usd(run.budgetUsd)}
          </span>
        )}
        {mark !== undefined && markAt !== undefined && (
          <span className="absolute inset-y-0 w-px bg-ink" style={{ left: `${markAt * 100}%` }}>
            <span
              className={`absolute top-0 rounded bg-ink px-1.5 text-2xs whitespace-nowrap text-paper ${markAt > 0.8 ? 'right-1' : 'left-1'}`}
            >
              {usd(mark.costSoFarUsd)}
            </span>
          </span>
        )}
      </div>
      <p aria-hidden="true" className="mt-1 flex justify-between text-2xs text-ink-3">
        <span>0</span>
        <span>{duration(whole / 2)}</span>
        <span>{duration(whole)}</span>
      </p>
    </Card>
  )
}
