import { createRootRoute, createRoute, createRouter, lazyRouteComponent, type RouteComponent } from '@tanstack/react-router'
import { OverviewPage } from './pages/overview/overview-page.tsx'
import { Shell } from './shell/shell.tsx'
import { parseSearch, type Search, searchText } from './state/view.ts'
import { Empty } from './ui/states.tsx'
import { ViewLink } from './ui/view-link.tsx'

const NotFound = () => (
  <Empty title="There is no such page">
    <ViewLink to="/" className="link">
      To the overview
    </ViewLink>
  </Empty>
)

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, validateSearch: (search) => search as Search })

const page = (path: string, component: RouteComponent) => createRoute({ getParentRoute: () => root, path, component })

/** The first page comes with the program; the others when they are asked for, or when a pointer nears their link. */
const tree = root.addChildren([
  page('/', OverviewPage),
  page(
    '/explore',
    lazyRouteComponent(() => import('./pages/explore/explore-page.tsx'), 'ExplorePage'),
  ),
  page(
    '/runs',
    lazyRouteComponent(() => import('./pages/runs/runs-page.tsx'), 'RunsPage'),
  ),
  page(
    '/runs/$id',
    lazyRouteComponent(() => import('./pages/run/run-page.tsx'), 'RunPage'),
  ),
  page(
    '/calls',
    lazyRouteComponent(() => import('./pages/calls/calls-page.tsx'), 'CallsPage'),
  ),
  page(
    '/sessions',
    lazyRouteComponent(() => import('./pages/sessions/sessions-page.tsx'), 'SessionsPage'),
  ),
  page(
    '/sessions/$id',
    lazyRouteComponent(() => import('./pages/sessions/session-page.tsx'), 'SessionPage'),
  ),
  page(
    '/agents',
    lazyRouteComponent(() => import('./pages/agents/agents-page.tsx'), 'AgentsPage'),
  ),
  page(
    '/agents/$value',
    lazyRouteComponent(() => import('./pages/agents/agents-page.tsx'), 'AgentPage'),
  ),
  page(
    '/tasks',
    lazyRouteComponent(() => import('./pages/tasks/tasks-page.tsx'), 'TasksPage'),
  ),
  page(
    '/tasks/$value',
    lazyRouteComponent(() => import('./pages/tasks/tasks-page.tsx'), 'TaskPage'),
  ),
  page(
    '/models',
    lazyRouteComponent(() => import('./pages/models/models-page.tsx'), 'ModelsPage'),
  ),
  page(
    '/models/$value',
    lazyRouteComponent(() => import('./pages/models/models-page.tsx'), 'ModelPage'),
  ),
  page(
    '/tools',
    lazyRouteComponent(() => import('./pages/tools/tools-page.tsx'), 'ToolsPage'),
  ),
  page(
    '/tools/$value',
    lazyRouteComponent(() => import('./pages/tools/tools-page.tsx'), 'ToolPage'),
  ),
  page(
    '/releases',
    lazyRouteComponent(() => import('./pages/releases/releases-page.tsx'), 'ReleasesPage'),
  ),
  page(
    '/releases/$value',
    lazyRouteComponent(() => import('./pages/releases/releases-page.tsx'), 'ReleasePage'),
  ),
  page(
    '/budgets',
    lazyRouteComponent(() => import('./pages/budgets/budgets-page.tsx'), 'BudgetsPage'),
  ),
  page(
    '/alerts',
    lazyRouteComponent(() => import('./pages/alerts/alerts-page.tsx'), 'AlertsPage'),
  ),
  page(
    '/prices',
    lazyRouteComponent(() => import('./pages/prices/prices-page.tsx'), 'PricesPage'),
  ),
  page(
    '/prices/$provider/$model',
    lazyRouteComponent(() => import('./pages/prices/price-page.tsx'), 'PricePage'),
  ),
  page(
    '/start',
    lazyRouteComponent(() => import('./pages/start/start-page.tsx'), 'StartPage'),
  ),
])

export const router = createRouter({
  routeTree: tree,
  parseSearch: (text) => parseSearch(text) as Record<string, unknown>,
  stringifySearch: searchText,
  scrollRestoration: true,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 30_000,
})
