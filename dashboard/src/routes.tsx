import { createRootRoute, createRoute, createRouter, type RouteComponent } from '@tanstack/react-router'
import { ApiError } from './api/client.ts'
import { OverviewPage } from './pages/overview/overview-page.tsx'
import { Shell } from './shell/shell.tsx'
import { parseSearch, type Search, searchText } from './state/view.ts'
import { type LazyPage, lazyPage } from './ui/lazy-page.tsx'
import { Empty, Failure } from './ui/states.tsx'
import { ViewLink } from './ui/view-link.tsx'

const NotFound = () => (
  <Empty title="There is no such page">
    <ViewLink to="/" className="link">
      To the overview
    </ViewLink>
  </Empty>
)

/** A mistake of this program, not of the ledger: the page is lost, what is around it is not. */
const Broken = () => (
  <Failure
    error={new ApiError('INTERNAL', 500, 'This page has met a mistake of its own. What is in the ledger is not touched by it.')}
    onRetry={() => window.location.reload()}
  />
)

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, validateSearch: (search) => search as Search })

const page = (path: string, component: RouteComponent) => createRoute({ getParentRoute: () => root, path, component })

const lazyPages: Readonly<Record<string, LazyPage>> = {
  '/explore': lazyPage('ExplorePage', async () => (await import('./pages/explore/explore-page.tsx')).ExplorePage),
  '/runs': lazyPage('RunsPage', async () => (await import('./pages/runs/runs-page.tsx')).RunsPage),
  '/runs/$id': lazyPage('RunPage', async () => (await import('./pages/run/run-page.tsx')).RunPage),
  '/calls': lazyPage('CallsPage', async () => (await import('./pages/calls/calls-page.tsx')).CallsPage),
  '/sessions': lazyPage('SessionsPage', async () => (await import('./pages/sessions/sessions-page.tsx')).SessionsPage),
  '/sessions/$id': lazyPage('SessionPage', async () => (await import('./pages/sessions/session-page.tsx')).SessionPage),
  '/agents': lazyPage('AgentsPage', async () => (await import('./pages/agents/agents-page.tsx')).AgentsPage),
  '/agents/$value': lazyPage('AgentPage', async () => (await import('./pages/agents/agents-page.tsx')).AgentPage),
  '/tasks': lazyPage('TasksPage', async () => (await import('./pages/tasks/tasks-page.tsx')).TasksPage),
  '/tasks/$value': lazyPage('TaskPage', async () => (await import('./pages/tasks/tasks-page.tsx')).TaskPage),
  '/models': lazyPage('ModelsPage', async () => (await import('./pages/models/models-page.tsx')).ModelsPage),
  '/models/$value': lazyPage('ModelPage', async () => (await import('./pages/models/models-page.tsx')).ModelPage),
  '/tools': lazyPage('ToolsPage', async () => (await import('./pages/tools/tools-page.tsx')).ToolsPage),
  '/tools/$value': lazyPage('ToolPage', async () => (await import('./pages/tools/tools-page.tsx')).ToolPage),
  '/releases': lazyPage('ReleasesPage', async () => (await import('./pages/releases/releases-page.tsx')).ReleasesPage),
  '/releases/$value': lazyPage('ReleasePage', async () => (await import('./pages/releases/releases-page.tsx')).ReleasePage),
  '/budgets': lazyPage('BudgetsPage', async () => (await import('./pages/budgets/budgets-page.tsx')).BudgetsPage),
  '/alerts': lazyPage('AlertsPage', async () => (await import('./pages/alerts/alerts-page.tsx')).AlertsPage),
  '/check': lazyPage('CheckPage', async () => (await import('./pages/check/check-page.tsx')).CheckPage),
  '/prices': lazyPage('PricesPage', async () => (await import('./pages/prices/prices-page.tsx')).PricesPage),
  '/prices/$provider/$model': lazyPage('PricePage', async () => (await import('./pages/prices/price-page.tsx')).PricePage),
  '/start': lazyPage('StartPage', async () => (await import('./pages/start/start-page.tsx')).StartPage),
}

/** The first page comes with the program; the others when they are opened, or when there is time. */
const tree = root.addChildren([page('/', OverviewPage), ...Object.entries(lazyPages).map(([path, component]) => page(path, component))])

export const router = createRouter({
  routeTree: tree,
  parseSearch: (text) => parseSearch(text) as Record<string, unknown>,
  stringifySearch: searchText,
  scrollRestoration: true,
  defaultErrorComponent: Broken,
})

/** Fetches the programs of all pages, a few kilobytes each, so that the next one opens at once and a server that stops takes none away. */
export const preloadPages = async (): Promise<void> => {
  // One at a time: the answers that the page is waiting for come first.
  for (const page of Object.values(lazyPages)) await page.fetchProgram().catch(() => undefined)
}
