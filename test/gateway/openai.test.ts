import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { type Play, playChat, playPage, playResponses, playTooManyRequests } from '../../src/testing.ts'
import { caught, drained, taken } from '../clients/observe.ts'
import { seenResponse, through } from './through.ts'

const script = { input: 120, cacheRead: 80, output: 30, reasoning: 6 }
const usage = { input: 120, cache_read: 80, output: 30, reasoning: 6 }
const question = { model: 'gpt-4.1-mini', messages: [{ role: 'user' as const, content: 'How much is it?' }] }
const streamed = { ...question, stream: true as const }
const whole = {
  source: 'gateway',
  provider: 'openai',
  model: 'gpt-4.1-mini',
  status: 'ok',
  quality: 'complete',
  usage,
  operation: 'chat',
  attempt: 0,
}

const clientAt = (baseURL: string, more: object = {}) => new OpenAI({ apiKey: 'sk-test', baseURL: `${baseURL}/v1`, ...more })
const run = (calls: number, play: Play | readonly Play[], scenario: (client: OpenAI) => Promise<unknown>, more: object = {}) =>
  through(
    () => ({ 'POST /v1/chat/completions': [play].flat(), 'POST /v1/responses': [play].flat() }),
    (url) => scenario(clientAt(url, more)),
    { name: 'openai', calls },
  )

