import type { ReactNode } from 'react'

/** The course of a figure in a few pixels. It says nothing that is not said elsewhere, so that it is not read aloud. */
export const Sparkline = ({ values, className = 'h-8 w-24' }: { values: readonly (number | null)[]; className?: string }): ReactNode => {
  const known = values.map((value) => value ?? 0)
  const highest = Math.max(...known, 0)
  if (known.length < 2 || highest === 0) return <span aria-hidden="true" className={`block border-b border-line ${className}`} />
  const step = 100 / (known.length - 1)
  const points = known.map((value, index) => `${(index * step).toFixed(2)},${(29 - (value / highest) * 27).toFixed(2)}`)
  return (
    <svg aria-hidden="true" viewBox="0 0 100 30" preserveAspectRatio="none" className={`block overflow-visible ${className}`}>
      <polygon points={`0,30 ${points.join(' ')} 100,30`} className="fill-ink-3/10" />
      <polyline
        points={points.join(' ')}
        fill="none"
        className="stroke-ink-3"
        strokeWidth="1.25"
        vectorEffect="non-scaling-stroke"
        strokeLinejoin="round"
      />
    </svg>
  )
}

/** A share of a whole as a thin bar. */
export const ShareBar = ({
  share,
  color = 'var(--s3)',
  className = 'h-1.5',
}: {
  share: number
  color?: string
  className?: string
}): ReactNode => (
  <span aria-hidden="true" className={`block overflow-hidden rounded-full bg-sunken ${className}`}>
    <span className="block h-full min-w-px rounded-full" style={{ width: `${Math.min(100, share * 100)}%`, background: color }} />
  </span>
)
