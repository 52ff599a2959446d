import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, test } from 'vitest'
import { type Play, playMessages, playTooManyRequests } from '../../src/testing.ts'
import { caught, drained, taken } from '../clients/observe.ts'
import { seenResponse, through } from './through.ts'

const script = { input: 90, cacheRead: 400, output: 33 }
const question = { model: 'claude-sonnet-4-6', max_tokens: 200, messages: [{ role: 'user' as const, content: 'How much is it?' }] }
const streamed = { ...question, stream: true as const }
const whole = {
  source: 'gateway',
  provider: 'anthropic',
  model: 'claude-sonnet-4-6',
  status: 'ok',
  quality: 'complete',
  usage: { input: 90, cache_read: 400, output: 33 },
  operation: 'chat',
}

const run = (calls: number, play: Play | readonly Play[], scenario: (client: Anthropic) => Promise<unknown>) =>
  through(
    () => ({ 'POST /v1/messages': [play].flat() }),
    (baseURL) => scenario(new Anthropic({ apiKey: 'sk-ant-test', baseURL })),
    { name: 'anthropic', calls },
  )

describe('the anthropic client through the gateway sees what it sees without', () => {
  test('plain', async () => {
    const { calls } = await run(1, playMessages(script), (client) => client.messages.create(question))
    expect(calls).toMatchObject([{ ...whole, callKey: 'anthropic:msg_played-1' }])
  })

  test('stream, byte for byte', async () => {
    const { calls } = await run(1, playMessages(script), async (client) => (await client.messages.create(streamed).asResponse()).text())
    expect(calls).toMatchObject([whole])
  })

  test('withResponse and asResponse', async () => {
    const { calls } = await run(2, playMessages(script), async (client) => {
      const one = await client.messages.create(streamed).withResponse()
      const seen = [one.request_id, seenResponse(one.response), await drained(one.data)]
      const two = await client.messages.create(question).asResponse()
      return [seen, seenResponse(two), await two.json()]
    })
    expect(calls).toMatchObject([whole, whole])
  })

  test('the stream helper and its final message', async () => {
    const { calls } = await run(1, playMessages(script), async (client) => {
      const heard: string[] = []
      const stream = client.messages.stream(question).on('text', (text) => heard.push(text))
      return [await stream.finalMessage(), heard]
    })
    expect(calls).toMatchObject([whole])
  })

  test('an early break: input and cache are known from the start', async () => {
    const { calls } = await run(1, playMessages({ ...script, ending: 'hang' }), async (client) =>
      taken(await client.messages.create(streamed), 3),
    )
    expect(calls).toMatchObject([{ status: 'aborted', usage: { input: 90, cache_read: 400 } }])
    expect(calls[0]?.quality).not.toBe('complete')
  })

  test('an abort in the middle, by the stream helper', async () => {
    const { calls } = await run(1, playMessages({ ...script, ending: 'hang' }), async (client) => {
      const stream = client.messages.stream(question)
      stream.on('text', (text) => {
        if (text.includes('run')) stream.abort()
      })
      return caught(() => stream.finalMessage())
    })
    expect(calls).toMatchObject([{ status: 'aborted', usage: { input: 90, cache_read: 400 } }])
  })

  test('a retry', async () => {
    const { calls } = await run(2, [playTooManyRequests, playMessages(script)], (client) => client.messages.create(question))
    expect(calls).toMatchObject([
      { status: 'error', error: 'rate_limit_error', attempt: 0, usage: {} },
      { ...whole, attempt: 1 },
    ])
  })

  test("an error in the middle of a stream is the provider's", async () => {
    const { calls } = await run(1, playMessages({ ...script, ending: 'error' }), async (client) =>
      drained(await client.messages.create(streamed)),
    )
    expect(calls).toMatchObject([{ status: 'error', error: 'overloaded_error', usage: { input: 90, cache_read: 400 } }])
  })

  test('a connection that breaks in the middle', async () => {
    const { calls } = await run(1, playMessages({ ...script, ending: 'cut' }), async (client) => {
      const { error } = await drained(await client.messages.create(streamed))
      return error
    })
    expect(calls).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })

  test('counting tokens is no model call', async () => {
    const { calls } = await through(
      () => ({ 'POST /v1/messages/count_tokens': () => ({ body: '{"input_tokens":12}' }) }),
      (baseURL) => new Anthropic({ apiKey: 'k', baseURL }).messages.countTokens({ model: question.model, messages: question.messages }),
      { name: 'anthropic', calls: 0 },
    )
    expect(calls).toEqual([])
  })
})