describe('the openai client through the gateway sees what it sees without', () => {
  test('plain', async () => {
    const { calls } = await run(1, playChat(script), (client) => client.chat.completions.create(question))
    expect(calls).toMatchObject([{ ...whole, callKey: 'openai:chatcmpl-played-1', requestedModel: 'gpt-4.1-mini' }])
    expect(calls[0]?.promptHash).toMatch(/^[0-9a-f]{32}$/)
  })

  test('stream, usage not asked for: it is asked for and taken out again', async () => {
    const { calls, requests } = await run(1, playChat(script), async (client) => {
      const { chunks } = await drained(await client.chat.completions.create(streamed))
      // With the wish every chunk of this provider says that it has no usage; that is all that differs.
      return chunks.map((chunk) => ({ ...(chunk as object), usage: undefined }))
    })
    expect(calls).toMatchObject([whole])
    expect(requests[0]?.body.stream_options).toEqual({ include_usage: true })
  })

  test('stream, usage asked for by the caller: nothing is changed', async () => {
    const { calls } = await run(1, playChat(script), async (client) => {
      const all = await drained(await client.chat.completions.create({ ...streamed, stream_options: { include_usage: true } }))
      expect(all.chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 236 } })
      return all
    })
    expect(calls).toMatchObject([whole])
  })

  test('stream, usage declined by the caller: estimated, and said so', async () => {
    const { calls } = await run(1, playChat(script), async (client) =>
      drained(await client.chat.completions.create({ ...streamed, stream_options: { include_usage: false } })),
    )
    expect(calls).toMatchObject([{ status: 'ok', quality: 'estimated', usage: { output: 9, input: expect.any(Number) } }])
  })

  test('withResponse, whole and streamed', async () => {
    const { calls } = await run(2, playChat(script), async (client) => {
      const one = await client.chat.completions.create(question).withResponse()
      const asked = { ...streamed, stream_options: { include_usage: true } }
      const two = await client.chat.completions.create(asked).withResponse()
      return [one.data, one.request_id, seenResponse(one.response), two.request_id, seenResponse(two.response), await drained(two.data)]
    })
    expect(calls).toMatchObject([whole, whole])
  })

  test('the stream helper and its final completion', async () => {
    const { calls } = await run(1, playChat(script), async (client) => {
      const heard: string[] = []
      const stream = client.chat.completions.stream({ ...question, stream_options: { include_usage: true } })
      stream.on('content', (_, snapshot) => heard.push(snapshot))
      return [await stream.finalChatCompletion(), heard]
    })
    expect(calls).toMatchObject([whole])
  })

  test('responses, whole and streamed', async () => {
    const { calls } = await run(2, playResponses(script), async (client) => [
      await client.responses.create({ model: 'gpt-4.1-mini', input: 'How much?' }),
      await drained(await client.responses.create({ model: 'gpt-4.1-mini', input: 'How much?', stream: true })),
    ])
    expect(calls).toMatchObject([
      { ...whole, operation: expect.any(String) },
      { ...whole, operation: expect.any(String) },
    ])
  })

  test('an early break is an aborted call with estimated usage', async () => {
    const { calls } = await run(
      1,
      playChat({ ...script, ending: 'hang', pieces: 12 }),
      async (client) => (await taken(await client.chat.completions.create(streamed), 3)).length,
    )
    expect(calls).toMatchObject([
      { status: 'aborted', quality: 'estimated', usage: { input: expect.any(Number), output: expect.any(Number) } },
    ])
  })

  test('an abort in the middle of a stream', async () => {
    const { calls } = await run(1, playChat({ ...script, ending: 'hang' }), async (client) => {
      const abort = new AbortController()
      const stream = await client.chat.completions.create(streamed, { signal: abort.signal })
      const { error, chunks } = await drained(stream, (chunk) => {
        if (chunk.choices[0]?.delta.content?.includes('runs')) abort.abort()
        return chunk.choices
      })
      return [error, chunks]
    })
    expect(calls).toMatchObject([{ status: 'aborted', quality: 'estimated' }])
  })

  test('an abort before the answer: the prompt was put to the model, and is estimated', async () => {
    const never: Play = () => ({ finish: 'hang', headers: { 'content-type': 'application/json' }, chunks: ['{'] })
    const { calls } = await run(1, never, async (client) => {
      const abort = new AbortController()
      const asked = caught(() => client.chat.completions.create(question, { signal: abort.signal }))
      setTimeout(() => abort.abort(), 50)
      const { class: name, message } = (await asked) as { class: string; message: string }
      return { name, message }
    })
    expect(calls).toMatchObject([{ status: 'aborted', quality: 'estimated', usage: { input: expect.any(Number) } }])
  })

  test('a timeout of the client, and its retry', async () => {
    const never: Play = () => ({ finish: 'hang', chunks: [] })
    const { calls } = await run(2, [never, playChat(script)], (client) => client.chat.completions.create(question), {
      timeout: 150,
      maxRetries: 1,
    })
    expect(calls).toMatchObject([
      { status: 'aborted', attempt: 0 },
      { ...whole, attempt: 1 },
    ])
  })

  test('a retry is a call of its own, and only the answer has usage', async () => {
    const { calls } = await run(2, [playTooManyRequests, playChat(script)], (client) => client.chat.completions.create(question))
    expect(calls).toMatchObject([
      { status: 'error', error: 'rate_limit_exceeded', usage: {}, attempt: 0 },
      { ...whole, attempt: 1 },
    ])
  })

  test("an error in the middle of a stream is the provider's, not an abort", async () => {
    const { calls } = await run(1, playChat({ ...script, ending: 'error' }), async (client) => {
      const { error } = await drained(await client.chat.completions.create(streamed))
      return error
    })
    expect(calls).toMatchObject([{ status: 'error', error: 'server_error', quality: 'estimated' }])
  })

  test('a connection that breaks in the middle of a stream breaks for the client too', async () => {
    const { calls } = await run(1, playChat({ ...script, ending: 'cut' }), async (client) => {
      const { error } = await drained(await client.chat.completions.create(streamed))
      return error
    })
    expect(calls).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })

  test('a page of HTML in place of an answer', async () => {
    const { calls } = await run(1, playPage, (client) => client.chat.completions.create(question))
    expect(calls).toMatchObject([{ status: 'error', error: 'unreadable-answer', usage: {} }])
  })

  test('an answer without usage is recorded as missing it', async () => {
    const { calls } = await run(1, playChat({ ...script, withoutUsage: true }), (client) => client.chat.completions.create(question))
    expect(calls).toMatchObject([{ status: 'ok', quality: 'missing', usage: {} }])
  })

  test('what is no model call passes and is not metered', async () => {
    const routes = () => ({
      'GET /v1/models': () => ({ body: '{"object":"list","data":[{"id":"m"}]}' }),
      'POST /v1/files': (request: { headers: Readonly<Record<string, string>> }) => ({
        body: `{"id":"file-1","bytes":1,"object":"file","type":${JSON.stringify(request.headers['content-type']?.split(';')[0])}}`,
      }),
      'DELETE /v1/files/file-1': () => ({ body: '{"id":"file-1","deleted":true}' }),
    })
    const { calls } = await through(
      routes,
      async (url) => {
        const client = clientAt(url)
        const file = await client.files.create({ file: new File(['{}'], 'batch.jsonl'), purpose: 'batch' })
        return [(await client.models.list()).data, file, await client.files.delete('file-1')]
      },
      { name: 'openai', calls: 0 },
    )
    expect(calls).toEqual([])
  })

  test('attribution in the path, for clients that can set nothing but a base URL', async () => {
    const { calls } = await through(
      () => ({ 'POST /v1/chat/completions': playChat(script) }),
      (url) => clientAt(url).chat.completions.create(question),
      { name: 'openai', calls: 1, path: '/via/agent=support%20bot;run=r%2F1;tag.plan=pro/openai' },
    )
    expect(calls).toMatchObject([{ ...whole, agent: 'support bot', run: 'r/1', tags: { plan: 'pro' } }])
  })
})
