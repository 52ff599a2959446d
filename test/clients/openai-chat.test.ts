import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { type Play, playChat, playPage, playTooManyRequests } from '../../src/testing.ts'
import { caught, drained, observe, type Place, seenResponse, taken } from './observe.ts'

const script = { input: 120, cacheRead: 80, output: 30, reasoning: 6 }
const usage = { input: 120, cache_read: 80, output: 30, reasoning: 6 }
const question = { model: 'gpt-4.1-mini', messages: [{ role: 'user' as const, content: 'How much is it?' }] }
const streamed = { ...question, stream: true as const }

const clientAt = ({ url, fetch }: Place, more: object = {}) => new OpenAI({ apiKey: 'sk-test', baseURL: `${url}/v1`, fetch, ...more })
const playing =
  (...plays: Play[]) =>
  () => ({ 'POST /v1/chat/completions': plays })
const run = (play: Play | readonly Play[], scenario: (client: OpenAI, place: Place) => Promise<unknown>) =>
  observe(playing(...[play].flat()), (place) => scenario(clientAt(place), place), { provider: 'openai' })

const whole = { provider: 'openai', model: 'gpt-4.1-mini', status: 'ok', quality: 'complete', usage, operation: 'chat', attempt: 0 }

describe('openai, chat completions: metered and unmetered are the same, and the event is right', () => {
  test('plain', async () => {
    const { events } = await run(playChat(script), (client) => client.chat.completions.create(question))
    expect(events).toMatchObject([{ ...whole, agent: 'observed', callKey: 'openai:chatcmpl-played-1' }])
    expect(events[0]?.promptHash).toMatch(/^[0-9a-f]{32}$/)
    expect(JSON.stringify(events)).not.toContain('How much')
  })

  test('stream, usage not asked for: it is asked for and taken out again', async () => {
    const { events, requests } = await run(playChat(script), async (client) => drained(await client.chat.completions.create(streamed)))
    expect(events).toMatchObject([whole])
    expect(requests[0]?.body.stream_options).toEqual({ include_usage: true })
  })

  test('stream, usage asked for by the caller: nothing is changed', async () => {
    const { events } = await run(playChat(script), async (client) => {
      const { chunks, error } = await drained(
        await client.chat.completions.create({ ...streamed, stream_options: { include_usage: true } }),
      )
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 236 } })
      return { chunks, error }
    })
    expect(events).toMatchObject([whole])
  })

  test('stream, usage declined by the caller: estimated, and said so', async () => {
    const { events } = await run(playChat(script), async (client) =>
      drained(await client.chat.completions.create({ ...streamed, stream_options: { include_usage: false } })),
    )
    expect(events).toMatchObject([{ status: 'ok', quality: 'estimated', usage: { output: 9 } }])
    expect(events[0]?.usage?.input).toBeGreaterThan(0)
  })

  test('withResponse, whole and streamed', async () => {
    const { events } = await run(playChat(script), async (client) => {
      const one = await client.chat.completions.create(question).withResponse()
      const two = await client.chat.completions.create(streamed).withResponse()
      return [one.data, one.request_id, seenResponse(one.response), two.request_id, seenResponse(two.response), await drained(two.data)]
    })
    expect(events).toMatchObject([whole, whole])
  })

  test('asResponse: the raw response, read as text, as chunks and from a clone', async () => {
    const { events } = await run(playChat(script), async (client) => {
      const one = await client.chat.completions.create(question).asResponse()
      const two = await client.chat.completions.create(streamed).asResponse()
      const seen = [seenResponse(one), seenResponse(two), seenResponse(one.clone())]
      return [seen, await one.clone().text(), await one.json(), seenResponse(one), await two.text()]
    })
    expect(events).toMatchObject([whole, whole])
  })

  test('tee: two readers of one stream', async () => {
    const { events } = await run(playChat(script), async (client) => {
      const [left, right] = (await client.chat.completions.create(streamed)).tee()
      return Promise.all([drained(left), drained(right)])
    })
    expect(events).toMatchObject([whole])
  })

  test('toReadableStream, and back', async () => {
    const { events } = await run(playChat(script), async (client) => {
      const stream = await client.chat.completions.create(streamed)
      return new Response(stream.toReadableStream()).text()
    })
    expect(events).toMatchObject([whole])
  })

  test('the stream helper, with its events and its final completion', async () => {
    const { events } = await run(playChat(script), async (client) => {
      const heard: string[] = []
      const stream = client.chat.completions.stream(question)
      stream.on('content', (_, snapshot) => heard.push(snapshot))
      return [await stream.finalChatCompletion(), await stream.finalContent(), heard]
    })
    expect(events).toMatchObject([whole])
  })

  test('parse', async () => {
    const { events } = await run(playChat({ ...script, text: '{"price":5}' }), (client) =>
      client.chat.completions.parse({ ...question, response_format: { type: 'json_object' } }),
    )
    expect(events).toMatchObject([whole])
  })

  test('withOptions', async () => {
    const { events } = await run(playChat(script), (client) => client.withOptions({ timeout: 5_000 }).chat.completions.create(question))
    expect(events).toMatchObject([whole])
  })

  test('an early break is an aborted call with estimated usage', async () => {
    const { events } = await run(playChat({ ...script, pieces: 12 }), async (client) =>
      taken(await client.chat.completions.create(streamed), 3),
    )
    expect(events).toMatchObject([{ status: 'aborted', quality: 'estimated', model: 'gpt-4.1-mini' }])
    expect(events[0]?.usage).toMatchObject({ input: expect.any(Number), output: expect.any(Number) })
  })

  test('an abort in the middle of a stream', async () => {
    const { events } = await run(playChat({ ...script, ending: 'hang' }), async (client) => {
      const abort = new AbortController()
      const stream = await client.chat.completions.create(streamed, { signal: abort.signal })
      return drained(stream, (chunk) => {
        if (chunk.choices[0]?.delta.content?.includes('runs')) abort.abort()
        return chunk
      })
    })
    expect(events).toMatchObject([{ status: 'aborted', quality: 'estimated' }])
  })

  test('an abort before the answer', async () => {
    let abort = new AbortController()
    const never: Play = () => {
      abort.abort()
      return { finish: 'hang', chunks: [] }
    }
    const { events } = await run(never, (client) => {
      abort = new AbortController()
      return caught(() => client.chat.completions.create(question, { signal: abort.signal }))
    })
    expect(events).toMatchObject([{ status: 'aborted', quality: 'missing', usage: {} }])
  })

  test('a timeout of the client, and its retry', async () => {
    const never: Play = () => ({ finish: 'hang', chunks: [] })
    const { events } = await observe(
      playing(never, playChat(script)),
      (place) => clientAt(place, { timeout: 400, maxRetries: 1 }).chat.completions.create(question),
      { provider: 'openai' },
    )
    expect(events).toMatchObject([
      { status: 'aborted', attempt: 0 },
      { ...whole, attempt: 1 },
    ])
  })

  test('a retry is a call of its own, and only the answer has usage', async () => {
    const { events } = await run([playTooManyRequests, playChat(script)], (client) => client.chat.completions.create(question))
    expect(events).toMatchObject([
      { status: 'error', error: '429', usage: {}, attempt: 0 },
      { ...whole, attempt: 1 },
    ])
  })

  test("refused to the end: every attempt is a call, and the error is the client's own", async () => {
    const { events } = await run(playTooManyRequests, (client) => caught(() => client.chat.completions.create(question, { maxRetries: 1 })))
    expect(events.map(({ status, attempt }) => [status, attempt])).toEqual([
      ['error', 0],
      ['error', 1],
    ])
  })

  test("an error in the middle of a stream is the provider's, not an abort", async () => {
    const { events } = await run(playChat({ ...script, ending: 'error' }), async (client) =>
      drained(await client.chat.completions.create(streamed)),
    )
    expect(events).toMatchObject([{ status: 'error', error: 'server_error', quality: 'estimated' }])
  })

  test('a connection that breaks in the middle of a stream', async () => {
    const { events } = await run(playChat({ ...script, ending: 'cut' }), async (client) => {
      const { error } = await drained(await client.chat.completions.create(streamed))
      return error
    })
    expect(events).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })

  test('a page of HTML in place of an answer', async () => {
    const { events } = await run(playPage, (client) => client.chat.completions.create(question))
    expect(events).toMatchObject([{ status: 'error', error: 'unreadable-answer', usage: {} }])
  })

  test('an answer without usage is recorded as missing it', async () => {
    const { events } = await run(playChat({ ...script, withoutUsage: true }), (client) => client.chat.completions.create(question))
    expect(events).toMatchObject([{ status: 'ok', quality: 'missing', usage: {} }])
  })

  test('nobody listens', async () => {
    const { events } = await observe(playing(playChat()), ({ fetch }) =>
      caught(() => new OpenAI({ apiKey: 'k', baseURL: 'http://127.0.0.1:9/v1', fetch, maxRetries: 0 }).chat.completions.create(question)),
    )
    expect(events).toMatchObject([{ provider: 'openai', status: 'error', usage: {} }])
  })

  test('what is no model call is not metered', async () => {
    const routes = () => ({ 'GET /v1/models': () => ({ body: '{"object":"list","data":[{"id":"m"}]}' }) })
    const { events } = await observe(routes, async (place) => (await clientAt(place).models.list()).data, { provider: 'openai' })
    expect(events).toEqual([])
  })
})
