import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ask, chat, json, withGateways } from './asking.ts'
import { chatAnswer, chatStream, question, renumbered, streamed } from './bodies.ts'
import { httpUpstream, readAll, socketUpstream, wholeRequest } from './raw-upstream.ts'

const { behind } = withGateways()

describe('bytes of an answer', () => {
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('an answer in %s is passed on as it is, and metered', async (coding, compress) => {
    const coded = compress(Buffer.from(chatAnswer))
    const gateway = await behind(
      await httpUpstream((request, response) => {
        expect(request.headers['accept-encoding']).toBe('gzip, deflate, br, zstd')
        response.writeHead(200, { ...json, 'content-encoding': coding, 'content-length': coded.length }).end(coded)
      }),
    )
    const { response, body } = await ask(gateway, chat, {
      body: question,
      headers: { ...json, 'accept-encoding': 'gzip, deflate, br, zstd' },
    })
    expect(body).toEqual(coded)
    expect(response.headers).toMatchObject({
      'content-encoding': coding,
      'content-length': String(coded.length),
      'x-taximeter-cost-usd': '0.000140000000',
    })
    expect(await gateway.calls()).toMatchObject([{ status: 'ok', quality: 'complete', usage: { input: 100, output: 20 } }])
  })

  test('a stream in gzip is passed on as it comes, and metered on the side', async () => {
    const gateway = await behind(
      await httpUpstream(async (request, response) => {
        await readAll(request)
        response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
        const zip = createGzip()
        zip.pipe(response)
        for (const event of chatStream) {
          zip.write(event)
          await new Promise<void>((resolve) => zip.flush(() => resolve()))
        }
        zip.end()
      }),
    )
    const body = JSON.stringify({ ...JSON.parse(streamed), stream_options: { include_usage: true } })
    const { response, body: coded } = await ask(gateway, chat, { body, headers: { ...json, 'accept-encoding': 'gzip' } })
    expect(response.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(coded).toString()).toBe(chatStream.join(''))
    expect(await gateway.calls()).toMatchObject([{ status: 'ok', quality: 'complete', usage: { input: 100, output: 20 } }])
  })

  test('a coding that cannot be read is not asked for', async () => {
    const asked: (string | undefined)[] = []
    const gateway = await behind(
      await httpUpstream((request, response) => {
        asked.push(request.headers['accept-encoding'] as string | undefined)
        response.writeHead(200, json).end(chatAnswer)
      }),
    )
    await ask(gateway, chat, { body: question, headers: { ...json, 'accept-encoding': 'dcb, gzip;q=0.5, *' } })
    await ask(gateway, chat, { body: question, headers: { ...json, 'accept-encoding': 'dcb' } })
    await ask(gateway, chat, { body: question, headers: json })
    expect(asked).toEqual(['gzip;q=0.5', 'identity', undefined])
  })

  test('a coding that nobody asked for passes; the call is recorded as missing its usage', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) => response.writeHead(200, { ...json, 'content-encoding': 'rot13' }).end('uryyb')),
    )
    const { body } = await ask(gateway, chat, { body: question, headers: json })
    expect(body.toString()).toBe('uryyb')
    expect(await gateway.calls()).toMatchObject([{ status: 'ok', quality: 'missing' }])
  })

  test('however the upstream cuts its bytes, the client gets the same ones and the ledger the same usage', async () => {
    let text = Buffer.alloc(0)
    let cuts: readonly number[] = []
    const gateway = await behind(
      await socketUpstream((socket, received) => {
        void wholeRequest(socket, received).then(async () => {
          socket.setNoDelay(true)
          socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n')
          const places = [...new Set(cuts.map((cut) => cut % text.length))].filter((place) => place > 0).sort((left, right) => left - right)
          let from = 0
          for (const place of [...places, text.length]) {
            socket.write(`${(place - from).toString(16)}\r\n`)
            socket.write(text.subarray(from, place))
            socket.write('\r\n')
            from = place
            await new Promise((resolve) => setImmediate(resolve))
          }
          socket.end('0\r\n\r\n')
        })
      }),
    )
    let count = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(10_000), { maxLength: 30 }), fc.boolean(), async (given, isAsked) => {
        cuts = given
        count += 1
        const events = chatStream.map((event) => renumbered(event, count))
        text = Buffer.from(events.join(''))
        const body = isAsked ? JSON.stringify({ ...JSON.parse(streamed), stream_options: { include_usage: true } }) : streamed
        const { body: got } = await ask(gateway, chat, { body, headers: json })
        // Without the caller's wish the chunk with the usage is taken out again; everything else is the provider's.
        expect(got.toString()).toBe(isAsked ? text.toString() : events.filter((event) => !event.includes('"choices":[]')).join(''))
      }),
      { numRuns: 40, endOnFailure: true },
    )
    const calls = await gateway.calls(count)
    expect(new Set(calls.map(({ usage }) => JSON.stringify(usage)))).toEqual(new Set(['{"input":100,"output":20}']))
    expect(calls.every(({ quality, status }) => quality === 'complete' && status === 'ok')).toBe(true)
  })

  test('the head and the first bytes go on before the rest exists', async () => {
    let more: (() => void) | undefined
    const gateway = await behind(
      await httpUpstream(async (request, response) => {
        await readAll(request)
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        await new Promise<void>((resolve) => (more = resolve))
        response.write(chatStream[0])
        await new Promise<void>((resolve) => (more = resolve))
        response.end(chatStream.slice(1).join(''))
      }),
    )
    const seen: string[] = []
    const end = new Promise<void>((resolve, reject) => {
      const request = httpRequest(`${gateway.url}${chat}`, { method: 'POST', headers: json, agent: false }, (response) => {
        seen.push('head')
        more?.()
        response.once('data', (chunk: Buffer) => {
          seen.push(chunk.toString())
          more?.()
          response.on('data', () => undefined).on('end', resolve)
        })
      })
      request.on('error', reject)
      request.end(streamed)
    })
    await end
    expect(seen).toEqual(['head', chatStream[0]])
  })

  test('headers that come several times, trailers and odd status texts arrive', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) => {
        response.writeHead(207, 'Quite So', [
          'set-cookie',
          'a=1',
          'set-cookie',
          'b=2',
          'X-Odd',
          'caf\u00e9',
          'trailer',
          'x-sum',
          'keep-alive',
          'timeout=9',
          'connection',
          'x-secret-hop, keep-alive',
          'x-secret-hop',
          'no',
        ])
        response.write('part')
        response.addTrailers({ 'x-sum': '42' })
        response.end()
      }),
    )
    const { response } = await ask(gateway, '/openai/v1/files')
    expect([response.statusCode, response.statusMessage]).toEqual([207, 'Quite So'])
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(response.headers['x-odd']).toBe('caf\u00e9')
    expect(response.headers).not.toHaveProperty('x-secret-hop')
    expect(response.trailers).toEqual({ 'x-sum': '42' })
  })

  test('HEAD, OPTIONS, 204 and redirects pass as they are', async () => {
    const asked: string[] = []
    const gateway = await behind(
      await httpUpstream((request, response) => {
        asked.push(`${request.method} ${request.url}`)
        if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '12345' }).end()
        else if (request.method === 'OPTIONS') response.writeHead(204, { 'access-control-allow-origin': '*' }).end()
        else response.writeHead(307, { location: 'http://169.254.169.254/latest/' }).end()
      }),
    )
    const head = await ask(gateway, '/openai/v1/models', { method: 'HEAD' })
    const options = await ask(gateway, chat, { method: 'OPTIONS' })
    const redirect = await ask(gateway, chat, { body: question, headers: json })
    expect([head.response.statusCode, head.response.headers['content-length'], head.body.length]).toEqual([200, '12345', 0])
    expect([options.response.statusCode, options.response.headers['access-control-allow-origin']]).toEqual([204, '*'])
    expect([redirect.response.statusCode, redirect.response.headers.location]).toEqual([307, 'http://169.254.169.254/latest/'])
    expect(asked).toEqual(['HEAD /v1/models', 'OPTIONS /v1/chat/completions', 'POST /v1/chat/completions'])
    expect(await gateway.calls()).toMatchObject([{ status: 'error', error: '307' }])
  })

  test('what a stream cost comes in trailers, when they are asked for', async () => {
    const gateway = await behind(
      await httpUpstream((_request, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chatStream.join(''))),
    )
    const { response, body } = await ask(gateway, chat, { body: streamed, headers: { ...json, 'x-taximeter-report': 'trailer' } })
    expect(body.toString()).toBe(chatStream.filter((event) => !event.includes('"choices":[]')).join(''))
    expect(response.headers.trailer).toBe('x-taximeter-cost-usd, x-taximeter-cost-basis')
    expect(response.trailers).toEqual({ 'x-taximeter-cost-basis': 'computed', 'x-taximeter-cost-usd': '0.000140000000' })
    const [call] = await gateway.calls()
    expect(response.headers['x-taximeter-call']).toBe(call?.id)
  })

  test('an answer that is too large to be held passes, and its usage is read on the way', async () => {
    const text = 'word '.repeat(400_000)
    const large = chatAnswer.replace('"Five."', JSON.stringify(text))
    const gateway = await behind(await httpUpstream((_request, response) => response.writeHead(200, json).end(large)))
    const { response, body } = await ask(gateway, chat, { body: question, headers: { ...json, 'x-taximeter-report': 'trailer' } })
    expect(body.toString()).toBe(large)
    expect(response.headers).not.toHaveProperty('x-taximeter-cost-usd')
    expect(response.trailers).toMatchObject({ 'x-taximeter-cost-usd': '0.000140000000' })
    expect(await gateway.calls()).toMatchObject([{ status: 'ok', quality: 'complete', usage: { input: 100, output: 20 } }])
  })

  test('an answer that is kept alive with blanks is passed on while it comes', async () => {
    const gateway = await behind(
      await httpUpstream(async (request, response) => {
        await readAll(request)
        response.writeHead(200, json)
        response.write(' ')
        await new Promise((resolve) => setTimeout(resolve, 20))
        response.write(' ')
        await new Promise((resolve) => setTimeout(resolve, 20))
        response.end(chatAnswer)
      }),
      { limits: { answerHoldMsMax: 5 } },
    )
    const { body } = await ask(gateway, chat, { body: question, headers: json })
    expect(body.toString()).toBe(`  ${chatAnswer}`)
    expect(await gateway.calls()).toMatchObject([{ status: 'ok', usage: { input: 100, output: 20 } }])
  })
})

