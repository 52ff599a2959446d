import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { Tooltip } from 'radix-ui'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError, codeOf } from './api/client.ts'
import { createLive } from './api/live.ts'
import { LiveContext } from './api/live-context.tsx'
import { createRefresher } from './api/refresher.ts'
import { preloadPages, router } from './routes.tsx'
import './styles.css'

const retriesMax = 2

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      gcTime: 120_000,
      refetchOnWindowFocus: false,
      // The browser's idea of being online says nothing about a server on this very machine.
      networkMode: 'always',
      // Only silence is worth asking again; an answer that says no will say no again.
      retry: (failures, error) => codeOf(error) === 'UNREACHABLE' && failures < retriesMax,
      retryDelay: (attempt) => 400 * 2 ** attempt,
    },
  },
})

// A session that has ended is begun again by the server's own page.
client.getQueryCache().subscribe(({ type, query }) => {
  if (type === 'updated' && query.state.error instanceof ApiError && query.state.error.code === 'UNAUTHORIZED') window.location.reload()
})

const refreshAll = (): Promise<void> =>
  client.invalidateQueries({ predicate: ({ queryKey }) => !['prices', 'price', 'program'].includes(String(queryKey[0])) })
const refresher = createRefresher({ refresh: refreshAll })
const live = createLive({ onChange: refresher.stir, onReturn: () => void refreshAll() })

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no place for the dashboard.')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <LiveContext value={live}>
        <Tooltip.Provider delayDuration={250}>
          <RouterProvider router={router} />
        </Tooltip.Provider>
      </LiveContext>
    </QueryClientProvider>
  </StrictMode>,
)

const idleMs = 2_000
setTimeout(() => void preloadPages(), idleMs)
