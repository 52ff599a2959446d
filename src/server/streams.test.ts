import { get as httpGet, type IncomingMessage } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import { eventId, listening, modelCall, testServer } from '../../test/server/test-server.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import type { StreamMessage } from './api.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A reader of server-sent events over a real socket. `next` waits for the message after the last one that was taken. */
const follow = async (url: string, headers: Record<string, string> = {}) => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpGet(url, { headers }, resolve).on('error', reject)
    ends.push(() => request.destroy())
  })
  response.setEncoding('utf8').on('error', () => {})
  let text = ''
  let wake = () => {}
  response.on('data', (chunk: string) => {
    text += chunk
    wake()
  })
  const until = async <Found>(look: () => Found | undefined): Promise<Found> => {
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return {
    status: response.statusCode,
    type: response.headers['content-type'],
    response,
    /** The next record, comments left out. */
    next: () =>
      until((): { id: string; message: StreamMessage } | undefined => {
        for (;;) {
          const end = text.indexOf('\n\n')
          if (end === -1) return undefined
          const record = text.slice(0, end)
          text = text.slice(end + 2)
          const id = /^id: (.*)$/m.exec(record)?.[1]
          const data = /^data: (.*)$/m.exec(record)?.[1]
          if (id !== undefined && data !== undefined) return { id, message: JSON.parse(data) as StreamMessage }
        }
      }),
    heartbeat: () => until(() => (text.includes(': \n\n') ? true : undefined)),
    closed: new Promise<void>((resolve) => response.on('close', resolve)),
  }
}

const serving = async (options: Parameters<typeof testServer>[0] = {}) => {
  const server = await testServer(options)
  const { url, close } = await listening(server)
  ends.push(close)
  return { ...server, url }
}

const idOf = ({ message }: { message: StreamMessage }) =>
  message.type === 'call' ? message.call.id : message.type === 'run' ? message.run.id : undefined

