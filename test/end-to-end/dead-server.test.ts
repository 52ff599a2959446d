import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TokenTracker, type TrackerOptions, type Warning } from '../../src/index.ts'
import { createPlayback, playChat } from '../../src/testing.ts'
import { allEntries, query } from './asking.ts'
import { openSandbox, type Sandbox, type Serving } from './sandbox.ts'

/** What stands where the server should be. `lost`: it keeps the events, and its answer never arrives. */
const troubles = ['refused', 'hanging', 'failing', 'slow', 'lost', 'a page'] as const
type Trouble = (typeof troubles)[number]

/** An address in front of the real server, in trouble until it recovers. */
const frontOf = async (target: string, trouble: Trouble) => {
  const held: (() => void)[] = []
  let isWell = false
  let asked = 0

  /** Who asked has not waited for the answer. */
  const gaveUp = (): void => undefined
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method ?? 'POST',
      headers: { 'content-type': String(request.headers['content-type']) },
      body: Buffer.concat(parts),
    })
    const body = await answer.text()
    if (trouble === 'lost' && !isWell) response.destroy()
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body)
  }
  const inTrouble: Readonly<Record<Trouble, (request: IncomingMessage, response: ServerResponse) => void>> = {
    refused: (request) => request.destroy(),
    hanging: (_, response) => held.push(() => response.destroy()),
    failing: (_, response) => response.writeHead(500).end('{}'),
    slow: (request, response) => held.push(() => void forward(request, response).catch(gaveUp)),
    lost: (request, response) => void forward(request, response).catch(gaveUp),
    'a page': (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Maintenance'),
  }
  const listen = async (port: number): Promise<Server> => {
    const server = createServer((request, response) => {
      asked += 1
      if (isWell) void forward(request, response).catch(gaveUp)
      else inTrouble[trouble](request, response)
    })
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return server
  }

  let server = await listen(0)
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  // Nobody listens at the address: the system refuses the connection.
  if (trouble === 'refused') await close()
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    async recover() {
      isWell = true
      if (trouble === 'refused') server = await listen(port)
      for (const release of held.splice(0)) release()
    },
    close,
  }
}

let sandbox: Sandbox
let server: Serving
const upstream = createPlayback({ 'POST /v1/chat/completions': playChat({ input: 1_000, output: 500, text: 'It left on Monday.' }) })
let upstreamUrl = ''
beforeAll(async () => {
  upstreamUrl = await upstream.listen()
  sandbox = openSandbox()
  server = await sandbox.serve({ environment: { TAXIMETER_DAILY_BUDGET_USD: '0' } })
})
afterAll(async () => {
  await server?.stop()
  await upstream.close()
  await sandbox?.[Symbol.asyncDispose]()
})

const trackerOf = (url: string, options: TrackerOptions = {}) => {
  const warnings: Warning[] = []
  const tracker = new TokenTracker({
    url,
    hosts: { [new URL(upstreamUrl).host]: 'openai' },
    flushIntervalMs: 1,
    // The shortest pauses between two tries.
    random: () => 0.01,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  })
  const openai = new OpenAI({ apiKey: 'sk-test', baseURL: `${upstreamUrl}/v1`, fetch: tracker.fetch, maxRetries: 0 })
  return { tracker, openai, codes: () => new Set(warnings.map(({ code }) => code)) }
}

const callsEach = 12

describe.each(troubles)('with a server that is %s', (trouble) => {
  test('calls go on as without it, and their events arrive later, once', async () => {
    const front = await frontOf(server.url, trouble)
    const { tracker, openai, codes } = trackerOf(front.url)
    const task = `under-${trouble.replace(' ', '-')}`
    const answers: (string | null | undefined)[] = []
    await tracker.run({ task }, async (run) => {
      for (let call = 0; call < callsEach; call += 1) {
        const answer = await openai.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Where is it?' }] })
        answers.push(answer.choices[0]?.message.content)
      }
      await run.tool('look', { costUsd: '0.01' }, () => 'found')
    })
    // The run is over, and nothing of it has been acknowledged: no call has waited for that.
    expect(answers).toEqual(Array.from({ length: callsEach }, () => 'It left on Monday.'))
    expect(tracker.stats()).toMatchObject({ sent: 0, queued: callsEach + 3, dropped: 0, metered: callsEach, failed: 0 })
    if (trouble !== 'refused') await expect.poll(() => front.asked()).toBeGreaterThan(0)
    if (trouble !== 'hanging' && trouble !== 'slow') {
      await expect.poll(() => tracker.stats().sendFailures).toBeGreaterThan(1)
      expect(codes()).toEqual(new Set(['ledger-unreachable', 'budget-unchecked']))
    }
    await front.recover()
    await expect.poll(() => tracker.stats(), { timeout: 10_000 }).toMatchObject({ sent: callsEach + 3, queued: 0, rejected: 0, dropped: 0 })
    const { totals } = await query(server.url, `measure=llmCalls,toolCalls,cost,runs&where=task:${task}&last=24h`)
    expect(totals).toEqual({ llmCalls: callsEach, toolCalls: 1, cost: '0.082000000000', runs: 1 })
    expect((await allEntries(server.url, `last=24h&where=task:${task}`)).length).toBe(callsEach + 1)
    await tracker.close()
    await front.close()
  })
})

test('past the limit of the queue new events are dropped, counted and told, and the kept ones arrive', async () => {
  const front = await frontOf(server.url, 'refused')
  const { tracker, codes } = trackerOf(front.url, { queueEventsMax: 10 })
  for (let index = 0; index < 25; index += 1)
    tracker.record({ kind: 'llm', provider: 'openai', model: 'gpt-4.1', usage: { input: 1_000 }, task: `kept-${index}` })
  expect(tracker.stats()).toMatchObject({ queued: 10, dropped: 15, sent: 0 })
  await expect.poll(() => tracker.stats().sendFailures).toBeGreaterThan(0)
  expect(codes()).toEqual(new Set(['ledger-unreachable', 'events-dropped']))
  await front.recover()
  await expect.poll(() => tracker.stats(), { timeout: 10_000 }).toMatchObject({ queued: 0, sent: 10, dropped: 15 })
  const kept = (await allEntries(server.url, 'last=24h')).map(({ task }) => task).filter((task) => task?.startsWith('kept-'))
  expect(kept.toSorted()).toEqual(Array.from({ length: 10 }, (_, index) => `kept-${index}`))
  await tracker.close()
  await front.close()
})
