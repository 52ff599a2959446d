import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Budget } from '../../src/core/budget.ts'
import type { CallEntry, ModelCall } from '../../src/core/event.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts'
import { parseUpstreams, type UpstreamSettings } from '../../src/gateway/upstreams.ts'
import { type Budgets, createBudgetGuard } from '../../src/guard/budget-guard.ts'
import { memoryBook } from '../../src/guard/memory-book.ts'
import { createIntake, type Intake } from '../../src/intake/intake.ts'
import { createKeyRing, parseKeys } from '../../src/intake/keys.ts'
import { memoryStore } from '../../src/ledger/memory/memory-store.ts'
import type { Store } from '../../src/ledger/store.ts'

/** Round prices, so that a cost can be worked out in the head: a dollar for a million tokens in, two for a million out. */
const period = { periods: [{ rates: { input: '1', cache_read: '0.5', output: '2' } }] }
export const testBook = createPriceBook({
  version: 'test',
  providers: Object.fromEntries(
    ['openai', 'anthropic', 'google', 'ollama', 'openrouter', 'groq', 'vllm'].map((provider) => [
      provider,
      { name: provider, models: { 'gpt-4.1-mini': { outputMax: 1_000, ...period } }, anyModel: period },
    ]),
  ),
})

export interface OpenGatewayOptions extends Omit<Partial<GatewayOptions>, 'upstreams' | 'keys' | 'intake'> {
  readonly upstreams?: readonly UpstreamSettings[]
  readonly budgets?: readonly Budget[]
  readonly keys?: readonly unknown[]
  readonly store?: Store
  /** Stands before the real intake, to make it fail. */
  readonly intake?: (real: GatewayOptions['intake']) => GatewayOptions['intake']
  readonly host?: string
}

export interface OpenGateway {
  /** Without a slash at its end. */
  readonly url: string
  readonly port: number
  readonly gateway: Gateway
  readonly store: Store
  readonly intake: Intake
  readonly budgets: Budgets | undefined
  readonly warnings: readonly string[]
  /** Calls in the ledger, once there are as many as are waited for. */
  calls(atLeast?: number): Promise<readonly ModelCall[]>
  entries(atLeast?: number): Promise<readonly CallEntry[]>
  close(): Promise<void>
}

/** A gateway that listens, with a real intake and a ledger in memory. Nothing stands in for anything but the prices. */
export const openGateway = async (options: OpenGatewayOptions = {}): Promise<OpenGateway> => {
  const { upstreams = [], budgets: limits, keys, store = memoryStore(), host = '127.0.0.1', ...rest } = options
  const intake = createIntake({ store, book: () => testBook, now: Date.now })
  const budgets =
    limits === undefined
      ? undefined
      : await createBudgetGuard({ budgets: limits, prices: () => testBook, book: memoryBook(), store, now: Date.now, holder: 'test' })
  if (budgets !== undefined) intake.onCounted((counted, uncounted) => budgets.observe(counted, uncounted))
  const warnings: string[] = []
  const ring = keys === undefined ? undefined : createKeyRing(parseKeys(keys))
  const gateway = createGateway({
    warn: (sentence) => warnings.push(sentence),
    book: () => testBook,
    ...rest,
    intake: options.intake?.(intake) ?? intake,
    upstreams: parseUpstreams(upstreams),
    ...(budgets && { guard: budgets }),
    ...(ring && { keys: () => ring }),
  })
  const server = createServer((request, response) => {
    if (!gateway.handle(request, response)) response.writeHead(404).end('not a route of the gateway')
  })
  const port = await listening(server, host)

  const entries = async (atLeast = 1): Promise<readonly CallEntry[]> => {
    for (const until = Date.now() + 10_000; ; ) {
      const page = await store.entries({ where: [], from: 0, to: Number.MAX_SAFE_INTEGER }, { limit: 1_000 })
      if (page.entries.length >= atLeast) return page.entries
      if (Date.now() > until) throw new Error(`The ledger has ${page.entries.length} calls, and ${atLeast} were waited for.`)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  return {
    url: `http://${host}:${port}`,
    port,
    gateway,
    store,
    intake,
    budgets,
    warnings,
    entries,
    calls: async (atLeast) => (await entries(atLeast)).map(({ event }) => event as ModelCall),
    async close() {
      await gateway.close(1_000)
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await budgets?.close()
      await store.close()
    },
  }
}

export const listening = (server: Server, host = '127.0.0.1'): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port))
  })
