import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { modelCall, testServer } from '../../test/server/test-server.ts'
import { errorCodes } from '../core/errors.ts'
import { createBudgetGuard } from '../guard/budget-guard.ts'
import { memoryBook } from '../guard/memory-book.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { statusOf } from './error-answer.ts'
import { metricList } from './metric-list.ts'

const read = (name: string): string => readFileSync(join(import.meta.dirname, '../../docs/reference', name), 'utf8')

/** A server with every part that has routes. */
const whole = async () => {
  const store = memoryStore()
  const budgets = await createBudgetGuard({
    budgets: [],
    prices: () => ({}) as never,
    book: memoryBook(),
    store,
    now: () => 0,
    holder: 't',
  })
  return testServer({
    store,
    budgets,
    alerts: () => ({ alerts: [] }),
    alertRules: () => ({ rules: [] }),
    forecast: async () => ({ at: '', tz: 'UTC', total: [], budgets: [] }),
    selfCheck: async () => ({ done: 0, of: 0, points: [] }),
    readings: async () => ({ from: '', to: '', segments: [], readings: [] }),
    reload: async () => {},
  })
}

interface OpenApi {
  readonly paths: Record<
    string,
    Record<string, { summary?: string; responses: Record<string, { content?: object }>; security?: unknown[] }>
  >
  readonly components: { readonly schemas: Record<string, unknown> }
}

describe('/openapi.json', () => {
  test('describes every route, and http.md has a section for each and for no other', async () => {
    const { get, routes } = await whole()
    const { paths } = (await get<OpenApi>('/openapi.json')).body
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort())
    const sections = [...read('http.md').matchAll(/^### `(\w+ [^`]+)`$/gm)].map(([, name]) => name ?? '')
    expect(sections.sort()).toEqual(described)
  })

  test('says of each route what it is, how it fails, and whether it asks for a key', async () => {
    const { paths } = (await (await whole()).get<OpenApi>('/openapi.json')).body
    for (const [path, methods] of Object.entries(paths)) {
      for (const operation of Object.values(methods)) {
        expect(operation.summary, path).toMatch(/^[A-Z].*\.$/)
        expect(operation.security, path).toEqual(path === '/healthz' ? [] : [{ key: [] }])
      }
    }
  })

  test('names a schema for everything that travels, and leaves no reference dangling', async () => {
    const { body } = await (await whole()).get<OpenApi>('/openapi.json')
    const references = [...JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
    expect(new Set(references).size).toBeGreaterThan(15)
    for (const name of references) expect(body.components.schemas).toHaveProperty(name ?? '')
  })
})

test('errors.md has a paragraph for every code and for no other, with its status', () => {
  const sections = [...read('errors.md').matchAll(/^### (\w+)\n(.*)$/gm)]
  expect(sections.map(([, code]) => code).sort()).toEqual([...errorCodes].sort())
  for (const [, code, line] of sections) {
    if (code === 'MAX_STEPS') continue
    expect(line, code).toContain(`Status ${statusOf[code as (typeof errorCodes)[number]]}`)
  }
})

test('metrics.md lists every metric as the code has it, and no other', () => {
  const rows = [...read('metrics.md').matchAll(/^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$/gm)].map(([, name, type, labels, help]) => [
    name,
    type,
    labels?.replace(/`/g, ''),
    help,
  ])
  const known = Object.entries(metricList).map(([name, info]) => [name, info.type, info.labels.join(' '), info.help])
  expect(rows.sort()).toEqual(known.sort())
})

test('/metrics prints no metric that is not in the list, and each with its type', async () => {
  const { post, metrics } = await whole()
  await post('/v1/events', [modelCall(1)])
  const types = [...(await metrics.text()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type])
  expect(types.length).toBeGreaterThan(25)
  for (const [name = '', type] of types) expect(metricList).toHaveProperty([name, 'type'], type)
})

test('a server at rest has loaded no schema library', () => {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const [, from = ''] of readFileSync(path, 'utf8').matchAll(/^(?:import|export) (?!type)[^;'"]*? from '([^']+)'$/gm)) {
      if (from.startsWith('.')) visit(join(dirname(path), from))
      else packages.add(from)
    }
  }
  visit(join(import.meta.dirname, 'server.ts'))
  visit(join(import.meta.dirname, 'metrics.ts'))
  expect(seen.size).toBeGreaterThan(30)
  expect([...packages].filter((name) => !name.startsWith('node:')).sort()).toEqual(['@hono/node-server', 'hono'])
})
