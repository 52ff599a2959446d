import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { carried, mergeSearch, type Search, type SearchPatch, type View, viewOf } from './view.ts'

export const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

/** What this page shows, from its address. */
export const useView = (): View => {
  const search = useSearch({ strict: false }) as Search
  return useMemo(() => viewOf(search, viewerZone), [search])
}

/** Changes the address, and so what is shown. A change that a person would want to take back is a step in the history. */
export const useSetView = (): ((patch: SearchPatch, options?: { replace?: boolean }) => void) => {
  const navigate = useNavigate()
  return useCallback(
    (patch, options) => {
      void navigate({
        to: '.',
        search: ((search: Search) => mergeSearch(search, patch)) as never,
        replace: options?.replace ?? false,
        resetScroll: false,
      })
    },
    [navigate],
  )
}

/** The address of another page: the period, the zone and the filters go along. */
export const useCarried = (): ((patch?: SearchPatch) => Search) => {
  const { search } = useView()
  return useCallback((patch = {}) => mergeSearch(carried(search), patch), [search])
}
