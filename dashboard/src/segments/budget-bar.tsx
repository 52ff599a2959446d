import type { ReactNode } from 'react'
import type { BudgetJson } from '../../../src/server/api.ts'
import { percent } from '../format/numbers.ts'

const fills = { ok: 'bg-s3', warning: 'bg-accent', exceeded: 'bg-bad' } as const

interface BudgetBarProps {
  readonly budget: BudgetJson
  /** What it is expected to come to. */
  readonly expected?: string | undefined
  readonly className?: string
}

/** Spent is solid, reserved is hatched, what is expected is pale, thresholds are ticks. */
export const BudgetBar = ({ budget, expected, className = 'h-2.5' }: BudgetBarProps): ReactNode => {
  const limit = Number(budget.limit)
  const share = (amount: string): number => (limit > 0 ? Math.min(1, Number(amount) / limit) : 0)
  const spent = Math.min(1, budget.share)
  const reserved = Math.min(1 - spent, share(budget.reserved))
  const ahead = Math.max(0, (expected === undefined ? 0 : share(expected)) - spent - reserved)
  return (
    <span
      role="meter"
      aria-label={`${budget.name} spent`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(spent * 100)}
      aria-valuetext={`${percent(budget.share)} spent${reserved > 0 ? `, ${percent(reserved)} reserved` : ''}${ahead > 0 ? `, ${percent(spent + reserved + ahead)} expected` : ''}`}
      className={`relative block overflow-hidden rounded-full bg-sunken ${className}`}
    >
      <span className="absolute inset-0 flex">
        <span className={`h-full ${fills[budget.status]}`} style={{ width: `${spent * 100}%` }} />
        <span className="hatched h-full text-edge" style={{ width: `${reserved * 100}%` }} />
        <span className={`h-full opacity-35 ${fills[budget.status]}`} style={{ width: `${ahead * 100}%` }} />
      </span>
      {budget.thresholds
        .filter((threshold) => threshold.share < 1)
        .map((threshold) => (
          <span key={threshold.share} className="absolute inset-y-0 w-px bg-ink/50" style={{ left: `${threshold.share * 100}%` }} />
        ))}
    </span>
  )
}
