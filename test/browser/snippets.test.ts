import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { snippets } from '../../dashboard/src/pages/start/snippets.ts'
import { commands } from '../../src/cli/commands.ts'
import { parseUpstreams } from '../../src/gateway/upstreams.ts'
import * as entry from '../../src/index.ts'
import { createFleetServer, type FleetServer } from './fleet-server.ts'

const origin = 'http://127.0.0.1:4141'
const { devDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  devDependencies: Record<string, string>
}

describe('what "Get started" shows is there', () => {
  let folder: string
  let server: FleetServer
  let routes: readonly string[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taximeter-snippets-'))
    server = await createFleetServer({ path: join(folder, 'empty.db') })
    const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, unknown> }
    routes = Object.keys(paths)
  })

  afterAll(async () => {
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test.each(snippets.map((snippet) => [snippet.title, snippet.code(origin)] as const))('%s', (_, code) => {
    const names = commands.map((command) => command({} as never).name())
    for (const [, command] of code.matchAll(/\btaximeter (\w+)/g)) expect(names).toContain(command)
    const upstreams = [...parseUpstreams([]).keys()]
    for (const [, path = ''] of code.matchAll(/http:\/\/127\.0\.0\.1:4141(\/[^\s'"]*)/g)) {
      const first = path.replace(/^\/via\/[^/]+/, '').split('/')[1] ?? ''
      expect(routes.includes(path) || upstreams.includes(first), path).toBe(true)
    }
    for (const [, imported = '', from = ''] of code.matchAll(/^import \{ (\w+) \} from '([^']+)'/gm)) {
      if (from === 'taximeter') expect(Object.keys(entry)).toContain(imported)
      else expect(Object.keys(devDependencies)).toContain(from)
    }
    if (code.includes('OTEL_')) expect(routes).toContain('/v1/traces')
  })

  test('the event that curl sends is taken', async () => {
    const code = snippets.find(({ id }) => id === 'curl')?.code(server.url) ?? ''
    const body = /-d '(.*)'$/s
      .exec(code)?.[1]
      ?.replace(/'\$\(uuidgen[^)]*\)'/, '019aab00-0000-7000-8000-000000000001')
      .replace(/'\$\(date[^)]*\)'/, new Date().toISOString())
    const answer = await fetch(`${server.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: body ?? '',
    })
    expect(await answer.json()).toMatchObject({ counts: { accepted: 1, rejected: 0 } })
  })
})
