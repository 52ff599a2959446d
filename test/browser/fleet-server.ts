import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseBudgets } from '../../src/core/budget-form.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { createBudgetGuard } from '../../src/guard/budget-guard.ts'
import { memoryBook } from '../../src/guard/memory-book.ts'
import type { EventJson } from '../../src/intake/event-json.ts'
import { createIntake } from '../../src/intake/intake.ts'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'
import { bookJson } from '../../src/pricing.ts'
import type { Keys } from '../../src/server/access.ts'
import type { AlertsAnswer, IngestAnswer } from '../../src/server/api.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { createReadings } from '../../src/server/readings.ts'
import { createServer } from '../../src/server/server.ts'
import { fleetOf } from './fleet.ts'

export interface FleetServerOptions {
  /** The SQLite file of the ledger. */
  readonly path: string
  readonly port?: number
  /** The end of the month of events; absent: an empty ledger. */
  readonly until?: number
  readonly runsPerDay?: number
  readonly days?: number
  readonly hasBudgets?: boolean
  /** The folder of a built dashboard; absent: where the workspace builds it to. */
  readonly dashboard?: string
  readonly alerts?: () => AlertsAnswer
  readonly keys?: Keys
}

export interface FleetServer {
  readonly url: string
  readonly port: number
  /** Sends events as a client does. */
  send(events: readonly EventJson[]): Promise<IngestAnswer>
  /** Takes no more connections and ends those that are open; the ledger stays. */
  stop(): Promise<void>
  /** Listens again where it did before. */
  start(): Promise<void>
  close(): Promise<void>
}

const workspaceDashboard = fileURLToPath(new URL('../../dashboard/dist', import.meta.url))

/** The real server with a real ledger, holding the month of the sample fleet. */
export const createFleetServer = async (options: FleetServerOptions): Promise<FleetServer> => {
  const now = Date.now
  const store = await sqliteStore({ path: options.path, durability: 'normal' })
  const book = createPriceBook(bookJson)
  const intake = createIntake({ store, book: () => book, now })
  for (const batch of options.until === undefined
    ? []
    : fleetOf({
        now: options.until,
        runsPerDay: options.runsPerDay ?? 160,
        days: options.days ?? 30,
      })) {
    const results = await intake.admit(batch, { source: 'sdk' })
    const refused = results.find((result) => result.outcome === 'rejected')
    if (refused !== undefined) throw new Error(`The sample fleet sent an event that is none: ${JSON.stringify(refused)}`)
  }
  const guard = options.hasBudgets
    ? await createBudgetGuard({ budgets: sampleBudgets(), prices: () => book, book: memoryBook(), store, now, holder: 'test' })
    : undefined
  const metrics = await createMetrics({ store, intake, now, version: '0.0.0', bookVersion: () => book.version, budgets: guard })
  const server = createServer({
    store,
    intake,
    metrics,
    now,
    version: '0.0.0',
    book: () => book,
    prices: () => bookJson,
    readings: createReadings(store),
    budgets: guard,
    alerts: options.alerts,
    keys: options.keys,
    dashboard: options.dashboard ?? workspaceDashboard,
  })
  let http = server.httpServer()
  let port = options.port ?? 0
  const start = async (): Promise<void> => {
    http = server.httpServer()
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject)
      http.listen(port, '127.0.0.1', resolve)
    })
    port = (http.address() as AddressInfo).port
  }
  const stop = (): Promise<void> => {
    http.closeAllConnections()
    return new Promise((resolve) => http.close(() => resolve()))
  }
  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async send(events) {
      const request = new Request(`http://127.0.0.1:${port}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(events),
      })
      return (await (await server.fetch(request)).json()) as IngestAnswer
    },
    start,
    stop,
    async close() {
      server.close()
      await stop()
      metrics.close()
      await guard?.close()
      await store.close()
    },
  }
}

const sampleBudgets = () =>
  parseBudgets([
    { name: 'company', limit: '$900', per: 'month', zone: 'Europe/Berlin', onExceed: 'warn' },
    { name: 'support', scope: 'team:cx', limit: '$14', per: 'day', zone: 'Europe/Berlin' },
    { name: 'research', scope: 'team:research', limit: '$130', per: '7d' },
    { name: 'each agent', scope: 'agent', limit: '$40', per: 'day', onExceed: 'warn' },
    { name: 'gpt-5 tokens', scope: 'model:gpt-5', limit: '4000000 tokens', per: '24h' },
  ])
