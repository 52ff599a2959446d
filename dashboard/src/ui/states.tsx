import type { ReactNode } from 'react'
import type { ApiError } from '../api/client.ts'
import { Icon, type IconName } from './icon.tsx'

/** Nothing is there, and that is an answer: says so, and what would change it. */
export const Empty = ({ title, children, icon = 'info' }: { title: string; children?: ReactNode; icon?: IconName }): ReactNode => (
  <div className="flex flex-col items-center gap-1 px-4 py-10 text-center">
    <Icon name={icon} className="mb-1 size-5 text-ink-3" />
    <p className="font-medium">{title}</p>
    {children !== undefined && <div className="max-w-md text-[0.8125rem] text-ink-2">{children}</div>}
  </div>
)

const titles: Readonly<Record<string, string>> = {
  UNREACHABLE: 'The server does not answer',
  BAD_QUESTION: 'This question cannot be asked',
  NOT_FOUND: 'There is no such thing here',
  UNAUTHORIZED: 'A key is needed',
}

/** No answer: the server's own sentence, and what can be done. */
export const Failure = ({ error, onRetry }: { error: ApiError; onRetry?: () => void }): ReactNode => (
  <div role="alert" className="flex flex-col items-center gap-1 px-4 py-10 text-center">
    <Icon name="warn" className="mb-1 size-5 text-bad" />
    <p className="font-medium">{titles[error.code] ?? 'No answer'}</p>
    <p className="max-w-lg text-[0.8125rem] text-ink-2">
      <bdi>{error.message}</bdi>
    </p>
    {onRetry !== undefined && (error.status === 0 || error.status >= 500) && (
      <button type="button" className="field mt-2" onClick={onRetry}>
        Try again
      </button>
    )}
  </div>
)

/** The shape of what is coming, so that nothing moves when it comes. */
export const Skeleton = ({ className = '' }: { className?: string }): ReactNode => (
  <div aria-hidden="true" className={`skeleton ${className}`} />
)

export const SkeletonRows = ({ rows = 6 }: { rows?: number }): ReactNode => (
  <div role="status" aria-label="Loading" className="flex flex-col gap-3 p-4">
    {Array.from({ length: rows }, (_, index) => (
      <Skeleton key={index} className="h-5 w-full" />
    ))}
  </div>
)

interface AskedProps<T> {
  readonly query: { readonly data: T | undefined; readonly error: ApiError | null; readonly refetch: () => unknown }
  readonly loading?: ReactNode
  readonly children: (data: T) => ReactNode
}

/** Loading, failed or there: what was there stays in sight when asking again fails, because the page says elsewhere that it is old. */
export const Asked = <T,>({ query, loading, children }: AskedProps<T>): ReactNode => {
  if (query.data !== undefined) return children(query.data)
  if (query.error !== null) return <Failure error={query.error} onRetry={() => void query.refetch()} />
  return loading ?? <SkeletonRows />
}
