import { describe, expect, test } from 'vitest'
import { eventId, modelCall, testServer } from '../../test/server/test-server.ts'
import { TaximeterError } from '../core/errors.ts'
import { createKeyRing, keyHashOf, parseKeys } from '../intake/keys.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import type { AboutAnswer, EntriesAnswer } from './api.ts'

const secrets = { reader: 'reader-0123456789abcdef', sender: 'sender-0123456789abcdef', operator: 'operator-0123456789abcd' }
const keys = createKeyRing(
  parseKeys([
    { id: 'reader', hash: keyHashOf(secrets.reader), may: ['read'] },
    { id: 'sender', hash: keyHashOf(secrets.sender), may: ['send'], team: 'cx', tags: { plan: 'pro' } },
    { id: 'operator', hash: keyHashOf(secrets.operator), may: ['operate'] },
  ]),
)
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })

describe('with keys', () => {
  test('every route asks for one but /healthz', async () => {
    const { routes, get, post } = await testServer({ keys, reload: async () => {} })
    expect(routes.length).toBeGreaterThan(15)
    for (const { method, path } of routes) {
      const { status } = await (method === 'GET' ? get(path) : post(path, '[]'))
      expect(`${path} ${status}`).toBe(`${path} ${path === '/healthz' ? 200 : 401}`)
    }
  })

  test('a key may do what it is for and nothing else', async () => {
    const { get, post } = await testServer({ keys, reload: async () => {} })
    expect((await get('/v1/query', bearer(secrets.reader))).status).toBe(200)
    expect((await get('/metrics', { 'x-taximeter-key': secrets.reader })).status).toBe(200)
    expect((await post('/v1/events', [], bearer(secrets.reader))).body.error.code).toBe('FORBIDDEN')
    expect((await post('/v1/events', [], bearer(secrets.sender))).status).toBe(200)
    expect((await get('/v1/query', bearer(secrets.sender))).status).toBe(403)
    expect((await post('/-/reload', '', bearer(secrets.operator))).status).toBe(204)
    expect((await post('/-/reload', '', bearer(secrets.reader))).status).toBe(403)
  })

  test('neither a wrong key nor a right one is ever repeated', async () => {
    const { get, post } = await testServer({ keys })
    for (const answer of [
      await get('/v1/query', bearer('wrong-0123456789abcdef')),
      await get('/v1/query', bearer(secrets.sender)),
      await post('/-/sign-in', 'key=wrong-0123456789abcdef'),
      await post('/v1/events', [modelCall(1, { agent: 5 })], bearer(secrets.sender)),
    ]) {
      const text = JSON.stringify(answer.body) + JSON.stringify([...answer.headers])
      expect(text).not.toMatch(/0123456789abcdef/)
    }
  })

  test('events belong to what is configured for their key, whatever they say', async () => {
    const { get, post } = await testServer({ keys })
    await post('/v1/events', [modelCall(1, { team: 'other', tags: { plan: 'free', own: 'x' } })], bearer(secrets.sender))
    const { body } = await get<EntriesAnswer>('/v1/entries', bearer(secrets.reader))
    expect(body.entries).toMatchObject([{ team: 'cx', key: 'sender', tags: { plan: 'pro', own: 'x' } }])
  })

  test('a browser signs in with a key and then reads by its cookie', async () => {
    const { get, post } = await testServer({ keys })
    const page = await get('/', { accept: 'text/html' })
    expect([page.status, page.body]).toEqual([401, expect.stringContaining('action="/-/sign-in"')])
    expect((await post('/-/sign-in', 'key=no-such-key-at-all-here')).status).toBe(401)
    expect((await post('/-/sign-in', `key=${secrets.sender}`)).status).toBe(401)
    const signedIn = await post('/-/sign-in', `key=${secrets.reader}`)
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/'])
    const cookie = signedIn.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^taximeter_session=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
    const own = { cookie: `other=1; ${cookie.split(';')[0]}` }
    expect((await get('/v1/query', own)).status).toBe(200)
    expect((await get('/', { ...own, accept: 'text/html' })).status).toBe(200)
    expect((await post('/v1/events', [], own)).status).toBe(403)
    expect((await get('/v1/query', { cookie: `taximeter_session=${'a'.repeat(43)}` })).status).toBe(401)
  })

  test('a session ends with its time, and the oldest ends when there are too many', async () => {
    let at = 0
    const { get, post } = await testServer({ keys, now: () => at, limits: { sessionsMax: 2, sessionMs: 1_000 } })
    const signIn = async () => ({
      cookie: (await post('/-/sign-in', `key=${secrets.reader}`)).headers.get('set-cookie')?.split(';')[0] ?? '',
    })
    const sessions = [await signIn(), await signIn(), await signIn()]
    const statuses = async () => Promise.all(sessions.map(async (session) => (await get('/v1/about', session)).status))
    expect(await statuses()).toEqual([401, 200, 200])
    at = 1_000
    expect(await statuses()).toEqual([401, 401, 401])
  })
})

