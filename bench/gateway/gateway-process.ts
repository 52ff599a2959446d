import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { picoUsd } from '../../src/core/money.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { parseUpstreams } from '../../src/gateway/upstreams.ts'
import { createBudgetGuard } from '../../src/guard/budget-guard.ts'
import { memoryBook } from '../../src/guard/memory-book.ts'
import { createIntake } from '../../src/intake/intake.ts'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'
import { loadPriceBook } from '../../src/pricing.ts'

// The gateway as it is used: metering, pricing, three budgets that bind every call, and a ledger in a file.

const folder = mkdtempSync(join(tmpdir(), 'taximeter-bench-'))
const store = await sqliteStore({ path: join(folder, 'ledger.db'), durability: 'normal' })
const book = loadPriceBook()
const intake = createIntake({ store, book: () => book, now: Date.now })
const limit = { unit: 'usd', amount: picoUsd(10n ** 21n) } as const
const common = { limit, onExceed: 'block', thresholds: [0.5, 0.8, 1], unpriced: { policy: 'block' } } as const
const guard = await createBudgetGuard({
  budgets: [
    { ...common, name: 'all', scope: 'all', window: { kind: 'calendar', interval: 'day', zone: 'Europe/Berlin' } },
    { ...common, name: 'agent', scope: 'agent', window: { kind: 'rolling', span: '24h' } },
    { ...common, name: 'model', scope: 'model', window: { kind: 'total' } },
  ],
  prices: () => book,
  book: memoryBook(),
  store,
  now: Date.now,
  holder: 'bench',
})
intake.onCounted((counted, uncounted) => guard.observe(counted, uncounted))
const gateway = createGateway({
  intake,
  guard,
  book: () => book,
  upstreams: parseUpstreams([{ name: 'openai', url: process.argv[2] ?? '', private: true }]),
  spoolFolder: join(folder, 'spool'),
  hashKey: 'a key of the bench, not secret',
})

const server = createServer((request, response) => {
  if (!gateway.handle(request, response)) response.writeHead(404).end()
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})

process.on('message', () => {
  process.send?.({
    counters: gateway.counters(),
    budgets: guard.counters(),
    main: process.threadCpuUsage(),
    cpu: process.cpuUsage(),
    rss: process.memoryUsage().rss,
    mem: process.memoryUsage(),
  })
})
process.on('SIGTERM', async () => {
  await gateway.close(2_000)
  await guard.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})

// Whoever started it is gone.
process.on('disconnect', () => process.exit(0))
