import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, type LanguageModel, streamText } from 'ai'
import { describe, expect, test } from 'vitest'
import { type Play, playChat, playMessages, playResponses, playTooManyRequests, type Script } from '../../src/testing.ts'
import { caught, drained, observe, type Place } from './observe.ts'

const script = { input: 60, output: 17 }
const prompt = 'How much is it?'
const usage = { input: 60, output: 17 }

interface Kind {
  readonly name: string
  readonly route: string
  readonly play: (script: Script) => Play
  readonly model: (place: Place) => LanguageModel
  readonly provider: string
}

const kinds: readonly Kind[] = [
  {
    name: '@ai-sdk/openai, responses',
    route: 'POST /v1/responses',
    play: playResponses,
    model: ({ url, fetch }) => createOpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch }).responses('gpt-4.1-mini'),
    provider: 'openai',
  },
  {
    name: '@ai-sdk/openai, chat',
    route: 'POST /v1/chat/completions',
    play: playChat,
    model: ({ url, fetch }) => createOpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch }).chat('gpt-4.1-mini'),
    provider: 'openai',
  },
  {
    name: '@ai-sdk/anthropic',
    route: 'POST /v1/messages',
    play: playMessages,
    model: ({ url, fetch }) => createAnthropic({ apiKey: 'k', baseURL: `${url}/v1`, fetch })('claude-sonnet-4-6'),
    provider: 'anthropic',
  },
]

/** Ids and times that the AI SDK makes itself differ from run to run. */
const stable = (part: object): object => {
  const { id: _, ...rest } = part as { id?: unknown }
  return JSON.parse(
    JSON.stringify(rest, (key, value) =>
      ['date', 'timestamp', 'headers', 'performance', 'messageId', 'callId'].includes(key) ? undefined : value,
    ),
  ) as object
}

describe.each(kinds)('ai 7 with $name: metered and unmetered are the same, and the event is right', ({ route, play, model, provider }) => {
  const run = (plays: Play | readonly Play[], scenario: (model: LanguageModel) => Promise<unknown>) =>
    observe(
      () => ({ [route]: [plays].flat() }),
      (place) => scenario(model(place)),
      { provider },
    )
  const whole = { provider, status: 'ok', quality: 'complete', usage }

  test('plain', async () => {
    const { events } = await run(play(script), async (model) => {
      const { text, usage, finishReason, warnings, response } = await generateText({ model, prompt })
      return { text, usage, finishReason, warnings, id: response.id, modelId: response.modelId }
    })
    expect(events).toMatchObject([whole])
  })

  test('stream: its text, its parts and its usage', async () => {
    const { events } = await run(play(script), async (model) => {
      const result = streamText({ model, prompt })
      return [await drained(result.fullStream, stable), await result.text, await result.usage]
    })
    expect(events).toMatchObject([whole])
  })

  test('stream: two readers of one answer', async () => {
    const { events } = await run(play(script), async (model) => {
      const result = streamText({ model, prompt })
      return Promise.all([drained(result.textStream), result.toTextStreamResponse().text()])
    })
    expect(events).toMatchObject([whole])
  })

  test('an abort in the middle', async () => {
    const { events } = await run(play({ ...script, ending: 'hang' }), async (model) => {
      const abort = new AbortController()
      const result = streamText({ model, prompt, abortSignal: abort.signal, onError: () => undefined })
      return drained(result.textStream, (text) => {
        if (text.includes('run')) abort.abort()
        return text
      })
    })
    expect(events).toMatchObject([{ status: 'aborted' }])
  })

  test('an early break', async () => {
    const { events } = await run(play({ ...script, pieces: 8 }), async (model) => {
      const reader = streamText({ model, prompt }).textStream.getReader()
      const first = await reader.read()
      await reader.cancel()
      return first
    })
    expect(events).toHaveLength(1)
  })

  test('a retry: the second try of the same prompt', async () => {
    const { events } = await run([playTooManyRequests, play(script)], async (model) => (await generateText({ model, prompt })).text)
    expect(events).toMatchObject([
      { status: 'error', error: '429', attempt: 0, usage: {} },
      { ...whole, attempt: 1 },
    ])
  })

  test('refused to the end', async () => {
    const { events } = await run(playTooManyRequests, (model) => caught(() => generateText({ model, prompt, maxRetries: 1 })))
    expect(events).toMatchObject([{ attempt: 0 }, { attempt: 1, error: '429' }])
  })

  test("an error in the middle of a stream is the provider's", async () => {
    const { events } = await run(play({ ...script, ending: 'error' }), async (model) => {
      const errors: string[] = []
      const result = streamText({ model, prompt, maxRetries: 0, onError: ({ error }) => void errors.push(JSON.stringify(error)) })
      return [await drained(result.fullStream, stable), errors]
    })
    expect(events).toMatchObject([{ status: 'error', error: expect.stringMatching(/server_error|overloaded_error/) }])
  })
})
