import type { ReactNode } from 'react'
import type { SelfCheckAnswer } from '../../../src/server/api.ts'

/** One piece per point, those that hold first. */
export const CheckBar = ({ check, className = 'h-1.5' }: { check: SelfCheckAnswer; className?: string }): ReactNode => (
  <span aria-hidden="true" className="flex gap-1">
    {check.points.map((point) => (
      <span
        key={point.id}
        className={`flex-1 rounded-full ${point.isDone ? 'bg-ok' : 'bg-sunken ring-1 ring-edge/60 ring-inset'} ${className}`}
      />
    ))}
  </span>
)