describe('/v1/stream', () => {
  test('with filters tells only of what passes, also of what was missed; a filter that is none is refused', async () => {
    const server = await serving()
    await server.intake.admit([modelCall(1, { agent: 'a' })])
    const first = await follow(`${server.url}/v1/stream?where=agent:a,b`)
    const { id: cursor } = await first.next()
    await server.intake.admit([
      modelCall(2, { agent: 'b' }),
      modelCall(3, { agent: 'c' }),
      { id: eventId(4), at: '2026-11-22T11:00:00Z', kind: 'run', run: 'r-1', phase: 'end', agent: 'a', status: 'ok' },
      { id: eventId(5), at: '2026-11-22T11:00:00Z', kind: 'run', run: 'r-2', phase: 'end', agent: 'c', status: 'ok' },
      modelCall(6, { agent: 'a', model: 'nobody-knows' }),
      modelCall(7),
    ])
    const read = async (reader: typeof first) => [idOf(await reader.next()), idOf(await reader.next()), idOf(await reader.next())]
    expect(await read(first)).toEqual([eventId(2), eventId(4), eventId(6)])
    const again = await follow(`${server.url}/v1/stream?where=agent:a,b&after=${cursor}`)
    await again.next()
    expect(await read(again)).toEqual([eventId(2), eventId(4), eventId(6)])
    const priced = await follow(`${server.url}/v1/stream?where=unit:output&where=-model:nobody-knows&after=${cursor}`)
    await priced.next()
    await server.intake.admit([modelCall(8, { agent: 'd' })])
    expect(await read(priced)).toEqual([eventId(2), eventId(3), eventId(7)])
    const refused = await fetch(`${server.url}/v1/stream?where=colour:red`)
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('A filter should look like task:refund')])
  })

  test('tells of calls and runs as they are kept, from now on', async () => {
    const server = await serving()
    await server.intake.admit([modelCall(1)])
    const reader = await follow(`${server.url}/v1/stream`)
    expect([reader.status, reader.type]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect((await reader.next()).message).toMatchObject({ type: 'open', now: '2026-11-22T12:00:00.000Z' })
    await server.intake.admit([
      modelCall(2),
      { id: eventId(3), at: '2026-11-22T11:00:00Z', kind: 'run', run: 'r-1', phase: 'end', status: 'ok', stopReason: 'completed' },
    ])
    expect((await reader.next()).message).toMatchObject({ type: 'call', call: { id: eventId(2), charge: { totalUsd: '0.004800000000' } } })
    expect((await reader.next()).message).toMatchObject({ type: 'run', run: { run: 'r-1', phase: 'end', stopReason: 'completed' } })
  })

  test('tells which reports stand for a call and which do not', async () => {
    const server = await serving()
    const reader = await follow(`${server.url}/v1/stream`)
    await reader.next()
    await server.intake.admit([modelCall(1, { callKey: 'openai:c-1' })], { source: 'gateway' })
    await server.intake.admit([modelCall(2, { callKey: 'openai:c-1' })], { source: 'import' })
    const told = [(await reader.next()).message, (await reader.next()).message]
    expect(told.map((message) => message.type === 'call' && [message.call.id, message.isCounted])).toEqual([
      [eventId(1), true],
      [eventId(2), false],
    ])
  })

  test('resumes after the last event that was seen, with nothing lost and nothing twice', async () => {
    const server = await serving()
    const reader = await follow(`${server.url}/v1/stream`)
    await reader.next()
    await server.intake.admit([modelCall(1), modelCall(2)])
    const { id } = await reader.next()
    reader.response.destroy()
    await server.intake.admit([modelCall(3)])
    const again = await follow(`${server.url}/v1/stream`, { 'last-event-id': id })
    expect((await again.next()).message).toMatchObject({ type: 'open', cursor: id })
    expect([idOf(await again.next()), idOf(await again.next())]).toEqual([eventId(2), eventId(3)])
    await server.intake.admit([modelCall(4)])
    expect(idOf(await again.next())).toBe(eventId(4))
  })

  test('a reader that missed too much gets what may be told, a gap, and then what is new', async () => {
    const server = await serving({ limits: { streamReplayMax: 2 } })
    const start = await server.store.head()
    await server.intake.admit([1, 2, 3, 4].map((index) => modelCall(index)))
    const reader = await follow(`${server.url}/v1/stream?after=${start}`)
    const told = []
    for (let count = 0; count < 4; count += 1) told.push(await reader.next())
    expect(told.map(({ message }) => message.type)).toEqual(['open', 'call', 'call', 'gap'])
    await server.intake.admit([modelCall(5)])
    expect(idOf(await reader.next())).toBe(eventId(5))
  })

  test('a cursor of another ledger is a gap', async () => {
    const server = await serving()
    const reader = await follow(`${server.url}/v1/stream`, { 'last-event-id': 'of-another-ledger' })
    expect([(await reader.next()).message.type, (await reader.next()).message.type]).toEqual(['open', 'gap'])
    await server.intake.admit([modelCall(1)])
    expect(idOf(await reader.next())).toBe(eventId(1))
  })

  test('a quiet stream says now and then that it is there', async () => {
    const server = await serving({ limits: { heartbeatMs: 5 } })
    const reader = await follow(`${server.url}/v1/stream`)
    expect(await reader.heartbeat()).toBe(true)
  })

  test('so many may be open and no more; one that goes away makes room', async () => {
    const server = await serving({ limits: { streamsMax: 2 } })
    const readers = [await follow(`${server.url}/v1/stream`), await follow(`${server.url}/v1/stream`)]
    const refused = await follow(`${server.url}/v1/stream`)
    expect([refused.status, refused.response.headers['retry-after']]).toEqual([503, '15'])
    expect(await server.metrics.text()).toContain('taximeter_stream_clients 2\n')
    readers[0]?.response.destroy()
    await expect.poll(async () => (await server.metrics.text()).includes('taximeter_stream_clients 1\n')).toBe(true)
    expect((await follow(`${server.url}/v1/stream`)).status).toBe(200)
  })

  test('asking for its head alone holds no place', async () => {
    const { fetch, metrics } = await testServer({ limits: { streamsMax: 1 } })
    for (let count = 0; count < 3; count += 1)
      expect((await fetch(new Request('http://localhost/v1/stream', { method: 'HEAD' }))).status).toBe(200)
    expect(await metrics.text()).toContain('taximeter_stream_clients 0\n')
  })

  test('a reader that takes nothing is let go, and the others go on', async () => {
    const server = await serving({ limits: { stalledMs: 20 } })
    const stuck = await follow(`${server.url}/v1/stream`)
    stuck.response.pause()
    const reader = await follow(`${server.url}/v1/stream`)
    await reader.next()
    // More than the socket's buffers and our queue hold together.
    const task = 'x'.repeat(200)
    let last = 0
    while ((await server.metrics.text()).includes('taximeter_stream_clients 2\n')) {
      await server.intake.admit(Array.from({ length: 1_000 }, (_, index) => modelCall(last + index, { task, step: task, team: task })))
      last += 1_000
      for (let count = 0; count < 1_000; count += 1) await reader.next()
    }
    await server.intake.admit([modelCall(last)])
    expect(idOf(await reader.next())).toBe(eventId(last))
  })

  test('closing the server ends every stream', async () => {
    const server = await serving()
    const reader = await follow(`${server.url}/v1/stream`)
    await reader.next()
    server.close()
    await reader.closed
    expect(reader.response.complete).toBe(true)
  })

  test('a ledger that fails ends the stream', async () => {
    const store = memoryStore()
    const server = await serving({
      store: {
        ...store,
        async *follow() {
          yield* []
          throw new Error('gone')
        },
      },
    })
    const reader = await follow(`${server.url}/v1/stream`)
    await reader.closed
    expect(await server.metrics.text()).toContain('taximeter_stream_clients 0\n')
  })
})
