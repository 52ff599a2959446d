import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TokenTracker } from '../../src/index.ts'
import type { ModelCallJson } from '../../src/server/api.ts'
import { createPlayback, type Play, playChat } from '../../src/testing.ts'
import { allEntries, metric } from './asking.ts'
import { openSandbox, type Sandbox, type Serving } from './sandbox.ts'

const html =
  (status: number): Play =>
  () => ({ status, headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>Bad gateway</title>' })

/** Half of a good answer, and then the connection is gone. */
const half: Play = (request) => {
  const { body = '' } = playChat({ output: 40 })(request)
  return { headers: { 'content-length': String(body.length) }, chunks: [body.slice(0, body.length / 2)], finish: 'cut' }
}
const longText = 'word '.repeat(80)

interface Entry {
  readonly status: string
  readonly error?: string
  readonly quality?: string
  readonly flags?: readonly string[]
  readonly usage?: object
  readonly charge: object
}

const nothing = { basis: 'computed', totalUsd: '0.000000000000' }
const unpriced = { basis: 'unpriced', reason: 'missing-usage' }
const flagged = (flag: string): string => `taximeter_usage_flags_total{flag="${flag}"}`
const failed = (error: string): string => `taximeter_failed_calls_total{provider="openai",error="${error}"}`

/** What the upstream answers, whether a stream is asked for, what must stand on the entry, and what must have counted it. */
const cases: readonly (readonly [string, Play, boolean, Entry, string])[] = [
  ['a page of HTML', html(200), false, { status: 'error', error: 'unreadable-answer', charge: nothing }, failed('unreadable-answer')],
  [
    'a page of HTML to a stream',
    html(200),
    true,
    { status: 'error', error: 'unreadable-answer', charge: nothing },
    failed('unreadable-answer'),
  ],
  ['a page of HTML that says 502', html(502), false, { status: 'error', error: '502', charge: nothing }, failed('502')],
  [
    'an error in an answer that says 200',
    () => ({ body: '{"error":{"message":"Oh","type":"server_error"}}' }),
    false,
    { status: 'error', error: 'server_error', charge: nothing },
    failed('server_error'),
  ],
  [
    'half of a stream',
    playChat({ ending: 'cut', text: longText }),
    true,
    {
      status: 'error',
      error: 'connection-lost',
      quality: 'estimated',
      flags: ['truncated-stream'],
      usage: { input: expect.any(Number), output: 50 },
      charge: { basis: 'estimated' },
    },
    flagged('truncated-stream'),
  ],
  [
    'a stream that breaks off with an error',
    playChat({ ending: 'error', text: longText }),
    true,
    { status: 'error', error: 'server_error', quality: 'estimated', charge: { basis: 'estimated' } },
    failed('server_error'),
  ],
  [
    'an answer that tells no usage',
    playChat({ withoutUsage: true }),
    false,
    { status: 'ok', quality: 'missing', charge: unpriced },
    'taximeter_usage_missing_total',
  ],
  [
    'an answer that contradicts itself',
    playChat({ input: -40, cacheRead: 50 }),
    false,
    { status: 'ok', flags: ['cached-exceeds-input'], charge: { basis: 'computed' } },
    flagged('cached-exceeds-input'),
  ],
]

let sandbox: Sandbox
let server: Serving
let play: Play = playChat()
const upstream = createPlayback({ 'POST /v1/chat/completions': (request) => play(request) })
let endless: { readonly url: string; close(): void }
let upstreamUrl = ''
beforeAll(async () => {
  upstreamUrl = await upstream.listen()
  endless = await endlessUpstream()
  sandbox = openSandbox()
  const local = (name: string, url: string) => `{ name: ${name}, url: '${url}', provider: openai, private: true, onDisconnect: cut }`
  sandbox.configure(`upstreams: [${local('local', upstreamUrl)}, ${local('endless', endless.url)}]`)
  server = await sandbox.serve()
})
afterAll(async () => {
  await server?.stop()
  endless?.close()
  await upstream.close()
  await sandbox?.[Symbol.asyncDispose]()
})

/** A stream that begins as one of a model does and then only keeps the line alive, as fast as it is taken. */
const endlessUpstream = async () => {
  const alive = Buffer.from(`: ${'-'.repeat(65_532)}\n\n`)
  const pieces = function* () {
    const delta = { index: 0, delta: { content: longText } }
    yield `data: ${JSON.stringify({ id: randomUUID(), object: 'chat.completion.chunk', model: 'gpt-4.1', choices: [delta] })}\n\n`
    for (;;) yield alive
  }
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    pipeline(Readable.from(pieces()), response, () => undefined)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

type Door = 'sdk' | 'gateway'

/** A real client through one of the two doors, metered under a task of its own. */
const clientOf = (door: Door, task: string, name: 'local' | 'endless' = 'local') => {
  const behind = name === 'local' ? upstreamUrl : endless.url
  const tracker = new TokenTracker({ url: server.url, hosts: { [new URL(behind).host]: 'openai' }, task })
  const openai = new OpenAI({
    apiKey: 'sk-test',
    maxRetries: 0,
    ...(door === 'sdk'
      ? { baseURL: `${behind}/v1`, fetch: tracker.fetch }
      : { baseURL: `${server.url}/via/task=${encodeURIComponent(task)}/${name}/v1` }),
  })
  return { openai, tracker }
}

const messages = [{ role: 'user', content: 'Where is my refund?' }] as const

const entryOf = async (task: string): Promise<ModelCallJson> => {
  const found = async () => (await allEntries(server.url, 'last=24h')).filter((entry) => entry.task === task)
  await expect.poll(async () => (await found()).length, { timeout: 10_000 }).toBe(1)
  return (await found())[0] as ModelCallJson
}

describe.each<Door>(['sdk', 'gateway'])('through the %s', (door) => {
  test.each(cases)('%s is named on the entry and counted, and the next call is metered', async (name, wrong, stream, entry, series) => {
    const before = Number(await metric(server.url, series))
    const task = `${door}-${name.replaceAll(' ', '-')}`
    const { openai, tracker } = clientOf(door, task)
    play = wrong
    // What the client makes of it is the client's; test/clients holds it to what it makes of it unmetered.
    await (stream
      ? openai.chat.completions.create({ model: 'gpt-4.1', messages: [...messages], stream }).then(async (answer) => {
          for await (const _ of answer);
        })
      : openai.chat.completions.create({ model: 'gpt-4.1', messages: [...messages] })
    ).catch(() => undefined)
    await tracker.flush()
    expect(await entryOf(task)).toMatchObject(entry)
    await expect.poll(async () => Number(await metric(server.url, series)) - before).toBe(1)
    const next = clientOf(door, `after-${task}`)
    play = playChat({ input: 1_000, output: 500 })
    await next.openai.chat.completions.create({ model: 'gpt-4.1', messages: [...messages] })
    await Promise.all([tracker.close(), next.tracker.close()])
    expect(await entryOf(`after-${task}`)).toMatchObject({ status: 'ok', charge: { totalUsd: '0.006000000000' } })
  })

  test('a stream that never ends goes on for the client; past the limit its call ends with what was seen', async () => {
    const series = flagged('stream-limit')
    const before = Number(await metric(server.url, series))
    const { openai, tracker } = clientOf(door, `endless-${door}`, 'endless')
    const response = await openai.chat.completions.create({ model: 'gpt-4.1', messages: [...messages], stream: true }).asResponse()
    let bytes = 0
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > 260 * 1_048_576) break
    }
    await tracker.close()
    expect(await entryOf(`endless-${door}`)).toMatchObject({
      flags: expect.arrayContaining(['stream-limit']),
      quality: 'estimated',
      charge: { basis: 'estimated' },
    })
    await expect.poll(async () => Number(await metric(server.url, series)) - before).toBe(1)
  })
})

test('half of an answer that is no stream is missing its usage, and never free', async () => {
  const { openai, tracker } = clientOf('sdk', 'half')
  play = half
  await expect(openai.chat.completions.create({ model: 'gpt-4.1', messages: [...messages] })).rejects.toThrow()
  await tracker.close()
  expect(await entryOf('half')).toMatchObject({ status: 'error', error: 'connection-lost', quality: 'missing', charge: unpriced })
  expect(Number(await metric(server.url, 'taximeter_usage_missing_total'))).toBeGreaterThan(0)
})
