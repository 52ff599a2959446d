import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { keyHashOf } from '../../src/intake/keys.ts'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'
import { ask, chat, json, withGateways } from './asking.ts'
import { chatAnswer, chatStream, question, renumbered } from './bodies.ts'
import { openGateway } from './open-gateway.ts'
import { httpUpstream, readAll, socketUpstream } from './raw-upstream.ts'

const { behind } = withGateways()

const ours = 'tm-a-long-random-client-key-of-alice'
const alice = { id: 'alice', hash: keyHashOf(ours), team: 'cx', tags: { plan: 'pro' } }

/** What the upstream was shown as its credentials. */
const showing = async () => {
  const shown: { url: string | undefined; headers: NodeJS.Dict<string | string[]> }[] = []
  const upstream = await httpUpstream(async (request, response) => {
    shown.push({ url: request.url, headers: request.headers })
    await readAll(request)
    response.writeHead(200, json).end(renumbered(chatAnswer, shown.length))
  })
  return { shown, upstream }
}

describe('client keys', () => {
  test.each([
    ['no key', {}],
    ['a wrong key', { authorization: `Bearer ${ours}x` }],
    ["a provider's key", { authorization: 'Bearer sk-proj-0123456789abcdef' }],
  ])('%s: nothing is sent on', async (_name, headers) => {
    const { shown, upstream } = await showing()
    const gateway = await behind(upstream, { keys: [alice], upstream: { key: 'sk-of-the-gateway' } })
    const { response, body } = await ask(gateway, chat, { body: question, headers: { ...json, ...headers } })
    expect([response.statusCode, JSON.parse(body.toString()).error.code]).toEqual([401, 'UNAUTHORIZED'])
    expect(shown).toEqual([])
    expect(gateway.gateway.counters().requests.unauthorized).toBe(1)
  })

  test.each([
    ['as a bearer', chat, { authorization: `Bearer ${ours}` }],
    ['as x-api-key', chat, { 'x-api-key': ours }],
    ['as x-goog-api-key', chat, { 'x-goog-api-key': ours }],
    ['as api-key', chat, { 'api-key': ours }],
    ['in the query', `${chat}?key=${ours}&alt=sse`, {}],
    ['in a header of its own', chat, { 'x-taximeter-key': ours, authorization: 'Bearer sk-of-the-client' }],
  ])("shown %s: it is exchanged for the provider's, and the call is attributed to it", async (_name, path, headers) => {
    const { shown, upstream } = await showing()
    const gateway = await behind(upstream, { keys: [alice], upstream: { key: 'sk-of-the-gateway' } })
    const asked = { ...json, ...headers, 'x-taximeter-team': 'somebody-else', 'x-taximeter-agent': 'bot' }
    expect((await ask(gateway, path, { body: question, headers: asked })).response.statusCode).toBe(200)
    expect(shown[0]?.headers.authorization).toBe('Bearer sk-of-the-gateway')
    expect(JSON.stringify(shown)).not.toContain(ours)
    expect(JSON.stringify(shown)).not.toContain('sk-of-the-client')
    expect(shown[0]?.url).toBe(path.includes('?') ? '/v1/chat/completions?alt=sse' : '/v1/chat/completions')
    expect(await gateway.calls()).toMatchObject([{ key: 'alice', team: 'cx', agent: 'bot', tags: { plan: 'pro' } }])
  })

  test("a key of ours beside the provider's: only the provider's goes on", async () => {
    const { shown, upstream } = await showing()
    const gateway = await behind(upstream, { keys: [alice] })
    await ask(gateway, chat, { body: question, headers: { ...json, 'x-taximeter-key': ours, authorization: 'Bearer sk-of-the-client' } })
    expect(shown[0]?.headers.authorization).toBe('Bearer sk-of-the-client')
    expect(JSON.stringify(shown)).not.toContain(ours)
  })

  test('without a key of its own for the upstream, the gateway does not send a key of ours in its place', async () => {
    const { shown, upstream } = await showing()
    const gateway = await behind(upstream, { keys: [alice] })
    await ask(gateway, chat, { body: question, headers: { ...json, authorization: `Bearer ${ours}` } })
    await ask(gateway, chat, { body: question, headers: { ...json, 'x-taximeter-key': ours, authorization: `Bearer ${ours}` } })
    expect(shown).toHaveLength(2)
    expect(JSON.stringify(shown)).not.toContain(ours)
  })

  test('a key may use the upstreams that it names, and calls only when it may call', async () => {
    const { shown, upstream } = await showing()
    const reader = { id: 'reader', hash: keyHashOf('tm-a-long-random-client-key-of-bob'), may: ['read'] }
    const gateway = await behind(upstream, { keys: [{ ...alice, upstreams: ['groq'] }, reader] })
    for (const key of [ours, 'tm-a-long-random-client-key-of-bob']) {
      const { response } = await ask(gateway, chat, { body: question, headers: { ...json, authorization: `Bearer ${key}` } })
      expect(response.statusCode).toBe(403)
    }
    expect(shown).toEqual([])
  })

  test("a browser's question what it may send needs no key, and takes none of the gateway's along", async () => {
    const { shown, upstream } = await showing()
    const gateway = await behind(upstream, { keys: [alice], upstream: { key: 'sk-of-the-gateway' } })
    await ask(gateway, chat, { method: 'OPTIONS', headers: { origin: 'https://app.example.com' } })
    expect(shown).toHaveLength(1)
    expect(JSON.stringify(shown)).not.toContain('sk-of-the-gateway')
  })
})

