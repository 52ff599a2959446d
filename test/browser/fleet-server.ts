import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { wire } from '../../src/cli/wire.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { createIntake } from '../../src/intake/intake.ts'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'
import { bookJson } from '../../src/pricing.ts'
import type { EventJson, IngestAnswer } from '../../src/server/api.ts'
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
  /** Rules of alerts as the configuration names them; absent: the default ones. */
  readonly alerts?: readonly Readonly<Record<string, unknown>>[]
  /** The folder of a built dashboard; absent: where the workspace builds it to. */
  readonly dashboard?: string
  /** Client keys as the configuration names them. */
  readonly keys?: readonly Readonly<Record<string, unknown>>[]
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

/** The whole of taximeter on a real ledger that holds the month of the sample fleet. */
export const createFleetServer = async (options: FleetServerOptions): Promise<FleetServer> => {
  const now = Date.now
  if (options.until !== undefined) await fill(options.path, options.until, options)
  const loaded = loadConfig({ path: '', isOptional: true, environment: {} })
  const config = {
    ...loaded.config,
    data: options.path,
    zone: 'Europe/Berlin',
    ...(options.hasBudgets && { budgets: sampleBudgets, dailyBudgetUsd: '60' }),
    ...(options.alerts && { alerts: options.alerts.map((rule) => ({ ...rule })) }),
    ...(options.keys && { keys: options.keys.map((key) => ({ ...key })) }),
  }
  const { server, close } = await wire(
    { ...loaded, config },
    { log: pino({ level: 'silent' }), now, dashboard: options.dashboard ?? workspaceDashboard },
  )
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
      await stop()
      await close()
    },
  }
}

/** Before the server starts: what is old raises no alert. */
const fill = async (path: string, until: number, { runsPerDay = 160, days = 30 }: FleetServerOptions): Promise<void> => {
  const store = await sqliteStore({ path, durability: 'normal' })
  const book = createPriceBook(bookJson)
  const intake = createIntake({ store, book: () => book, now: Date.now })
  for (const batch of fleetOf({ now: until, runsPerDay, days })) {
    const results = await intake.admit(batch, { source: 'sdk' })
    const refused = results.find((result) => result.outcome === 'rejected')
    if (refused !== undefined) throw new Error(`The sample fleet sent an event that is none: ${JSON.stringify(refused)}`)
  }
  await store.close()
}

const sampleBudgets = [
  { name: 'company', limit: '$900', per: 'month', onExceed: 'warn' },
  { name: 'support', scope: 'team:cx', limit: '$14', per: 'day' },
  { name: 'research', scope: 'team:research', limit: '$130', per: '7d' },
  { name: 'each agent', scope: 'agent', limit: '$40', per: 'day', onExceed: 'warn' },
  { name: 'gpt-5 tokens', scope: 'model:gpt-5', limit: '4000000 tokens', per: '24h' },
]
