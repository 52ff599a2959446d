import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testServer } from '../../test/server/test-server.ts'

let folder: string
beforeAll(async () => {
  const outside = await mkdtemp(join(tmpdir(), 'taximeter-files-'))
  folder = join(outside, 'dist')
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(outside, 'secret.txt'), 'secret')
  await writeFile(join(folder, 'index.html'), '<!doctype html><div id="root"></div>')
  await writeFile(join(folder, 'favicon.svg'), '<svg/>')
  await writeFile(join(folder, 'assets/index-Ab3_x-9Q.js'), `console.log(${JSON.stringify('x'.repeat(5_000))})`)
  await writeFile(join(folder, 'assets/plain.js'), 'console.log(1)')
  await writeFile(join(folder, '.env'), 'SECRET=1')
})
afterAll(() => rm(join(folder, '..'), { recursive: true }))

const html = { accept: 'text/html,application/xhtml+xml' }

describe('the dashboard', () => {
  test('its page is answered at / and for every view, and asked for again each time', async () => {
    const { get } = await testServer({ dashboard: folder })
    for (const path of ['/', '/runs', '/runs/r-1', '/models/gpt-4.1', '/explore?measure=cost', '/index.html']) {
      const { status, headers, body } = await get(path, html)
      expect([path, status, headers.get('cache-control'), body]).toEqual([path, 200, 'no-cache', expect.stringContaining('id="root"')])
      expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*script-src 'self'.*connect-src 'self'/)
    }
    const { headers } = await get('/', html)
    const again = await get('/', { ...html, 'if-none-match': headers.get('etag') ?? '' })
    expect([again.status, again.body]).toEqual([304, ''])
  })

  test('what has a hash in its name is kept for good, and travels small', async () => {
    const { get, fetch } = await testServer({ dashboard: folder })
    const path = '/assets/index-Ab3_x-9Q.js'
    const plain = await get<string>(path)
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(plain.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    const zipped = await fetch(new Request(`http://localhost${path}`, { headers: { 'accept-encoding': 'gzip, br' } }))
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    const bytes = Buffer.from(await zipped.arrayBuffer())
    expect(bytes.length).toBeLessThan(500)
    expect(gunzipSync(bytes).toString()).toBe(plain.body)
    expect((await get('/assets/plain.js')).headers.get('cache-control')).toBe('no-cache')
  })

  test.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/.env',
    '/assets',
    '/assets/',
    '/%00',
    '/%zz',
    '/index.html%00.js',
  ])('%s leads nowhere', async (path) => {
    const { get } = await testServer({ dashboard: folder })
    const { status, body } = await get(path)
    expect([status, body.error.code]).toEqual([404, 'NOT_FOUND'])
  })

  test('a file that is missing is not the page, nor is a route of the API', async () => {
    const { get } = await testServer({ dashboard: folder })
    for (const path of ['/assets/index-OldHash1.js', '/v1/nothing']) expect((await get(path, html)).status).toBe(404)
    expect((await get('/runs', { accept: 'application/json' })).status).toBe(404)
  })

  test('a folder that is not there yet is looked for again', async () => {
    const later = join(folder, '../later')
    const { get } = await testServer({ dashboard: later })
    expect((await get<string>('/', html)).body).toContain('The dashboard is not built here')
    await mkdir(later)
    await writeFile(join(later, 'index.html'), 'built')
    expect((await get<string>('/', html)).body).toBe('built')
  })
})
