import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { type Play, playResponses, playTooManyRequests } from '../../src/testing.ts'
import { caught, drained, observe, seenResponse, taken } from './observe.ts'

const script = { input: 200, cacheRead: 50, output: 25, reasoning: 11 }
const question = { model: 'gpt-4.1-mini', input: 'How much is it?' }
const streamed = { ...question, stream: true as const }
const whole = {
  provider: 'openai',
  model: 'gpt-4.1-mini',
  status: 'ok',
  quality: 'complete',
  usage: { input: 200, cache_read: 50, output: 25, reasoning: 11 },
}

const run = (play: Play | readonly Play[], scenario: (client: OpenAI) => Promise<unknown>) =>
  observe(
    () => ({ 'POST /v1/responses': [play].flat() }),
    ({ url, fetch }) => scenario(new OpenAI({ apiKey: 'sk-test', baseURL: `${url}/v1`, fetch })),
    { provider: 'openai' },
  )

describe('openai, responses: metered and unmetered are the same, and the event is right', () => {
  test('plain', async () => {
    const { events } = await run(playResponses(script), (client) => client.responses.create(question))
    expect(events).toMatchObject([{ ...whole, callKey: 'openai:resp_played-1' }])
  })

  test('stream', async () => {
    const { events, requests } = await run(playResponses(script), async (client) => drained(await client.responses.create(streamed)))
    expect(events).toMatchObject([whole])
    expect(requests[0]?.body).not.toHaveProperty('stream_options')
  })

  test('withResponse and asResponse', async () => {
    const { events } = await run(playResponses(script), async (client) => {
      const one = await client.responses.create(streamed).withResponse()
      const two = await client.responses.create(question).asResponse()
      return [seenResponse(one.response), await drained(one.data), seenResponse(two), await two.json()]
    })
    expect(events).toMatchObject([whole, whole])
  })

  test('tee', async () => {
    const { events } = await run(playResponses(script), async (client) => {
      const [left, right] = (await client.responses.create(streamed)).tee()
      return Promise.all([drained(left), drained(right)])
    })
    expect(events).toMatchObject([whole])
  })

  test('the stream helper and its final response', async () => {
    const { events } = await run(playResponses(script), async (client) => client.responses.stream(question).finalResponse())
    expect(events).toMatchObject([whole])
  })

  test('an early break', async () => {
    const { events } = await run(playResponses(script), async (client) => taken(await client.responses.create(streamed), 6))
    expect(events).toMatchObject([{ status: 'aborted', quality: 'estimated' }])
  })

  test('an abort in the middle', async () => {
    const { events } = await run(playResponses({ ...script, ending: 'hang' }), async (client) => {
      const abort = new AbortController()
      const stream = await client.responses.create(streamed, { signal: abort.signal })
      return drained(stream, (event) => {
        if (event.type === 'response.output_text.delta' && event.delta.includes('run')) abort.abort()
        return event
      })
    })
    expect(events).toMatchObject([{ status: 'aborted' }])
  })

  test('a retry', async () => {
    const { events } = await run([playTooManyRequests, playResponses(script)], (client) => client.responses.create(question))
    expect(events).toMatchObject([
      { status: 'error', error: '429', attempt: 0, usage: {} },
      { ...whole, attempt: 1 },
    ])
  })

  test("an error in the middle of a stream is the provider's", async () => {
    const { events } = await run(playResponses({ ...script, ending: 'error' }), async (client) =>
      drained(await client.responses.create(streamed)),
    )
    expect(events).toMatchObject([{ status: 'error', error: 'server_error' }])
  })

  test('a connection that breaks in the middle', async () => {
    const { events } = await run(playResponses({ ...script, ending: 'cut' }), (client) =>
      caught(async () => drained(await client.responses.create(streamed))),
    )
    expect(events).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })
})
