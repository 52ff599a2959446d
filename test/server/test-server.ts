import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import type { BookJson } from '../../src/core/book-json.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { createIntake } from '../../src/intake/intake.ts'
import { memoryStore } from '../../src/ledger/memory/memory-store.ts'
import type { ErrorJson } from '../../src/server/api.ts'
import { createMetrics, type MetricsLimits } from '../../src/server/metrics.ts'
import type { Route } from '../../src/server/route.ts'
import { schemas } from '../../src/server/schema-list.ts'
import { createServer, type ServerOptions } from '../../src/server/server.ts'

export const bookJson: BookJson = {
  version: 'test-1',
  providers: {
    openai: {
      name: 'OpenAI',
      models: {
        'gpt-4.1': {
          aliases: ['gpt-4.1-2025-04-14'],
          outputMax: 32_768,
          periods: [
            { from: '2025-04-14', source: 'https://example.com/old', confidence: 'confirmed', rates: { input: '4', output: '16' } },
            {
              from: '2026-01-01',
              source: 'https://example.com/new',
              confidence: 'confirmed',
              rates: { input: '2', cache_read: '0.5', output: '8' },
              tiers: [{ basis: 'prompt', scope: 'request', op: 'gt', threshold: 200_000, rates: { input: '4' } }],
              variants: [{ tier: 'batch', multiply: '0.5' }],
            },
            { from: '2099-01-01', rates: { input: '1', output: '4' } },
          ],
        },
        'gpt-4.1-mini': { periods: [{ rates: { input: '0.4', output: '1.6' } }] },
      },
    },
    anthropic: { name: 'Anthropic', models: { 'claude-sonnet-4-5': { periods: [{ rates: { input: '3', output: '15' } }] } } },
    openrouter: {
      name: 'OpenRouter',
      models: {
        'meta/llama-4': {
          periods: [
            {
              rates: { input: '0.2', output: '0.6' },
              hours: [{ from: '22:00', to: '06:00', days: [0, 6], rates: { output: '0.3' }, confidence: 'decided' }],
              variants: [{ regions: ['eu', 'us'], multiply: '1.1' }],
            },
          ],
        },
      },
    },
  },
}

export const now = Date.parse('2026-11-22T12:00:00Z')
export const eventId = (index: number): string => `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`

/** A model call that costs $0.0048 (1,200 × $2 + 300 × $8, per million). */
export const modelCall = (index: number, more: Record<string, unknown> = {}) => ({
  id: eventId(index),
  at: '2026-11-22T11:00:00.000Z',
  kind: 'llm',
  provider: 'openai',
  model: 'gpt-4.1',
  usage: { input: 1_200, output: 300 },
  ...more,
})

/** A server on an empty ledger in memory, with the real intake and the real metrics. */
export const testServer = async (options: Partial<ServerOptions> & { metricsLimits?: Partial<MetricsLimits> } = {}) => {
  const { metricsLimits, ...given } = options
  const store = given.store ?? memoryStore()
  const book = createPriceBook(bookJson)
  const intake = createIntake({ store, book: () => book, now: () => now })
  const metrics = await createMetrics({
    store,
    intake,
    now: () => now,
    version: '0.0.0',
    bookVersion: () => book.version,
    budgets: given.budgets,
    ...(metricsLimits !== undefined && { limits: metricsLimits }),
  })
  const server = createServer({
    store,
    intake,
    metrics,
    book: () => book,
    prices: () => bookJson,
    now: () => now,
    version: '0.0.0',
    ...given,
  })
  const ask = async <Body>(method: 'GET' | 'POST', path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const text = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    const response = await server.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers,
        ...(text !== undefined && { body: text as string }),
      }),
    )
    const answer = response.headers.get('content-type')?.startsWith('application/json') ? await response.json() : await response.text()
    holdToSchema(server.routes, method, path, response.status, answer)
    return { status: response.status, headers: response.headers, body: answer as Body }
  }
  return {
    ...server,
    store,
    intake,
    metrics,
    get: <Body = ErrorJson>(path: string, headers?: Record<string, string>) => ask<Body>('GET', path, undefined, headers),
    post: <Body = ErrorJson>(path: string, body: unknown, headers?: Record<string, string>) => ask<Body>('POST', path, body, headers),
  }
}

/** Every answer that a test sees is what /openapi.json says of it, field by field. */
const holdToSchema = (routes: readonly Route[], method: string, path: string, status: number, answer: unknown): void => {
  const place = path.split('?')[0] ?? ''
  const found = routes.filter((route) => route.method === method && patternOf(route).test(place))
  const route = found.find(({ path: exact }) => exact === place) ?? found[0]
  if (route === undefined || typeof answer !== 'object') return
  const name = route.answers[status]?.content?.['application/json']
  const schema = name === undefined || name === 'text' ? undefined : schemas[name]
  if (schema === undefined && status >= 400) return
  expect(schema, `${method} ${route.path} answers ${status}, which is not described`).toBeDefined()
  expect(schema?.parse(answer)).toEqual(answer)
}

const patternOf = ({ path, greedy = [] }: Route): RegExp =>
  new RegExp(`^${path.replace(/\{(\w+)\}/g, (_, name: string) => (greedy.includes(name) ? '.+' : '[^/]+'))}$`)

/** The same server on a socket of its own; `close` ends everything. */
export const listening = async (server: { httpServer(): import('node:http').Server; close(): void }) => {
  const http = server.httpServer()
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.close()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
