import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { LoadedConfig } from '../config/load-config.ts'
import type { PriceBook } from '../core/price-book.ts'
import { createGateway } from '../gateway/gateway.ts'
import type { Alerts } from '../guard/alerts/alerts.ts'
import type { Budgets } from '../guard/budget-guard.ts'
import { createIntake, type Intake } from '../intake/intake.ts'
import { sqliteAlerts } from '../ledger/sqlite/alerts.ts'
import type { Store } from '../ledger/store.ts'
import { createMetrics } from '../server/metrics.ts'
import { createReadings } from '../server/readings.ts'
import { createServer, type TaximeterServer } from '../server/server.ts'
import { alertingOf, startAlerting } from './alerting.ts'
import { startBudgets } from './budgeting.ts'
import { openLedger } from './open-ledger.ts'
import { createOutlook } from './outlook.ts'
import { type Settled, settle } from './settled.ts'
import { version } from './version.ts'

export interface Wired {
  readonly store: Store
  readonly book: () => PriceBook
  readonly intake: Intake
  readonly budgets: Budgets
  readonly alerts: Alerts
  readonly server: TaximeterServer
  /** Puts another configuration in force. Rejects having changed nothing. What needs a restart (host, port, data, keys' absence) stays. */
  reload(loaded: LoadedConfig): Promise<void>
  /** Takes no more calls, ends those under way, keeps what was taken, closes the ledger. */
  close(): Promise<void>
}

export interface WireOptions {
  readonly log: Logger
  readonly now: () => number
  /** Reads the configuration again, for `POST /-/reload`. */
  readonly read?: () => LoadedConfig
  /** The folder of a built dashboard; absent: the one that came with the program. */
  readonly dashboard?: string
}

/** The whole of taximeter from its configuration: the one place where every part meets every other. Nothing listens yet. */
export const wire = async (loaded: LoadedConfig, { log, now, read, dashboard = dashboardFolder() }: WireOptions): Promise<Wired> => {
  const { config } = loaded
  let settled: Settled = settle(loaded)
  const book = () => settled.book
  const store = await openLedger(config, { mustExist: false })
  const closers: (() => unknown)[] = [() => store.close()]
  const close = async () => {
    for (const closer of closers.reverse()) await closer()
  }
  try {
    const intake = createIntake({ store, book, toolPrices: () => settled.toolPrices, now })
    const budgets = await startBudgets({ config, budgets: settled.budgets, prices: book, store, log, now })
    closers.push(() => budgets.close())
    intake.onCounted(budgets.observe)
    const alerts = await startAlerting({ loaded, alertStore: sqliteAlerts({ path: config.data }), store, budgets, log, now })
    closers.push(() => alerts.close())
    intake.onCounted((counted) => counted !== undefined && alerts.observe(counted))
    const gateway = createGateway({
      intake,
      book,
      guard: budgets,
      keys: () => settled.keyRing,
      upstreams: settled.upstreams,
      meterFailure: config.meterFailure,
      spoolFolder: `${config.data}.spool`,
      ...(config.hashKey !== undefined && { hashKey: config.hashKey }),
      now,
      warn: (sentence) => log.warn(sentence),
    })
    closers.push(() => gateway.close())
    const onError = (error: unknown) => log.error({ error: factsOfError(error) }, 'a request failed')
    const outlook = createOutlook({ store, alerts, budgets, settled: () => settled, zone: config.zone, now, log, onError })
    closers.push(() => outlook.close())
    const parts = { intake, budgets, gateway, alerts, forecasts: outlook.forecasts }
    const metrics = await createMetrics({ store, ...parts, now, version, bookVersion: () => settled.book.version })
    closers.push(() => metrics.close())
    const reload = async (next: LoadedConfig): Promise<void> => {
      const checked = settle(next)
      const setup = alertingOf(next, log, now)
      await budgets.reload(checked.budgets)
      await alerts.configure(setup)
      gateway.setUpstreams(checked.upstreams)
      settled = checked
    }
    const server = createServer({
      store,
      intake,
      budgets,
      metrics,
      now,
      version,
      book,
      prices: () => settled.bookJson,
      readings: createReadings(store),
      ...outlook.services,
      ...(read && { reload: () => reload(read()) }),
      ...(!settled.keyRing.isEmpty && { keys: { check: (shown) => settled.keyRing.check(shown) } }),
      limits: { bodyBytesMax: config.bodyBytesMax },
      gateway,
      dashboard,
      onError,
    })
    closers.push(() => server.close())
    return { store, book, intake, budgets, alerts, server, reload, close }
  } catch (error) {
    await close()
    throw error
  }
}

const factsOfError = (error: unknown) => (error instanceof Error ? { name: error.name, stack: error.stack } : String(error))

/** Beside the bundle when installed, in the workspace when run from source; absent until it is built. */
const dashboardFolder = (): string | undefined =>
  ['./dashboard/index.html', '../../dashboard/dist/index.html']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .filter(existsSync)
    .map((path) => path.slice(0, -'/index.html'.length))[0]
