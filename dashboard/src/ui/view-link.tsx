import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useCarried, useView } from '../state/use-view.ts'
import { mergeSearch, type SearchPatch } from '../state/view.ts'

interface ViewLinkProps {
  /** A path of this dashboard, such as "/runs". Names in it are encoded by `pathOf`. */
  readonly to: string
  /** Parameters of the address besides the period, the zone and the filters, which go along. */
  readonly patch?: SearchPatch
  readonly className?: string
  readonly title?: string
  readonly label?: string
  readonly isCurrent?: boolean
  readonly children: ReactNode
}

/** A link within the dashboard that keeps what is being looked at; one to "." keeps everything else of the page as well. */
export const ViewLink = ({ to, patch, className, title, label, isCurrent, children }: ViewLinkProps): ReactNode => {
  const carry = useCarried()
  const { search } = useView()
  return (
    <Link
      to={to}
      // Without this every link to the page that one is on would be read out as the current one.
      activeOptions={{ exact: true, includeSearch: true }}
      search={(to === '.' ? mergeSearch(search, { after: undefined, ...patch }) : carry(patch)) as never}
      {...(className !== undefined && { className })}
      {...(title !== undefined && { title })}
      {...(label !== undefined && { 'aria-label': label })}
      {...(isCurrent && { 'aria-current': 'true' as const })}
    >
      {children}
    </Link>
  )
}

/** "/runs" and an id that may hold anything → one path. */
export const pathOf = (base: string, ...names: readonly string[]): string => [base, ...names.map(encodeURIComponent)].join('/')
