import { GoogleGenAI } from '@google/genai'
import { describe, expect, test } from 'vitest'
import { type Play, playGemini, playTooManyRequests } from '../../src/testing.ts'
import { caught, drained, observe, taken } from './observe.ts'

const script = { input: 70, cacheRead: 30, output: 21, reasoning: 44 }
const question = { model: 'gemini-2.5-flash', contents: 'How much is it?' }
const whole = {
  provider: 'google',
  model: 'gemini-2.5-flash',
  requestedModel: 'gemini-2.5-flash',
  status: 'ok',
  quality: 'complete',
  usage: { input: 70, cache_read: 30, output: 21, reasoning: 44 },
}

describe.each([
  ['the patched global fetch', 'global'],
  ['its own option', 'option'],
] as const)('google-genai through %s: metered and unmetered are the same, and the event is right', (_, through) => {
  const run = (play: Play | readonly Play[], scenario: (client: GoogleGenAI) => Promise<unknown>) =>
    observe(
      () => ({ 'POST /v1/models/*': [play].flat() }),
      ({ url, fetch }) => {
        const httpOptions = { baseUrl: url, ...(through === 'option' && { fetch }) }
        return scenario(new GoogleGenAI({ apiKey: 'test', httpOptions }))
      },
      { through },
    )

  test('plain', async () => {
    const { events } = await run(playGemini(script), (client) => client.models.generateContent(question))
    expect(events).toMatchObject([{ ...whole, callKey: 'google:played-1' }])
  })

  test('stream', async () => {
    const { events } = await run(playGemini(script), async (client) => drained(await client.models.generateContentStream(question)))
    expect(events).toMatchObject([whole])
  })

  test('an early break', async () => {
    const { events } = await run(playGemini({ ...script, ending: 'hang' }), async (client) =>
      taken(await client.models.generateContentStream(question), 1),
    )
    expect(events).toMatchObject([{ status: 'aborted', usage: { input: 70, cache_read: 30 } }])
  })

  test('an abort in the middle', async () => {
    const { events } = await run(playGemini({ ...script, ending: 'hang' }), async (client) => {
      const abort = new AbortController()
      const stream = await client.models.generateContentStream({ ...question, config: { abortSignal: abort.signal } })
      return drained(stream, (chunk) => {
        if (chunk.text?.includes('run')) abort.abort()
        return chunk
      })
    })
    expect(events).toMatchObject([{ status: 'aborted' }])
  })

  test('a retry', async () => {
    const { events } = await run([playTooManyRequests, playGemini(script)], (client) =>
      client.models.generateContent({ ...question, config: { httpOptions: { retryOptions: { attempts: 2, initialDelay: 0.001 } } } }),
    )
    expect(events).toMatchObject([
      { status: 'error', error: '429', attempt: 0 },
      { ...whole, attempt: 1 },
    ])
  })

  test('an error before and in the middle of a stream', async () => {
    const { events } = await run([playTooManyRequests, playGemini({ ...script, ending: 'error' })], async (client) => [
      await caught(() => client.models.generateContentStream(question)),
      await drained(await client.models.generateContentStream({ ...question, contents: 'And now?' })),
    ])
    expect(events).toMatchObject([
      { status: 'error', error: '429' },
      { status: 'error', error: 'UNAVAILABLE' },
    ])
  })

  test('a connection that breaks in the middle', async () => {
    const { events } = await run(playGemini({ ...script, ending: 'cut' }), async (client) => {
      const { error } = await drained(await client.models.generateContentStream(question))
      return error
    })
    expect(events).toMatchObject([{ status: 'error' }])
  })
})
