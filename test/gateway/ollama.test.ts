import { Ollama } from 'ollama'
import { describe, expect, test } from 'vitest'
import { type Play, playOllama, playTooManyRequests } from '../../src/testing.ts'
import { caught, drained, taken } from '../clients/observe.ts'
import { through } from './through.ts'

const script = { input: 26, output: 14 }
const question = { model: 'llama3.2', messages: [{ role: 'user', content: 'How much is it?' }] }
const streamed = { ...question, stream: true as const }
const whole = {
  source: 'gateway',
  provider: 'ollama',
  model: 'llama3.2',
  status: 'ok',
  quality: 'complete',
  usage: { input: 26, output: 14 },
}

const run = (calls: number, play: Play | readonly Play[], scenario: (client: Ollama) => Promise<unknown>) =>
  through(
    () => ({ 'POST /api/chat': [play].flat(), 'POST /api/generate': [play].flat(), 'GET /api/tags': () => ({ body: '{"models":[]}' }) }),
    (host) => scenario(new Ollama({ host })),
    { name: 'ollama', calls },
  )

describe('the ollama client through the gateway sees what it sees without', () => {
  test('plain', async () => {
    const { calls } = await run(1, playOllama(script), (client) => client.chat(question))
    expect(calls).toMatchObject([{ ...whole, operation: 'chat' }])
  })

  test('stream', async () => {
    const { calls } = await run(1, playOllama(script), async (client) => drained(await client.chat(streamed)))
    expect(calls).toMatchObject([whole])
  })

  test('generate, whole and streamed', async () => {
    const { calls } = await run(2, playOllama(script), async (client) => [
      await client.generate({ model: 'llama3.2', prompt: 'How much?' }),
      await drained(await client.generate({ model: 'llama3.2', prompt: 'How much?', stream: true })),
    ])
    expect(calls).toMatchObject([whole, whole])
  })

  test('an early break', async () => {
    const { calls } = await run(1, playOllama({ ...script, ending: 'hang' }), async (client) => {
      const stream = await client.chat(streamed)
      const chunks = await taken(stream, 2)
      stream.abort()
      return chunks
    })
    expect(calls).toMatchObject([{ status: 'aborted', quality: 'estimated' }])
  })

  test('a refusal', async () => {
    const { calls } = await run(1, playTooManyRequests, (client) => caught(() => client.chat(question)))
    expect(calls).toMatchObject([{ status: 'error', usage: {} }])
  })

  test("an error in the middle of a stream is the server's", async () => {
    const { calls } = await run(1, playOllama({ ...script, ending: 'error' }), async (client) => drained(await client.chat(streamed)))
    expect(calls).toMatchObject([{ status: 'error', error: 'error' }])
  })

  test('a connection that breaks in the middle', async () => {
    const { calls } = await run(1, playOllama({ ...script, ending: 'cut' }), async (client) => {
      const { error } = await drained(await client.chat(streamed))
      return error
    })
    expect(calls).toMatchObject([{ status: 'error', error: 'connection-lost' }])
  })

  test('listing models is no model call', async () => {
    const { calls } = await run(0, playOllama(script), (client) => client.list())
    expect(calls).toEqual([])
  })
})