describe('without keys', () => {
  test('another machine is not served', async () => {
    const { shown, upstream } = await showing()
    const gateway = await behind(upstream, { upstream: { key: 'sk-of-the-gateway' } })
    const request = { url: chat, method: 'POST', headers: { host: '127.0.0.1' }, rawHeaders: [], socket: { remoteAddress: '10.0.0.7' } }
    let status = 0
    const response = { headersSent: false, destroyed: false, writeHead: (given: number) => (status = given), end: () => undefined }
    expect(gateway.gateway.handle(request as never, response as never)).toBe(true)
    expect([status, shown]).toEqual([403, []])
  })

  test.each([
    ['a name that leads here', { host: 'evil.example.com' }],
    ['a page of another site', { origin: 'https://evil.example.com' }],
    ['a page without an origin', { origin: 'null' }],
    ['a name that begins like ours', { host: 'localhost.evil.example.com' }],
  ])('%s is not served', async (_name, headers) => {
    const { shown, upstream } = await showing()
    const gateway = await behind(upstream, { upstream: { key: 'sk-of-the-gateway' } })
    expect((await ask(gateway, chat, { body: question, headers: { ...json, ...headers } })).response.statusCode).toBe(403)
    expect(shown).toEqual([])
  })

  test.each([{ host: 'localhost:4141' }, { host: 'app.localhost' }, { host: '[::1]:4141' }, { origin: 'http://localhost:5173' }])(
    '%o is served',
    async (headers) => {
      const { upstream } = await showing()
      const gateway = await behind(upstream)
      expect((await ask(gateway, chat, { body: question, headers: { ...json, ...headers } })).response.statusCode).toBe(200)
    },
  )
})

describe('upstream addresses', () => {
  test.each([
    'http://127.0.0.1:1',
    'http://localhost:1',
    'http://[::1]:1',
    'http://[::ffff:127.0.0.1]:1',
    'http://169.254.169.254',
    'http://2130706433/',
  ])('%s is refused unless it is said to be private', async (url) => {
    await expect(openGateway({ upstreams: [{ name: 'corp', url, provider: 'vllm' }] })).rejects.toThrow('UNSAFE_ADDRESS')
  })

  test('a name that leads to a private address is found out when connecting', async () => {
    const { shown, upstream } = await showing()
    // This machine's own name says nothing of where it leads until it is looked up.
    const { port } = new URL(upstream.url)
    const gateway = await behind(upstream, {
      name: 'corp',
      upstream: { url: `http://${hostname()}:${port}`, provider: 'vllm', private: false },
    })
    const { response, body } = await ask(gateway, '/corp/v1/chat/completions', { body: question, headers: json })
    expect(response.statusCode).toBe(502)
    // Where the machine's name is not known to its resolver, it is not found at all.
    expect(['UNSAFE_ADDRESS', 'UPSTREAM_FAILED']).toContain(JSON.parse(body.toString()).error.code)
    expect(shown).toEqual([])
  })

  test.each(['/openai/../metrics', '/openai/v1/%2e%2e/x', '/openai/v1\\..\\x', '/openai/v1/..', '/openai/v1/%5c..'])(
    '%s is refused',
    async (path) => {
      const { shown, upstream } = await showing()
      const gateway = await behind(upstream)
      const status = await new Promise<string>((resolve) => {
        const socket = connect(gateway.port, '127.0.0.1', () =>
          socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`),
        )
        socket.once('data', (data) => resolve(data.toString().split(' ')[1] ?? ''))
      })
      expect([status, shown]).toEqual(['400', []])
    },
  )

  test('an upstream cannot be named by a request', async () => {
    const { shown, upstream } = await showing()
    const gateway = await behind(upstream)
    for (const target of [
      'http://169.254.169.254/latest',
      '//169.254.169.254/openai/',
      '/http://169.254.169.254/',
      '/via/url=x/nowhere/',
    ]) {
      const status = await new Promise<string>((resolve) => {
        const socket = connect(gateway.port, '127.0.0.1', () =>
          socket.write(
            `GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-taximeter-upstream: http://169.254.169.254\r\nconnection: close\r\n\r\n`,
          ),
        )
        socket.once('data', (data) => resolve(data.toString().split(' ')[1] ?? ''))
      })
      expect(status).toBe('404')
    }
    expect(shown).toEqual([])
  })

  test('headers that an upstream sends in our name are not passed on', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) => response.writeHead(200, { ...json, 'x-taximeter-cost-usd': '0' }).end(chatAnswer)),
    )
    const { response } = await ask(gateway, chat, { body: question, headers: json })
    expect(response.headers['x-taximeter-cost-usd']).toBe('0.000140000000')
  })
})

