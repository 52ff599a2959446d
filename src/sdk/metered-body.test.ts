import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BodyWatch, createMeteredBody } from './metered-body.ts'
import { meteredResponseOf } from './metered-response.ts'

const watching = (): BodyWatch & { log: string[] } => {
  const log: string[] = []
  return {
    log,
    see: (chunk) => log.push(`see ${new TextDecoder().decode(chunk)}`),
    end: () => log.push('end'),
    fail: (error) => log.push(`fail ${(error as Error).name}`),
    cancel: () => log.push('cancel'),
  }
}

const metered = (original: Response) => {
  const watch = watching()
  if (original.body === null) throw new Error('The response should have a body.')
  const response = meteredResponseOf(original, createMeteredBody({ body: original.body }, watch))
  if (response === undefined) throw new Error('The response should be metered.')
  return { response, log: watch.log }
}

const body = (...chunks: string[]) => ReadableStream.from(chunks.map((chunk) => Buffer.from(chunk)))

let server: Server
let url: string
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/old') return response.writeHead(302, { location: '/new' }).end()
    response.writeHead(203, 'Sort Of', { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] })
    response.write('{"hello":')
    if (request.url !== '/hang') response.end('"you"}')
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

describe('a metered response', () => {
  test('stands for the original in all that can be seen', async () => {
    const [plain, { response }] = [await fetch(`${url}/old`), metered(await fetch(`${url}/old`))]
    const seen = (of: Response) => ({
      status: of.status,
      statusText: of.statusText,
      ok: of.ok,
      url: of.url,
      type: of.type,
      redirected: of.redirected,
      headers: [...of.headers].filter(([name]) => name !== 'date'),
      bodyUsed: of.bodyUsed,
      isResponse: of instanceof Response,
      cookies: of.headers.getSetCookie(),
    })
    expect(seen(response)).toEqual(seen(plain))
    expect(response.url).toBe(`${url}/new`)
    expect(() => response.headers.set('a', 'b')).toThrow(TypeError)
    expect(seen(response.clone())).toEqual(seen(plain.clone()))
    expect(await response.json()).toEqual(await plain.json())
    expect(response.bodyUsed).toBe(true)
  })

  test('can be read in every way that a response can', async () => {
    const fresh = () => metered(new Response(body('{"a"', ':1}'), { headers: { 'content-type': 'application/json' } })).response
    expect(await fresh().text()).toBe('{"a":1}')
    expect(await fresh().json()).toEqual({ a: 1 })
    expect((await fresh().arrayBuffer()).byteLength).toBe(7)
    expect((await fresh().blob()).type).toBe('application/json')
    const [left, right] = fresh().body?.tee() ?? []
    expect([await new Response(left).text(), await new Response(right).text()]).toEqual(['{"a":1}', '{"a":1}'])
    const iterated: string[] = []
    for await (const chunk of fresh().body ?? []) iterated.push(Buffer.from(chunk).toString())
    expect(iterated.join('')).toBe('{"a":1}')
    const clone = fresh()
    expect([await clone.clone().clone().text(), await clone.text()]).toEqual(['{"a":1}', '{"a":1}'])
  })

  test('a byob reader fills the memory it is given and is told of the end', async () => {
    const { response, log } = metered(new Response(body('abc', 'de')))
    const reader = response.body?.getReader({ mode: 'byob' })
    const pieces: string[] = []
    for (;;) {
      const read = await reader?.read(new Uint8Array(2))
      if (read === undefined || read.done) break
      pieces.push(Buffer.from(read.value).toString())
    }
    expect(pieces.join('')).toBe('abcde')
    expect(log.at(-1)).toBe('end')
  })
})

describe('a metered body', () => {
  test('asks for a chunk only when the caller does', async () => {
    let asked = 0
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          asked += 1
          controller.enqueue(Uint8Array.of(asked))
        },
      },
      { highWaterMark: 0 },
    )
    const reader = createMeteredBody({ body: source }, watching()).getReader()
    await Promise.resolve()
    expect(asked).toBe(0)
    await reader.read()
    await reader.read()
    expect(asked).toBe(2)
  })

  test('a cancel reaches the source with its reason, before and after the first read', async () => {
    for (const readsFirst of [false, true]) {
      let reason: unknown
      const source = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(Uint8Array.of(1)),
        cancel: (given) => {
          reason = given
        },
      })
      const watch = watching()
      const reader = createMeteredBody({ body: source }, watch).getReader()
      if (readsFirst) await reader.read()
      await reader.cancel('enough')
      expect(reason).toBe('enough')
      expect(watch.log.at(-1)).toBe('cancel')
      expect((await reader.read()).done).toBe(true)
    }
  })

  test('an abort reaches a caller who reads, and is noticed when nobody does', async () => {
    const abort = new AbortController()
    const { response, log } = metered(await fetch(`${url}/hang`, { signal: abort.signal }))
    const reader = response.body?.getReader()
    await reader?.read()
    const closed = reader?.closed.catch((error: Error) => error.name)
    abort.abort()
    expect(await closed).toBe('AbortError')
    expect(log.at(-1)).toBe('fail AbortError')
    await expect(reader?.read()).rejects.toThrow('aborted')
  })

  test('a source that breaks gives the caller its own error', async () => {
    const broken = new TypeError('terminated')
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(broken)
      },
    })
    const watch = watching()
    await expect(new Response(createMeteredBody({ body: source }, watch)).text()).rejects.toBe(broken)
    expect(watch.log).toEqual(['fail TypeError'])
  })

  test('memory that is part of a larger piece is not taken from its owner', async () => {
    const owner = new Uint8Array([1, 2, 3, 4])
    const source = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(owner.subarray(1, 3))
        controller.close()
      },
    })
    const read = await new Response(createMeteredBody({ body: source }, watching())).bytes()
    expect([...read]).toEqual([2, 3])
    expect([...owner]).toEqual([1, 2, 3, 4])
  })
})
