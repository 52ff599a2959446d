import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { LoadedConfig } from '../config/load-config.ts'
import type { PriceBook } from '../core/price-book.ts'
import { parseToolPrices } from '../core/tool-prices.ts'
import { createIntake, type Intake } from '../intake/intake.ts'
import type { Store } from '../ledger/store.ts'
import { createMetrics } from '../server/metrics.ts'
import { createReadings } from '../server/readings.ts'
import { createServer, type TaximeterServer } from '../server/server.ts'
import { bookJsonOf, bookOf } from './book.ts'
import { openLedger } from './open-ledger.ts'
import { version } from './version.ts'

export interface Wired {
  readonly store: Store
  readonly book: () => PriceBook
  readonly intake: Intake
  readonly server: TaximeterServer
  /** Answers what is being answered, keeps what was taken, closes the ledger. */
  close(): Promise<void>
}

/** The whole of taximeter from its configuration: the one place where every part meets every other. Nothing listens yet. */
export const wire = async (loaded: LoadedConfig, { log, now }: { readonly log: Logger; readonly now: () => number }): Promise<Wired> => {
  const { config } = loaded
  const book = bookOf(loaded)
  const toolPrices = parseToolPrices(config.tools)
  const store = await openLedger(config, { mustExist: false })
  try {
    const intake = createIntake({ store, book: () => book, toolPrices: () => toolPrices, now })
    const metrics = await createMetrics({ store, intake, now, version, bookVersion: () => book.version })
    const server = createServer({
      store,
      intake,
      metrics,
      now,
      version,
      book: () => book,
      prices: () => bookJsonOf(loaded),
      readings: createReadings(store),
      limits: { bodyBytesMax: config.bodyBytesMax },
      dashboard: dashboardFolder(),
      onError: (error) =>
        log.error({ error: error instanceof Error ? { name: error.name, stack: error.stack } : String(error) }, 'a request failed'),
    })
    const close = async () => {
      server.close()
      metrics.close()
      await store.close()
    }
    return { store, book: () => book, intake, server, close }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Beside the bundle when installed, in the workspace when run from source; absent until it is built. */
const dashboardFolder = (): string | undefined =>
  ['./dashboard/index.html', '../../dashboard/dist/index.html']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .filter(existsSync)
    .map((path) => path.slice(0, -'/index.html'.length))[0]
