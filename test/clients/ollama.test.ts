import { Ollama } from 'ollama'
import { describe, expect, test } from 'vitest'
import { type Play, playOllama, playTooManyRequests } from '../../src/testing.ts'
import { caught, drained, observe, taken } from './observe.ts'

const script = { input: 26, output: 14 }
const question = { model: 'llama3.2', messages: [{ role: 'user', content: 'How much is it?' }] }
const streamed = { ...question, stream: true as const }
const whole = { provider: 'ollama', model: 'llama3.2', status: 'ok', quality: 'complete', usage: { input: 26, output: 14 } }

const run = (play: Play | readonly Play[], scenario: (client: Ollama) => Promise<unknown>, path = '/api/chat') =>
  observe(
    () => ({ [`POST ${path}`]: [play].flat() }),
    ({ url, fetch }) => scenario(new Ollama({ host: url, fetch })),
  )

describe('ollama: metered and unmetered are the same, and the event is right', () => {
  test('plain', async () => {
    const { events } = await run(playOllama(script), (client) => client.chat(question))
    expect(events).toMatchObject([{ ...whole, operation: 'chat' }])
  })

  test('stream', async () => {
    const { events } = await run(playOllama(script), async (client) => drained(await client.chat(streamed)))
    expect(events).toMatchObject([whole])
  })

  test('generate, whole and streamed', async () => {
    const { events } = await run(
      playOllama(script),
      async (client) => [
        await client.generate({ model: 'llama3.2', prompt: 'How much?' }),
        await drained(await client.generate({ model: 'llama3.2', prompt: 'How much?', stream: true })),
      ],
      '/api/generate',
    )
    expect(events).toMatchObject([whole, whole])
  })

  test('an early break', async () => {
    const { events } = await run(playOllama({ ...script, ending: 'hang' }), async (client) => {
      const stream = await client.chat(streamed)
      const chunks = await taken(stream, 2)
      stream.abort()
      return chunks
    })
    expect(events).toMatchObject([{ status: 'aborted', quality: 'estimated' }])
  })

  test('an abort in the middle', async () => {
    const { events } = await run(playOllama({ ...script, ending: 'hang' }), async (client) => {
      const stream = await client.chat(streamed)
      return drained(stream, (chunk) => {
        if (chunk.message.content.includes('run')) stream.abort()
        return chunk
      })
    })
    expect(events).toMatchObject([{ status: 'aborted', quality: 'estimated' }])
  })

  test('a refusal', async () => {
    const { events } = await run(playTooManyRequests, (client) => caught(() => client.chat(question)))
    expect(events).toMatchObject([{ status: 'error', error: '429', usage: {} }])
  })

  test("an error in the middle of a stream is the server's", async () => {
    const { events } = await run(playOllama({ ...script, ending: 'error' }), async (client) => drained(await client.chat(streamed)))
    expect(events).toMatchObject([{ status: 'error', error: 'error' }])
  })

  test('a connection that breaks in the middle', async () => {
    const { events } = await run(playOllama({ ...script, ending: 'cut' }), async (client) => {
      const { error } = await drained(await client.chat(streamed))
      return error
    })
    expect(events).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })

  test('listing models is no model call', async () => {
    const routes = () => ({ 'GET /api/tags': () => ({ body: '{"models":[]}' }) })
    const { events } = await observe(routes, ({ url, fetch }) => new Ollama({ host: url, fetch }).list())
    expect(events).toEqual([])
  })
})
