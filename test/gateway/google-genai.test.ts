import { GoogleGenAI } from '@google/genai'
import { describe, expect, test } from 'vitest'
import { type Play, playGemini, playTooManyRequests } from '../../src/testing.ts'
import { drained, taken } from '../clients/observe.ts'
import { through } from './through.ts'

const script = { input: 70, cacheRead: 30, output: 21, reasoning: 44 }
const question = { model: 'gemini-2.5-flash', contents: 'How much is it?' }
const whole = {
  source: 'gateway',
  provider: 'google',
  model: 'gemini-2.5-flash',
  requestedModel: 'gemini-2.5-flash',
  status: 'ok',
  quality: 'complete',
  usage: { input: 70, cache_read: 30, output: 21, reasoning: 44 },
}

const run = (calls: number, play: Play | readonly Play[], scenario: (client: GoogleGenAI) => Promise<unknown>) =>
  through(
    () => ({ 'POST /v1/models/*': [play].flat(), 'POST /v1beta/models/*': [play].flat() }),
    (baseUrl) => scenario(new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl } })),
    { name: 'gemini', calls },
  )

describe('the google-genai client through the gateway sees what it sees without', () => {
  test('plain', async () => {
    const { calls } = await run(1, playGemini(script), (client) => client.models.generateContent(question))
    expect(calls).toMatchObject([{ ...whole, callKey: 'google:played-1' }])
  })

  test('stream', async () => {
    const { calls } = await run(1, playGemini(script), async (client) => drained(await client.models.generateContentStream(question)))
    expect(calls).toMatchObject([whole])
  })

  test('an early break: this client does not hang up, and the provider has answered to the end', async () => {
    const { calls } = await run(1, playGemini(script), async (client) => taken(await client.models.generateContentStream(question), 1))
    expect(calls).toMatchObject([whole])
  })

  test('an abort in the middle', async () => {
    const { calls } = await run(1, playGemini({ ...script, ending: 'hang' }), async (client) => {
      const abort = new AbortController()
      const stream = await client.models.generateContentStream({ ...question, config: { abortSignal: abort.signal } })
      return drained(stream, (chunk) => {
        if (chunk.text?.includes('run')) abort.abort()
        return chunk
      })
    })
    expect(calls).toMatchObject([{ status: 'aborted' }])
  })

  test('a retry is another call; this client does not number its tries', async () => {
    const { calls } = await run(2, [playTooManyRequests, playGemini(script)], (client) =>
      client.models.generateContent({ ...question, config: { httpOptions: { retryOptions: { attempts: 2, initialDelay: 0.001 } } } }),
    )
    expect(calls).toMatchObject([{ status: 'error' }, whole])
  })

  test('an error in the middle of a stream', async () => {
    const { calls } = await run(1, playGemini({ ...script, ending: 'error' }), async (client) =>
      drained(await client.models.generateContentStream(question)),
    )
    expect(calls).toMatchObject([{ status: 'error', error: 'UNAVAILABLE' }])
  })

  test('a connection that breaks in the middle', async () => {
    const { calls } = await run(1, playGemini({ ...script, ending: 'cut' }), async (client) => {
      const { error } = await drained(await client.models.generateContentStream(question))
      return error
    })
    expect(calls).toMatchObject([{ status: 'error' }])
  })
})