describe('a web page of somebody else', () => {
  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['no origin to speak of', { origin: 'null' }],
    ['another port of this machine', { origin: 'http://localhost:5173' }],
    ['a name that was made to lead here', { host: 'evil.example', origin: 'http://evil.example' }],
    ['a name that begins like ours', { host: 'localhost.evil.example' }],
  ])('%s is refused', async (_, headers) => {
    const { get, post, store } = await testServer()
    expect((await get('/v1/query', headers as Record<string, string>)).body.error.code).toBe('FORBIDDEN_ORIGIN')
    expect((await post('/v1/events', [modelCall(1)], headers as Record<string, string>)).status).toBe(403)
    expect((await store.describe()).entries).toBe(0)
  })

  test.each([
    ['a form', 'POST', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 403],
    ['an image', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    ['a script of another port of this machine', 'GET', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }, 403],
    ['a link', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
    ['the address bar', 'GET', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 200],
    ['our own page', 'POST', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }, 200],
  ] as const)('without an origin, %s is told by what the browser says', async (_, method, headers, status) => {
    const { get, post } = await testServer()
    const answer = await (method === 'GET' ? get('/v1/query', headers) : post('/v1/events', [modelCall(1)], headers))
    expect(answer.status).toBe(status)
  })

  test('our own page and every name of loopback are answered', async () => {
    const { get } = await testServer()
    for (const host of ['localhost:4141', '127.0.0.1:4141', '[::1]:4141', 'LOCALHOST'])
      expect((await get('/v1/query', { host, origin: `http://${host}` })).status).toBe(200)
  })

  test('an allowed origin may read, and is told so', async () => {
    const origin = 'https://ops.example'
    const { get, fetch } = await testServer({ origins: [origin] })
    const { status, headers } = await get('/v1/query', { origin })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, origin])
    const preflight = await fetch(new Request('http://localhost/v1/events', { method: 'OPTIONS', headers: { origin } }))
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, POST'])
    expect((await get('/v1/query')).headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('errors', () => {
  test('a route that is not there, and a method that it does not take', async () => {
    const { get, post } = await testServer()
    expect(await get('/v1/nothing')).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } })
    const refused = await post('/v1/runs/r-1', '')
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await get('/v1/events')).headers.get('allow')).toBe('POST')
  })

  test('what breaks unexpectedly is told to the operator and not to the caller', async () => {
    const store = memoryStore()
    const secret = new Error('disk /home/alice/secret is gone')
    const told: unknown[] = []
    const { get } = await testServer({
      store: { ...store, ask: (question) => (question.by.includes('step') ? Promise.reject(secret) : store.ask(question)) },
      onError: (error) => told.push(error),
    })
    const { status, body } = await get('/v1/query?by=step')
    expect([status, body.error.code]).toEqual([500, 'INTERNAL'])
    expect(JSON.stringify(body)).not.toContain('alice')
    expect(told).toEqual([secret])
  })

  test('a ledger that is busy says when to come back', async () => {
    const store = memoryStore()
    const { post } = await testServer({
      store: { ...store, append: () => Promise.reject(new TaximeterError('LEDGER_BUSY', 'Too much is waiting.')) },
    })
    const { status, headers, body } = await post('/v1/events', [modelCall(1)])
    expect([status, headers.get('retry-after'), body.error.message]).toEqual([503, '1', 'Too much is waiting.'])
  })

  test('what a caller sent comes back short and without characters that move a cursor', async () => {
    const { get } = await testServer()
    const { body } = await get(`/v1/query?measure=${encodeURIComponent(`\u001b[2J\u202e${'x'.repeat(1_900)}`)}`)
    for (const character of ['\u001b', '\u202e']) expect(body.error.message).not.toContain(character)
    expect(body.error.message.length).toBeLessThan(2_100)
  })
})

test('every answer says what it is and that it is not to be kept or framed', async () => {
  const { get } = await testServer()
  for (const path of ['/v1/query', '/metrics', '/', '/nothing']) {
    const { headers } = await get(path)
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
    })
  }
})

test('without a dashboard the first page says what is here', async () => {
  const { get } = await testServer()
  const { status, body, headers } = await get('/', { accept: 'text/html' })
  expect([status, headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("default-src 'none'")])
  expect(body).toContain('/openapi.json')
})

test('health is that the process answers, readiness that the ledger does', async () => {
  const store = memoryStore()
  const { get, post } = await testServer({ store })
  await post('/v1/events', [modelCall(1)])
  expect((await get('/healthz')).body).toEqual({ status: 'ok', version: '0.0.0' })
  expect((await get('/readyz')).body).toEqual({ status: 'ready' })
  expect((await get('/v1/about')).body).toMatchObject({ book: 'test-1', needsKey: false, ledger: { entries: 1 } })
  await store.close()
  expect(await get('/readyz')).toMatchObject({ status: 503, body: { status: 'not-ready', reason: 'The ledger is closed.' } })
  expect((await get('/healthz')).status).toBe(200)
})

test('the parts that are not wired have no routes', async () => {
  const { get } = await testServer()
  expect((await get('/v1/budgets')).status).toBe(404)
  expect((await get('/v1/alerts')).status).toBe(404)
  expect((await get<AboutAnswer>('/v1/about')).body.has).toEqual({
    budgets: false,
    alerts: false,
    alertRules: false,
    forecast: false,
    selfCheck: false,
    readings: false,
    prices: true,
    gateway: false,
  })
})

test('a request in the name of HEAD is answered without a body', async () => {
  const { fetch } = await testServer()
  const answer = await fetch(new Request(`http://localhost/v1/runs/${eventId(1)}`, { method: 'HEAD' }))
  expect([answer.status, await answer.text()]).toEqual([404, ''])
})
