import { useQuery } from '@tanstack/react-query'
import { type ComponentType, type ReactNode, useEffect, useRef } from 'react'
import { ApiError, getJson } from '../api/client.ts'
import { useLiveState } from '../api/live-context.tsx'
import { Failure, Skeleton } from './states.tsx'

export type LazyPage = (() => ReactNode) & { readonly fetchProgram: () => Promise<void> }

/**
 * A page whose program is loaded when it is first opened, or before, when the browser has nothing else to do. A server that has
 * stopped cannot give it: that is said, and once the server is back the page is loaded anew.
 */
export const lazyPage = (name: string, load: () => Promise<ComponentType>): LazyPage => {
  let loading: Promise<ComponentType> | undefined
  const once = (): Promise<ComponentType> => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
  const Page = (): ReactNode => {
    const query = useQuery<{ readonly Loaded: ComponentType }, ApiError>({
      queryKey: ['program', name],
      queryFn: async () => {
        try {
          return { Loaded: await once() }
        } catch {
          throw await reasonOf()
        }
      },
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: Number.POSITIVE_INFINITY,
      structuralSharing: false,
      retry: false,
    })
    useReloadOnReturn(query.error !== null)
    if (query.data !== undefined) return <query.data.Loaded />
    return query.error === null ? (
      <Skeleton className="h-96 w-full" />
    ) : (
      <Failure error={query.error} onRetry={() => window.location.reload()} />
    )
  }
  return Object.assign(Page, { fetchProgram: async () => void (await once()) })
}

const reloadedKey = 'taximeter.reloaded'
const reloadsApartMs = 60_000

/** Why a program could not be had: the server is away, it asks for a key again, or it is of another version by now. */
const reasonOf = async (): Promise<ApiError> => {
  try {
    await getJson('/v1/about')
  } catch (error) {
    if (error instanceof ApiError) return error
  }
  // A new version has programs of other names: its own first page knows them. Once, so that a broken server is not asked for ever.
  const last = Number(sessionStorage.getItem(reloadedKey) ?? 0)
  if (Date.now() - last > reloadsApartMs) {
    sessionStorage.setItem(reloadedKey, String(Date.now()))
    window.location.reload()
  }
  return new ApiError('UNREADABLE', 500, 'The server does not have this page. It may be of another version: reload to get its own.')
}

/** A browser may remember that a script could not be had, so that only a new document asks for it again. */
const useReloadOnReturn = (hasFailed: boolean): void => {
  const { connection } = useLiveState()
  const wasLost = useRef(false)
  useEffect(() => {
    if (hasFailed && connection === 'lost') wasLost.current = true
    if (hasFailed && connection === 'live' && wasLost.current) window.location.reload()
  }, [connection, hasFailed])
}
