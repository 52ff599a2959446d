import type { AddressInfo } from 'node:net'
import { createPriceBook } from '../../src/core/price-book.ts'
import { createIntake } from '../../src/intake/intake.ts'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'
import { bookJson } from '../../src/pricing.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { createReadings } from '../../src/server/readings.ts'
import { createServer } from '../../src/server/server.ts'

// The server whose dashboard is looked at, in a process of its own: `view-server.ts <ledger> <dashboard> <now>`. Its clock stands at the
// ledger's end, so that "the last seven days" have the calls that they should.
const [path = '', dashboard = '', now = ''] = process.argv.slice(2)
const clock = (): number => Number(now)
const store = await sqliteStore({ path, durability: 'normal' })
const book = createPriceBook(bookJson)
const intake = createIntake({ store, book: () => book, now: clock })
const metrics = await createMetrics({ store, intake, now: clock, version: '0.0.0', bookVersion: () => book.version })
const server = createServer({
  store,
  intake,
  metrics,
  now: clock,
  version: '0.0.0',
  book: () => book,
  prices: () => bookJson,
  readings: createReadings(store),
  dashboard,
})
const http = server.httpServer()
http.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}`))