test('no key, prompt or answer is in any error, warning, counter, spool or row', async () => {
  const canary = (what: string) => `canary-${what}-7f3a9c`
  const folder = mkdtempSync(join(tmpdir(), 'taximeter-canary-'))
  const store = await sqliteStore({ path: join(folder, 'ledger.db'), durability: 'normal' })
  const answers = [
    (text: string) => ['200 OK', 'application/json', text.replace('Five.', canary('answer'))],
    () => ['200 OK', 'text/event-stream', chatStream.join('').replaceAll('Fünf', canary('answer'))],
    () => [
      '400 Bad Request',
      'application/json',
      JSON.stringify({ error: { message: canary('answer'), code: null, type: 'invalid_request_error', param: canary('answer') } }),
    ],
    () => ['200 OK', 'application/json', `{"broken": "${canary('answer')}`],
    () => ['200 OK', 'text/html', `<html>${canary('answer')}</html>`],
    () => ['500 No', 'application/json', `"${canary('answer')}"`],
    () => ['200 OK', 'application/json\r\ncontent-encoding: gzip', canary('answer')],
  ] as const
  let turn = 0
  const upstream = await socketUpstream((socket) => {
    socket.on('data', (data) => {
      if (!data.includes('}')) return
      const [status = '', type = '', body = ''] = answers[turn++ % answers.length]?.(renumbered(chatAnswer, turn)) ?? []
      socket.end(
        `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      )
    })
  })
  let isDown = false
  const gateway = await openGateway({
    store,
    keys: [alice],
    upstreams: [{ name: 'openai', url: upstream.url, private: true, key: canary('provider-key') }],
    spoolFolder: join(folder, 'spool'),
    hashKey: canary('hash-key'),
    intake: (real) => ({
      keep: (entries) => (isDown ? Promise.reject(new Error(canary('error'))) : real.keep(entries)),
      admit: (events, from) => (isDown ? Promise.reject(new Error(canary('error'))) : real.admit(events, from)),
    }),
  })
  const body = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: canary('prompt') }] })
  const told: string[] = []
  const askAll = async (key: string): Promise<void> => {
    for (const _ of answers) {
      const { response, body: got } = await ask(gateway, chat, { body, headers: { ...json, authorization: `Bearer ${key}` } })
      // The provider's own words belong to the client; the gateway's own words are looked at.
      if (response.headers['x-taximeter-call'] === undefined) told.push(got.toString())
      told.push(JSON.stringify(Object.entries(response.headers).filter(([name]) => name.startsWith('x-taximeter-'))))
    }
  }
  await askAll(canary('wrong-key-of-a-stranger'))
  // One answer of each kind reaches the ledger (the stream has the id of another), and one of each waits on disk.
  await askAll(ours)
  await gateway.entries(answers.length - 1)
  isDown = true
  await askAll(ours)
  await expect.poll(() => gateway.gateway.counters().events.spooled).toBe(answers.length)
  const spooled = readdirSync(join(folder, 'spool')).map((name) => readFileSync(join(folder, 'spool', name), 'utf8'))
  expect(spooled.join('')).toContain('"alice"')
  const rows = await store.entries({ where: [], from: 0, to: Number.MAX_SAFE_INTEGER }, { limit: 100 })
  expect(rows.entries.length).toBe(answers.length - 1)
  const shown = (value: unknown): string =>
    JSON.stringify(value, (_name, each: unknown) => (typeof each === 'bigint' ? String(each) : each))
  const everything = [...told, ...spooled, ...gateway.warnings, shown(gateway.gateway.counters()), shown(rows)]
  await gateway.close()
  await upstream.close()
  for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) everything.push(readFileSync(join(name.parentPath, name.name), 'latin1'))
  }
  rmSync(folder, { recursive: true, force: true })
  const all = everything.join('\n')
  expect(all.match(/.{0,60}canary-.{0,40}/g)).toBeNull()
  expect(all.includes(ours)).toBe(false)
})

test('a request that HTTP does not allow to be sent on is refused', async () => {
  const { shown, upstream } = await showing()
  const gateway = await behind(upstream)
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const request = httpRequest(`${gateway.url}/openai/v1/models`, { method: 'CONNECTX' as 'GET', agent: false })
    request.on('response', (response) => resolve(response.statusCode)).on('error', reject)
    request.end()
  }).catch((error: unknown) => (error as Error).message)
  expect([400, 'socket hang up', 'Parse Error']).toContain(status)
  expect(shown).toEqual([])
})
