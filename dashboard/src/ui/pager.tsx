import type { ReactNode } from 'react'
import { useSetView, useView } from '../state/use-view.ts'

/** Pages of a list that only knows its next one; the way back is the browser's, or to the beginning. */
export const Pager = ({ next, what }: { next: string | undefined; what: string }): ReactNode => {
  const { search } = useView()
  const setView = useSetView()
  if (next === undefined && search.after === undefined) return null
  return (
    <nav aria-label={`Pages of ${what}`} className="flex items-center justify-end gap-2 px-4 py-3">
      <button
        type="button"
        className="field disabled:opacity-50"
        disabled={search.after === undefined}
        onClick={() => setView({ after: undefined })}
      >
        First
      </button>
      <button type="button" className="field disabled:opacity-50" disabled={next === undefined} onClick={() => setView({ after: next })}>
        Next
      </button>
    </nav>
  )
}
