import type { AddressInfo } from 'node:net'
import { createIntake } from '../src/intake/intake.ts'
import { sqliteStore } from '../src/ledger/sqlite/sqlite-store.ts'
import { loadPriceBook } from '../src/pricing.ts'
import { createMetrics } from '../src/server/metrics.ts'
import { createServer } from '../src/server/server.ts'

// The server that bench/ingest.ts sends to, in a process of its own: what the sender costs is then not the server's.

const [path = '', durability = 'normal'] = process.argv.slice(2)
const book = loadPriceBook()
const store = await sqliteStore({ path, durability: durability === 'full' ? 'full' : 'normal' })
const intake = createIntake({ store, book: () => book, now: Date.now })
const metrics = await createMetrics({ store, intake, now: Date.now, version: 'bench', bookVersion: () => book.version })
const server = createServer({ store, intake, metrics, book: () => book, now: Date.now, version: 'bench' })
const http = server.httpServer()

http.listen(0, '127.0.0.1', () => process.send?.({ port: (http.address() as AddressInfo).port }))

// The bench was stopped: nobody is left to answer to.
process.on('disconnect', () => process.exit(1))

process.on('message', async (message) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ rss: process.memoryUsage.rss(), cpuMs: (user + system) / 1_000 })
  }
  if (message === 'close') {
    server.close()
    http.closeAllConnections()
    http.close()
    await store.close()
    process.exit(0)
  }
})
