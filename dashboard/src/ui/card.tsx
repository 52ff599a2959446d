import type { ReactNode } from 'react'

interface CardProps {
  readonly title: string
  /** A sentence under the title. */
  readonly note?: ReactNode
  readonly actions?: ReactNode
  readonly children: ReactNode
  readonly className?: string
  /** The content reaches the edges of the card: a table. */
  readonly isFlush?: boolean
  /** What is shown is the last answer while the next one is on its way. */
  readonly isStale?: boolean
}

export const Card = ({ title, note, actions, children, className = '', isFlush = false, isStale = false }: CardProps): ReactNode => (
  <section aria-busy={isStale} className={`min-w-0 rounded-lg border border-line bg-surface ${className}`}>
    <header className="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
      <div className="mr-auto min-w-0">
        <h2 className="text-sm font-semibold">{title}</h2>
        {note !== undefined && <p className="text-xs text-ink-3">{note}</p>}
      </div>
      {actions}
    </header>
    <div className={`${isFlush ? '' : 'px-4 pb-4'} ${isStale ? 'stale' : ''}`}>{children}</div>
  </section>
)
