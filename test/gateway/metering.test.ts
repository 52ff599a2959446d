import { brotliCompressSync, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import type { ModelCall } from '../../src/core/event.ts'
import { allFixtures } from '../fixtures/providers/all-fixtures.ts'
import { ask, chat, json, withGateways } from './asking.ts'
import { chatStream, question } from './bodies.ts'
import { type OpenGateway, openGateway } from './open-gateway.ts'
import { httpUpstream, readAll } from './raw-upstream.ts'

const { behind } = withGateways()
const fixtures = allFixtures()
/** Not passed on by the gateway. */
const overWebSockets = new Set(['openai-realtime', 'gemini-live'])

const asking = JSON.stringify({ ...JSON.parse(question), stream: true, stream_options: { include_usage: true } })

describe('what providers answer', () => {
  // Every answer that the dialects are tested with goes through a gateway as well: nothing may be lost between the two.
  test('every complete answer of every dialect has the usage in the ledger that its dialect reads from it', async () => {
    const complete = fixtures.filter(
      // Without a provider's name there is no upstream that gives such an answer.
      ({ provider, dialect, body, stream, expect: { quality, error } }) =>
        provider !== '' && quality === 'complete' && error === undefined && (body ?? stream) !== undefined && !overWebSockets.has(dialect),
    )
    expect(complete.length).toBeGreaterThan(60)
    let current: (typeof complete)[number] | undefined
    const upstream = await httpUpstream(async (request, response) => {
      await readAll(request)
      const { body, stream } = current ?? {}
      if (stream === undefined) response.writeHead(200, json).end(JSON.stringify(body))
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).end(stream)
    })
    const gateways = new Map<string, OpenGateway>()
    const wrong: unknown[] = []
    for (const fixture of complete) {
      current = fixture
      const { provider, dialect, name } = fixture
      const key = `${provider} ${dialect}`
      let gateway = gateways.get(key)
      if (gateway === undefined) {
        gateway = await openGateway({
          upstreams: [{ name: 'corp', url: upstream.url, private: true, dialect, provider: provider === '' ? 'corp' : provider }],
        })
        gateways.set(key, gateway)
      }
      const { counters } = gateway.gateway
      const before = counters().events
      const { response } = await ask(gateway, `/corp/${dialect}`, {
        body: JSON.stringify({ model: 'a-model' }),
        headers: { ...json, 'x-taximeter-session': name },
      })
      await expect
        .poll(() => counters().events.accepted + counters().events.duplicate, { interval: 2, timeout: 5_000 })
        .toBeGreaterThan(before.accepted + before.duplicate)
      const page = await gateway.store.entries(
        { where: [{ by: 'session', values: [name] }], from: 0, to: Number.MAX_SAFE_INTEGER, withUncounted: true },
        { limit: 10 },
      )
      // A further model inside the answer has an entry of its own. An answer with an id that was there before is the same call, and
      // has none.
      const main = page.entries.map(({ event }) => event as ModelCall).find(({ id }) => id === response.headers['x-taximeter-call'])
      if (main !== undefined && JSON.stringify(sorted(main.usage)) !== JSON.stringify(sorted(fixture.expect.usage ?? {})))
        wrong.push([dialect, name, main.usage, fixture.expect.usage])
    }
    for (const gateway of gateways.values()) await gateway.close()
    await upstream.close()
    expect(wrong).toEqual([])
  }, 60_000)

  test("an advisor's model inside an answer is a call of its own, at its own price", async () => {
    const advisor = fixtures.find(({ name }) => name === 'advisor')
    const gateway = await behind(
      await httpUpstream((_request, response) => response.writeHead(200, json).end(JSON.stringify(advisor?.body))),
      {
        name: 'anthropic',
      },
    )
    await ask(gateway, '/anthropic/v1/messages', { body: JSON.stringify({ model: 'claude-sonnet-4-5' }), headers: json })
    const calls = await gateway.calls(2)
    expect(calls.map(({ model, usage }) => [model, usage])).toEqual(
      expect.arrayContaining([
        ['claude-sonnet-4-5-20250929', advisor?.expect.usage],
        ['claude-opus-4-7', { input: 823, output: 1612 }],
      ]),
    )
    expect(new Set(calls.map(({ callKey }) => callKey))).toEqual(new Set(['anthropic:msg_01X', 'anthropic:msg_01X#1']))
  })

  test.each([
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['deflate', deflateRawSync],
  ])('a stream in %s is metered', async (coding, compress) => {
    const coded = compress(Buffer.from(chatStream.join('')))
    const gateway = await behind(
      await httpUpstream((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': coding })
        response.write(coded.subarray(0, 40))
        setImmediate(() => response.end(coded.subarray(40)))
      }),
    )
    const { body } = await ask(gateway, chat, { body: asking, headers: { ...json, 'accept-encoding': coding } })
    expect(body).toEqual(coded)
    expect(await gateway.calls()).toMatchObject([{ status: 'ok', quality: 'complete', usage: { input: 100, output: 20 } }])
  })

  test.each([
    ['a stream', 'text/event-stream', asking],
    ['a whole answer', 'application/json', question],
  ])('%s whose compression is broken passes, and what it used is not known', async (_name, type, body) => {
    const coded = gzipSync(Buffer.from(chatStream.join(''))).fill(7, 30, 60)
    const gateway = await behind(
      await httpUpstream((_request, response) => response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' }).end(coded)),
    )
    const answer = await ask(gateway, chat, { body, headers: json })
    expect(answer.body).toEqual(coded)
    const [call] = await gateway.calls()
    expect(call?.flags).toContain('malformed-chunk')
    expect(call).toMatchObject({ status: 'ok', quality: 'missing' })
  })

  test('embeddings of many megabytes are counted without being parsed', async () => {
    const vector = Array.from({ length: 1_536 }, (_, index) => Math.sin(index))
    const data = Array.from({ length: 60 }, (_, index) => ({ object: 'embedding', index, embedding: vector }))
    const text = JSON.stringify({ object: 'list', data, model: 'text-embedding-3-small', usage: { prompt_tokens: 480, total_tokens: 480 } })
    const gateway = await behind(await httpUpstream((_request, response) => response.writeHead(200, json).end(text)))
    const client = new OpenAI({ apiKey: 'k', baseURL: `${gateway.url}/openai/v1` })
    const answer = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'x', encoding_format: 'float' })
    expect(answer.data).toHaveLength(60)
    expect(await gateway.calls()).toMatchObject([
      { operation: expect.stringMatching(/^embed/), status: 'ok', quality: 'complete', usage: { input: 480 } },
    ])
  })

  test('a transcription: the model stands in the form, after the sound', async () => {
    const gateway = await behind(
      await httpUpstream(async (request, response) => {
        await readAll(request)
        response.writeHead(200, json).end('{"text":"Hi","usage":{"type":"duration","seconds":8.47}}')
      }),
    )
    const client = new OpenAI({ apiKey: 'k', baseURL: `${gateway.url}/openai/v1` })
    const file = new File([Buffer.alloc(300_000, 1)], 'a.mp3', { type: 'audio/mpeg' })
    expect((await client.audio.transcriptions.create({ file, model: 'whisper-1' })).text).toBe('Hi')
    expect(await gateway.calls()).toMatchObject([{ model: 'whisper-1', status: 'ok', usage: { second: 9 } }])
  })
})

const sorted = (usage: object): object => Object.fromEntries(Object.entries(usage).toSorted(([left], [right]) => left.localeCompare(right)))
