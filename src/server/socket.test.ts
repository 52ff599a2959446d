import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { eventId, listening, modelCall, testServer } from '../../test/server/test-server.ts'
import type { IngestAnswer } from './api.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const serving = async (options: Parameters<typeof testServer>[0] = {}) => {
  const server = await testServer(options)
  const { url, port, close } = await listening(server)
  ends.push(close)
  return { ...server, url, port }
}

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

const send = (url: string, options: RequestOptions, body: string | Uint8Array): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: 'POST', ...options }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }))
    })
    request.on('error', reject)
    request.end(body)
  })

describe('over a real socket', () => {
  test('gzip comes in, in chunks and on one connection', async () => {
    const server = await serving()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    ends.push(() => agent.destroy())
    const ports = new Set<number | undefined>()
    for (let turn = 0; turn < 3; turn += 1) {
      const body = gzipSync(JSON.stringify([modelCall(turn * 2), modelCall(turn * 2 + 1)]))
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' }
      const answer = await send(`${server.url}/v1/events`, { agent, headers }, body)
      expect((JSON.parse(answer.text) as IngestAnswer).counts.accepted).toBe(2)
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) ports.add(socket.localPort)
    }
    expect(ports.size).toBe(1)
    expect((await server.store.describe()).entries).toBe(6)
  })

  test('a body past the limit is refused, whether or not it says its length, and the server goes on', async () => {
    const server = await serving({ limits: { bodyBytesMax: 10_000 } })
    const body = Buffer.alloc(50_000, 32)
    for (const headers of [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }]) {
      const answer = await send(`${server.url}/v1/events`, { headers: { 'content-type': 'application/json', ...headers } }, body)
      expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([413, 'BODY_TOO_LARGE'])
    }
    expect((await send(`${server.url}/v1/events`, {}, JSON.stringify([modelCall(1)]))).status).toBe(200)
  })

  test('a body that never ends is not waited for past the limit', async () => {
    const server = await serving({ limits: { bodyBytesMax: 10_000 } })
    const status = await new Promise<string>((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1')
      ends.push(() => socket.destroy())
      socket.on('error', reject)
      socket.write('POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n')
      const chunk = `1000\r\n${' '.repeat(4_096)}\r\n`
      const more = () => {
        while (socket.writable && socket.write(chunk));
      }
      socket.on('drain', more)
      more()
      socket.once('data', (data) => resolve(data.toString('latin1').split('\r\n')[0] ?? ''))
    })
    expect(status).toBe('HTTP/1.1 413 Payload Too Large')
  })

  test('a client that leaves in the middle of a body leaves nothing behind', async () => {
    const server = await serving({ limits: { bodiesBytesMax: 1_000 } })
    for (let turn = 0; turn < 3; turn += 1) {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      await new Promise<void>((resolve) => {
        socket.write('POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\n[{"id"', () => resolve())
      })
      socket.resetAndDestroy()
    }
    // Their bytes are given back, so that a whole body still finds room.
    await expect.poll(async () => (await send(`${server.url}/v1/events`, {}, ' '.repeat(1_000))).status).toBe(200)
    expect((await server.store.describe()).entries).toBe(0)
  })

  test('a slow client is waited for', async () => {
    const server = await serving()
    const body = JSON.stringify([modelCall(1)])
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest(`${server.url}/v1/events`, { method: 'POST', headers: { 'content-length': body.length } }, resolve)
      request.on('error', reject)
      const write = (at: number) => {
        if (at >= body.length) request.end()
        else request.write(body.slice(at, at + 20), () => setImmediate(() => write(at + 20)))
      }
      write(0)
    })
    expect(answer.statusCode).toBe(200)
    answer.resume()
  })

  test('the gateway comes first, behind the same guard against other people’s pages', async () => {
    const seen: string[] = []
    const server = await serving({
      gateway: {
        handle(request, response) {
          if (!request.url?.startsWith('/upstream/')) return false
          seen.push(request.url)
          response.end('from upstream')
          return true
        },
      },
    })
    expect((await send(`${server.url}/upstream/v1/chat?x=1`, {}, '{}')).text).toBe('from upstream')
    expect((await send(`${server.url}/upstream/v1/chat`, { headers: { origin: 'https://evil.example' } }, '{}')).status).toBe(403)
    expect((await send(`${server.url}/upstream/v1/chat`, { headers: { host: 'evil.example' } }, '{}')).status).toBe(403)
    expect(seen).toEqual(['/upstream/v1/chat?x=1'])
    expect((await send(`${server.url}/v1/events`, {}, '[]')).status).toBe(200)
  })

  test('requests for a host that is none are refused and not answered with a stack', async () => {
    const server = await serving()
    const answer = await send(`${server.url}/v1/events`, { headers: { host: 'a b' } }, '[]')
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.text).not.toMatch(/at .*:\d+/)
  })

  test('what is acknowledged is there, also for a client that never reads its answer', async () => {
    const server = await serving()
    const body = JSON.stringify([modelCall(7)])
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.end(`POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`)
    await expect.poll(async () => (await server.store.describe()).entries).toBe(1)
    socket.destroy()
    expect((await server.get<{ entries: { id: string }[] }>('/v1/entries')).body.entries[0]?.id).toBe(eventId(7))
  })
})
