import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, test } from 'vitest'
import { type Play, playMessages, playTooManyRequests } from '../../src/testing.ts'
import { caught, drained, observe, seenResponse, taken } from './observe.ts'

const script = { input: 90, cacheRead: 400, output: 33 }
const question = { model: 'claude-sonnet-4-6', max_tokens: 200, messages: [{ role: 'user' as const, content: 'How much is it?' }] }
const streamed = { ...question, stream: true as const }
const whole = {
  provider: 'anthropic',
  model: 'claude-sonnet-4-6',
  status: 'ok',
  quality: 'complete',
  usage: { input: 90, cache_read: 400, output: 33 },
  operation: 'chat',
}

const run = (play: Play | readonly Play[], scenario: (client: Anthropic) => Promise<unknown>) =>
  observe(
    () => ({ 'POST /v1/messages': [play].flat() }),
    ({ url, fetch }) => scenario(new Anthropic({ apiKey: 'sk-ant-test', baseURL: url, fetch })),
  )

describe('anthropic: metered and unmetered are the same, and the event is right', () => {
  test('plain', async () => {
    const { events } = await run(playMessages(script), (client) => client.messages.create(question))
    expect(events).toMatchObject([{ ...whole, callKey: 'anthropic:msg_played-1' }])
  })

  test('stream', async () => {
    const { events } = await run(playMessages(script), async (client) => drained(await client.messages.create(streamed)))
    expect(events).toMatchObject([whole])
  })

  test('withResponse and asResponse', async () => {
    const { events } = await run(playMessages(script), async (client) => {
      const one = await client.messages.create(streamed).withResponse()
      const two = await client.messages.create(question).asResponse()
      return [
        one.request_id,
        seenResponse(one.response),
        await drained(one.data),
        seenResponse(two),
        await two.clone().text(),
        await two.json(),
      ]
    })
    expect(events).toMatchObject([whole, whole])
  })

  test('tee, and a readable stream', async () => {
    const { events } = await run(playMessages(script), async (client) => {
      const [left, right] = (await client.messages.create(streamed)).tee()
      return Promise.all([drained(left), new Response(right.toReadableStream()).text()])
    })
    expect(events).toMatchObject([whole])
  })

  test('the stream helper, with its events and its final message', async () => {
    const { events } = await run(playMessages(script), async (client) => {
      const heard: string[] = []
      const stream = client.messages.stream(question).on('text', (text) => heard.push(text))
      return [await stream.finalMessage(), await stream.finalText(), heard]
    })
    expect(events).toMatchObject([whole])
  })

  test('an early break: input and cache are known from the start', async () => {
    const { events } = await run(playMessages(script), async (client) => taken(await client.messages.create(streamed), 3))
    expect(events).toMatchObject([{ status: 'aborted', usage: { input: 90, cache_read: 400 } }])
    expect(events[0]?.quality).not.toBe('complete')
  })

  test('an abort in the middle, by the stream helper', async () => {
    const { events } = await run(playMessages({ ...script, ending: 'hang' }), async (client) => {
      const stream = client.messages.stream(question)
      stream.on('text', (text) => {
        if (text.includes('run')) stream.abort()
      })
      return caught(() => stream.finalMessage())
    })
    expect(events).toMatchObject([{ status: 'aborted', usage: { input: 90, cache_read: 400 } }])
  })

  test('an abort by a signal, and one before the answer', async () => {
    let second = new AbortController()
    const never: Play = () => {
      second.abort()
      return { finish: 'hang', chunks: [] }
    }
    const { events } = await run([playMessages({ ...script, ending: 'hang' }), never], async (client) => {
      const first = new AbortController()
      const stream = await client.messages.create(streamed, { signal: first.signal })
      const seen = await drained(stream, (event) => {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta' && event.delta.text.includes('run')) first.abort()
        return event
      })
      second = new AbortController()
      return [seen, await caught(() => client.messages.create(question, { signal: second.signal }))]
    })
    expect(events).toMatchObject([{ status: 'aborted' }, { status: 'aborted', quality: 'missing' }])
  })

  test('a retry', async () => {
    const { events } = await run([playTooManyRequests, playMessages(script)], (client) => client.messages.create(question))
    expect(events).toMatchObject([
      { status: 'error', error: '429', attempt: 0, usage: {} },
      { ...whole, attempt: 1 },
    ])
  })

  test('refused to the end', async () => {
    const { events } = await run(playTooManyRequests, (client) => caught(() => client.messages.create(question, { maxRetries: 1 })))
    expect(events).toMatchObject([{ attempt: 0 }, { attempt: 1, error: '429' }])
  })

  test("an error in the middle of a stream is the provider's", async () => {
    const { events } = await run(playMessages({ ...script, ending: 'error' }), async (client) =>
      drained(await client.messages.create(streamed)),
    )
    expect(events).toMatchObject([{ status: 'error', error: 'overloaded_error', usage: { input: 90, cache_read: 400 } }])
  })

  test('a connection that breaks in the middle', async () => {
    const { events } = await run(playMessages({ ...script, ending: 'cut' }), async (client) => {
      const { error } = await drained(await client.messages.create(streamed))
      return error
    })
    expect(events).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })

  test('counting tokens is no model call', async () => {
    const routes = () => ({ 'POST /v1/messages/count_tokens': () => ({ body: '{"input_tokens":12}' }) })
    const { events } = await observe(routes, ({ url, fetch }) => {
      const client = new Anthropic({ apiKey: 'k', baseURL: url, fetch })
      return client.messages.countTokens({ model: question.model, messages: question.messages })
    })
    expect(events).toEqual([])
  })
})