describe('bytes of a request', () => {
  test('a large body arrives whole, and a larger one takes no more memory', async () => {
    const part = Buffer.alloc(1_048_576, 'A')
    let received = 0
    let answers = 0
    const gateway = await behind(
      await httpUpstream(async (request, response) => {
        for await (const chunk of request as AsyncIterable<Buffer>) received += chunk.length
        response.writeHead(200, json).end(renumbered(chatAnswer, ++answers))
      }),
    )
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }, 1)
    const sizes = [50, 50, 250]
    for (const [index, megabytes] of sizes.entries()) {
      const parts = [Buffer.from('{"model":"gpt-4.1-mini","image":"'), ...Array.from({ length: megabytes }, () => part), Buffer.from('"}')]
      const total = parts.reduce((sum, { length }) => sum + length, 0)
      received = 0
      // Once with its length told beforehand, then without.
      const headers = index === 0 ? { ...json, 'content-length': String(total) } : json
      const { response } = await ask(gateway, chat, { body: parts, headers })
      expect([response.statusCode, received]).toEqual([200, total])
    }
    clearInterval(watch)
    // Client, gateway and upstream are one process here, and what was read waits for the collector: far less than the largest body all the same.
    expect(most).toBeLessThan(150 * 1_048_576)
    expect((await gateway.calls(sizes.length)).map(({ model, usage }) => [model, usage.input])).toEqual(
      sizes.map(() => ['gpt-4.1-mini', 100]),
    )
  })

  test('a body past the limit is refused, whether its length was told or not', async () => {
    const gateway = await behind(
      await httpUpstream(async (request, response) => {
        await readAll(request)
        response.end()
      }),
      { limits: { requestBytesMax: 100_000, requestHoldBytesMax: 10_000 } },
    )
    const body = [Buffer.from('{"a":"'), Buffer.alloc(100_000, 'a')]
    const told = await ask(gateway, chat, { body: Buffer.concat(body), headers: { ...json, 'content-length': '100006' } })
    expect([told.response.statusCode, JSON.parse(told.body.toString()).error.code]).toEqual([413, 'BODY_TOO_LARGE'])
    const untold = await ask(gateway, chat, { body, headers: json })
    expect(untold.response.statusCode).toBe(413)
  })

  test('Expect: 100-continue is answered, and not passed on', async () => {
    const gateway = await behind(
      await httpUpstream(async (request, response) => {
        expect(request.headers.expect).toBeUndefined()
        expect((await readAll(request)).toString()).toBe(question)
        response.writeHead(200, json).end(chatAnswer)
      }),
    )
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(`${gateway.url}${chat}`, {
        method: 'POST',
        headers: { ...json, expect: '100-continue', 'content-length': question.length },
        agent: false,
      })
      request.on('continue', () => request.end(question))
      request.on('response', (response) => resolve(response.statusCode))
      request.on('error', reject)
      request.flushHeaders()
    })
    expect(status).toBe(200)
  })

  test('headers of ours, of the connection and of the browser do not reach the upstream; all others do, as they came', async () => {
    let raw: readonly string[] = []
    const gateway = await behind(
      await httpUpstream((request, response) => {
        raw = request.rawHeaders
        response.writeHead(200, json).end(chatAnswer)
      }),
    )
    const headers = [
      'Host',
      `127.0.0.1:${gateway.port}`,
      'X-Taximeter-Agent',
      'a',
      'x-taximeter-tags',
      'plan=pro',
      'X-Custom',
      'One',
      'x-custom',
      'Two',
      'Connection',
      'keep-alive, x-hop',
      'X-Hop',
      '1',
      'Cookie',
      'session=secret',
      'TE',
      'trailers',
      'Authorization',
      'Bearer sk-test',
      'Content-Type',
      'application/json',
      'Content-Length',
      String(question.length),
    ]
    await new Promise<void>((resolve) => {
      const socket = connect(gateway.port, '127.0.0.1', () => {
        const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1]}`] : []))
        socket.write(`POST ${chat} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${question}`)
        socket.once('data', () => {
          socket.destroy()
          resolve()
        })
      })
    })
    const names = raw.filter((_, index) => index % 2 === 0)
    expect(names.map((name) => name.toLowerCase()).toSorted()).toEqual([
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'x-custom',
      'x-custom',
    ])
    expect(names).toContain('X-Custom')
    expect(await gateway.calls()).toMatchObject([{ agent: 'a', tags: { plan: 'pro' } }])
  })

  test('connections are kept on both sides', async () => {
    const sockets = new Set<unknown>()
    const gateway = await behind(
      await httpUpstream(async (request, response) => {
        sockets.add(request.socket)
        await readAll(request)
        response.writeHead(200, json).end(chatAnswer)
      }),
    )
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<unknown>()
    for (let index = 0; index < 5; index++) {
      const { response } = await ask(gateway, chat, { body: question, headers: json, agent })
      ports.add(response.socket?.localPort)
    }
    agent.destroy()
    expect([sockets.size, ports.size]).toEqual([1, 1])
  })
})

describe('pace', () => {
  test('a client that does not read makes the upstream wait, and gets everything when it does', async () => {
    const size = 64 * 1_048_576
    let written = 0
    const gateway = await behind(
      await httpUpstream(async (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/octet-stream' })
        const part = Buffer.alloc(65_536, 'x')
        while (written < size) {
          written += part.length
          if (!response.write(part)) await new Promise((resolve) => response.once('drain', resolve))
        }
        response.end()
      }),
    )
    const got = await new Promise<number>((resolve, reject) => {
      httpRequest(`${gateway.url}/openai/v1/files/1/content`, { agent: false }, (response) => {
        let bytes = 0
        let last = -1
        // Read nothing until the upstream has stopped writing: what is on the way then is what the buffers hold.
        const watch = setInterval(() => {
          if (written !== last) {
            last = written
            return
          }
          clearInterval(watch)
          expect(written).toBeLessThan(size)
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length
          })
          response.on('end', () => resolve(bytes)).on('error', reject)
        }, 100)
      }).end()
    })
    expect(got).toBe(size)
  })

  test('a client that takes nothing for too long is given up', async () => {
    let isGone = false
    const gateway = await behind(
      await httpUpstream((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/octet-stream' })
        response.on('close', () => {
          isGone = true
        })
        const write = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
          if (!response.destroyed) response.once('drain', write)
        }
        write()
      }),
      { limits: { clientStallMsMax: 50 } },
    )
    const request = httpRequest(`${gateway.url}/openai/v1/files/1/content`, { agent: false }, () => undefined)
    request.on('error', () => undefined)
    request.end()
    await expect.poll(() => isGone).toBe(true)
    request.destroy()
  })
})
