import type { Route } from './route.ts'
import { askRoutes } from './routes/ask.ts'
import { guardRoutes } from './routes/guard.ts'
import { ingestRoutes } from './routes/ingest.ts'
import { liveRoutes } from './routes/live.ts'
import { operateRoutes } from './routes/operate.ts'
import { outlookRoutes } from './routes/outlook.ts'
import { priceRoutes } from './routes/prices.ts'
import { quoteRoutes } from './routes/quote.ts'
import type { Services } from './services.ts'

/** Every route of the server, in the order in which they are described. */
export const routesOf = (services: Services): readonly Route[] => [
  ...ingestRoutes(services),
  ...askRoutes(services),
  ...liveRoutes(services),
  ...quoteRoutes(services),
  ...guardRoutes(services),
  ...outlookRoutes(services),
  ...priceRoutes(services),
  ...operateRoutes(services),
]
