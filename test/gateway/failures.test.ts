import { request as httpRequest } from 'node:http'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { caught } from '../clients/observe.ts'
import { ask, chat, json, withGateways } from './asking.ts'
import { chatAnswer, chatStream, question, streamed } from './bodies.ts'
import { type OpenGateway, openGateway } from './open-gateway.ts'
import { httpUpstream, readAll, socketUpstream, wholeRequest } from './raw-upstream.ts'

const { behind } = withGateways()

/** Reads an answer until it ends, or until `until` is seen in it, and then leaves. */
const leaveAt = (gateway: OpenGateway, body: string, until: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(`${gateway.url}${chat}`, { method: 'POST', headers: json, agent: false }, (response) => {
      let text = ''
      response.on('error', () => undefined)
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (!text.includes(until)) return
        request.destroy()
        resolve()
      })
    })
    request.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? undefined : reject(error)))
    request.end(body)
  })

const timeouts = { connectMs: 1_000, headersMs: 300, idleMs: 300 }
const codes = async (gateway: OpenGateway) => {
  const { response, body } = await ask(gateway, chat, { body: question, headers: json })
  return [response.statusCode, (JSON.parse(body.toString()) as { error: { code: string } }).error.code]
}

describe('an upstream that fails', () => {
  test('nobody listens there', async () => {
    const upstream = await httpUpstream(() => undefined)
    await upstream.close()
    const gateway = await behind({ url: upstream.url, close: async () => undefined })
    expect(await codes(gateway)).toEqual([502, 'UPSTREAM_FAILED'])
    expect(await gateway.calls()).toMatchObject([{ status: 'error', error: 'unreachable', usage: {}, quality: 'complete' }])
    expect(gateway.gateway.counters()).toMatchObject({ inFlight: 0, requests: { failed: 1 } })
  })

  test('it never begins to answer', async () => {
    const gateway = await behind(await httpUpstream(() => undefined), { upstream: { timeouts } })
    expect(await codes(gateway)).toEqual([504, 'UPSTREAM_TIMEOUT'])
    expect(await gateway.calls()).toMatchObject([
      { status: 'error', error: 'upstream-timeout', quality: 'estimated', usage: { input: 21 } },
    ])
  })

  test('it stops in the middle of an answer that is held: a clear error', async () => {
    const gateway = await behind(await httpUpstream((_request, response) => response.writeHead(200, json).write('{"id":')), {
      upstream: { timeouts },
    })
    expect(await codes(gateway)).toEqual([504, 'UPSTREAM_TIMEOUT'])
    expect(await gateway.calls()).toMatchObject([
      { status: 'error', error: 'upstream-timeout', quality: 'estimated', usage: { input: 21 } },
    ])
  })

  test('it stops in the middle of a stream: the connection breaks, as it would without the gateway', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) =>
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatStream.slice(0, 3).join('')),
      ),
      { upstream: { timeouts } },
    )
    await expect(ask(gateway, chat, { body: streamed, headers: json })).rejects.toThrow('aborted')
    expect(await gateway.calls()).toMatchObject([{ status: 'error', error: 'upstream-timeout', quality: 'estimated' }])
  })

  test.each([
    ['says more than it sends', 'content-length: 9999'],
    ['says less than it sends', 'content-length: 10'],
    ['breaks off a chunk', 'transfer-encoding: chunked'],
  ])('it %s: no answer passes for whole', async (_name, header) => {
    const gateway = await behind(
      await socketUpstream((socket, received) => {
        void wholeRequest(socket, received).then(() =>
          socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${header}\r\n\r\n${chatAnswer}`),
        )
      }),
    )
    const { response, body } = await ask(gateway, chat, { body: question, headers: json })
    if (header.endsWith('10')) expect([response.statusCode, body.toString()]).toEqual([200, chatAnswer.slice(0, 10)])
    else expect([response.statusCode, JSON.parse(body.toString()).error.code]).toEqual([502, 'UPSTREAM_FAILED'])
    expect(await gateway.calls()).toMatchObject([{ status: 'error' }])
  })

  test('it speaks something else', async () => {
    const gateway = await behind(await socketUpstream((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n')))
    expect(await codes(gateway)).toEqual([502, 'UPSTREAM_FAILED'])
  })

  test('it closes the connection without a word', async () => {
    const gateway = await behind(
      await socketUpstream((socket, received) => void wholeRequest(socket, received).then(() => socket.destroy())),
    )
    expect(await codes(gateway)).toEqual([502, 'UPSTREAM_FAILED'])
    expect(await gateway.calls()).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })

  test('it answers before it has read the request', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) =>
        response.writeHead(429, json).end('{"error":{"code":"rate_limit_exceeded","message":"Slow down"}}'),
      ),
    )
    const { response } = await ask(gateway, chat, {
      body: [Buffer.from('{"a":"'), Buffer.alloc(8_000_000, 'a'), Buffer.from('"}')],
      headers: json,
    })
    expect(response.statusCode).toBe(429)
    expect(await gateway.calls()).toMatchObject([{ status: 'error', error: 'rate_limit_exceeded' }])
  })

  test('it keeps a stream open after its end: the call is complete all the same', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) =>
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatStream.join('')),
      ),
    )
    await leaveAt(gateway, streamed, '[DONE]')
    expect(await gateway.calls()).toMatchObject([{ status: 'ok', quality: 'complete', usage: { input: 100, output: 20 } }])
  })

  test('an upstream without an address says so', async () => {
    const gateway = await openGateway()
    const { response, body } = await ask(gateway, '/azure/openai/deployments/d/chat/completions', { body: question, headers: json })
    expect([response.statusCode, body.toString()]).toEqual([404, expect.stringContaining('has no address yet')])
    await gateway.close()
  })
})

describe('errors of the gateway in the form of each provider, read by its own client', () => {
  const dead = async (name: string) => {
    const upstream = await httpUpstream(() => undefined)
    await upstream.close()
    return behind({ url: upstream.url, close: async () => undefined }, { name })
  }
  const sentence = (name: string) => `The upstream "${name}" refuses connections (ECONNREFUSED).`

  test('openai', async () => {
    const { url } = await dead('openai')
    const client = new OpenAI({ apiKey: 'k', baseURL: `${url}/openai/v1`, maxRetries: 0 })
    const error = await caught(() => client.chat.completions.create(JSON.parse(question)))
    expect(error).toMatchObject({
      class: 'InternalServerError',
      status: 502,
      code: 'UPSTREAM_FAILED',
      type: 'api_error',
      message: `502 ${sentence('openai')}`,
    })
  })

  test('anthropic', async () => {
    const { url } = await dead('anthropic')
    const client = new Anthropic({ apiKey: 'k', baseURL: `${url}/anthropic`, maxRetries: 0 })
    const error = await caught(() => client.messages.create({ max_tokens: 5, ...JSON.parse(question) }))
    expect(error).toMatchObject({
      class: 'InternalServerError',
      status: 502,
      type: 'api_error',
      message: expect.stringContaining('refuses connections'),
    })
  })

  test('google-genai', async () => {
    const { url } = await dead('gemini')
    const client = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: `${url}/gemini` } })
    const error = await caught(() => client.models.generateContent({ model: 'gemini-2.5-flash', contents: 'Hello' }))
    expect(error).toMatchObject({ class: 'ApiError', status: 502, message: expect.stringContaining('refuses connections') })
  })

  test('ollama', async () => {
    const { url } = await dead('ollama')
    const error = await caught(() => new Ollama({ host: `${url}/ollama` }).chat({ model: 'llama3.2', messages: [] }))
    expect(error).toMatchObject({ class: 'ResponseError', message: sentence('ollama') })
  })
})

describe('a client that leaves', () => {
  const slowly = (seen: { ended: boolean; closed: boolean }) =>
    httpUpstream(async (request, response) => {
      await readAll(request)
      response.on('close', () => {
        seen.closed = !response.writableFinished
      })
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const event of chatStream) {
        if (response.destroyed) return
        response.write(event)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      response.end()
      seen.ended = true
    })

  test('cut: the upstream is let go, and what was used is estimated', async () => {
    const seen = { ended: false, closed: false }
    const gateway = await behind(await slowly(seen))
    await leaveAt(gateway, streamed, 'Fünf')
    expect(await gateway.calls()).toMatchObject([
      { status: 'aborted', quality: 'estimated', usage: { input: expect.any(Number), output: 2 } },
    ])
    await expect.poll(() => seen.closed).toBe(true)
    expect(seen.ended).toBe(false)
    expect(gateway.gateway.counters()).toMatchObject({ inFlight: 0, requests: { aborted: 1 } })
  })

  test('drain: the answer is read to its end, and the bill is exact', async () => {
    const seen = { ended: false, closed: false }
    const gateway = await behind(await slowly(seen), { upstream: { onDisconnect: 'drain' } })
    await leaveAt(gateway, streamed, 'Fünf')
    expect(await gateway.calls()).toMatchObject([{ status: 'ok', quality: 'complete', usage: { input: 100, output: 20 } }])
    await expect.poll(() => seen).toEqual({ ended: true, closed: false })
    await expect.poll(() => gateway.gateway.counters().inFlight).toBe(0)
    expect(gateway.gateway.counters()).toMatchObject({ inFlight: 0, requests: { aborted: 1 } })
  })

  test.each([
    ['longer than', { drainMsMax: 30 }],
    ['for more bytes than', { drainBytesMax: 10 }],
  ])('drain: not %s the limit', async (_name, limits) => {
    const seen = { ended: false, closed: false }
    const gateway = await behind(await slowly(seen), { upstream: { onDisconnect: 'drain' }, limits })
    await leaveAt(gateway, streamed, 'Fünf')
    expect(await gateway.calls()).toMatchObject([{ status: 'aborted', quality: 'estimated' }])
    await expect.poll(() => seen.closed).toBe(true)
  })

  test('while it still sends its request: nothing reached the model, and nothing is recorded', async () => {
    let asked = 0
    const gateway = await behind(await httpUpstream(() => (asked += 1)))
    const request = httpRequest(`${gateway.url}${chat}`, { method: 'POST', headers: { ...json, 'content-length': '100' }, agent: false })
    request.on('error', () => undefined)
    request.write('{"model":')
    await expect.poll(() => gateway.gateway.counters().inFlight).toBe(1)
    request.destroy()
    await expect.poll(() => gateway.gateway.counters().requests.aborted).toBe(1)
    expect([asked, gateway.gateway.counters().inFlight, gateway.gateway.counters().waitingEvents]).toEqual([0, 0, 0])
  })
})

describe('limits', () => {
  test('calls past those that may be under way are answered at once', async () => {
    const release: (() => void)[] = []
    const gateway = await behind(
      await httpUpstream((_request, response) => release.push(() => response.writeHead(200, json).end(chatAnswer))),
      { limits: { inFlightMax: 1 } },
    )
    const first = ask(gateway, chat, { body: question, headers: json })
    await expect.poll(() => release.length).toBe(1)
    const second = await ask(gateway, chat, { body: question, headers: json })
    expect([second.response.statusCode, second.response.headers['retry-after']]).toEqual([503, '1'])
    release[0]?.()
    expect((await first).response.statusCode).toBe(200)
  })

  test('stopping lets calls end, takes no more, and leaves every event in the ledger', async () => {
    let release: (() => void) | undefined
    const gateway = await behind(
      await httpUpstream((_request, response) => (release = () => response.writeHead(200, json).end(chatAnswer))),
    )
    const first = ask(gateway, chat, { body: question, headers: json })
    await expect.poll(() => release !== undefined).toBe(true)
    const closing = gateway.gateway.close(5_000)
    const refused = await ask(gateway, chat, { body: question, headers: json })
    expect(refused.response.statusCode).toBe(503)
    release?.()
    expect((await first).response.statusCode).toBe(200)
    await closing
    const page = await gateway.store.entries({ where: [], from: 0, to: Number.MAX_SAFE_INTEGER }, { limit: 10 })
    expect(page.entries).toHaveLength(1)
  })

  test('a call that does not end is broken off when stopping, and recorded', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(chatStream[0])),
    )
    const asked = caught(() => ask(gateway, chat, { body: streamed, headers: json }))
    await expect.poll(() => gateway.gateway.counters().bytesDown).toBeGreaterThan(0)
    await gateway.gateway.close(10)
    expect(await asked).toMatchObject({ message: 'aborted' })
    expect(await gateway.calls()).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })
})
