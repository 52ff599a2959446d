import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI } from '@langchain/openai'
import { describe, expect, test } from 'vitest'
import { type Play, playChat, playMessages, playResponses, playTooManyRequests, type Script } from '../../src/testing.ts'
import { caught, drained, observe, type Place, taken } from './observe.ts'

const script = { input: 60, output: 17 }
const prompt = 'How much is it?'

const openai = ({ url, fetch }: Place, more: object = {}) =>
  new ChatOpenAI({ apiKey: 'k', model: 'gpt-4.1-mini', configuration: { baseURL: `${url}/v1`, fetch }, ...more })

interface Kind {
  readonly name: string
  readonly route: string
  readonly play: (script: Script) => Play
  readonly model: (place: Place) => ChatOpenAI | ChatAnthropic
  readonly provider: string
}

const kinds: readonly Kind[] = [
  { name: '@langchain/openai', route: 'POST /v1/chat/completions', play: playChat, model: (place) => openai(place), provider: 'openai' },
  {
    name: '@langchain/openai, responses',
    route: 'POST /v1/responses',
    play: playResponses,
    model: (place) => openai(place, { useResponsesApi: true }),
    provider: 'openai',
  },
  {
    name: '@langchain/anthropic',
    route: 'POST /v1/messages',
    play: playMessages,
    model: ({ url, fetch }) =>
      new ChatAnthropic({ apiKey: 'k', model: 'claude-sonnet-4-6', anthropicApiUrl: url, clientOptions: { fetch } }),
    provider: 'anthropic',
  },
]

/** Ids that LangChain makes itself differ from run to run. */
const stable = (message: object): object => JSON.parse(JSON.stringify(message).replaceAll(/run-[0-9a-f-]{36}/g, 'run')) as object

describe.each(kinds)('$name: metered and unmetered are the same, and the event is right', ({ route, play, model, provider }) => {
  const run = (plays: Play | readonly Play[], scenario: (model: ChatOpenAI | ChatAnthropic) => Promise<unknown>) =>
    observe(
      () => ({ [route]: [plays].flat() }),
      (place) => scenario(model(place)),
      { provider },
    )
  const whole = { provider, status: 'ok', quality: 'complete', usage: { input: 60, output: 17 } }

  test('plain', async () => {
    const { events } = await run(play(script), async (model) => stable(await model.invoke(prompt)))
    expect(events).toMatchObject([whole])
  })

  test('stream', async () => {
    const { events } = await run(play(script), async (model) => drained(await model.stream(prompt), stable))
    expect(events).toMatchObject([whole])
  })

  test('an early break', async () => {
    const { events } = await run(play({ ...script, pieces: 12 }), async (model) => (await taken(await model.stream(prompt), 3)).map(stable))
    expect(events).toMatchObject([{ status: 'aborted' }])
  })

  test('an abort in the middle', async () => {
    const { events } = await run(play({ ...script, ending: 'hang' }), async (model) => {
      const abort = new AbortController()
      return drained(await model.stream(prompt, { signal: abort.signal }), (chunk) => {
        if (chunk.text.includes('run')) abort.abort()
        return stable(chunk)
      })
    })
    expect(events).toMatchObject([{ status: 'aborted' }])
  })

  test("an error in the middle of a stream is the provider's", async () => {
    const { events } = await run(play({ ...script, ending: 'error' }), (model) =>
      caught(async () => {
        for await (const _ of await model.stream(prompt));
      }),
    )
    expect(events).toMatchObject([{ status: 'error', error: expect.stringMatching(/server_error|overloaded_error/) }])
  })
})

describe('@langchain/openai', () => {
  test('a stream that is told not to ask for usage is asked all the same, and does not see it', async () => {
    const { events } = await observe(
      () => ({ 'POST /v1/chat/completions': playChat(script) }),
      async (place) => drained(await openai(place, { streamUsage: false }).stream(prompt), stable),
      { provider: 'openai' },
    )
    expect(events).toMatchObject([{ quality: 'complete', usage: { input: 60, output: 17 } }])
  })

  // Once and not for each model: LangChain waits for more than a second before it tries again, and cannot be told otherwise.
  test('a retry: the second try of the same prompt', async () => {
    const { events } = await observe(
      () => ({ 'POST /v1/chat/completions': [playTooManyRequests, playChat(script)] }),
      async (place) => stable(await openai(place).invoke(prompt)),
      { provider: 'openai' },
    )
    expect(events).toMatchObject([
      { status: 'error', error: '429', attempt: 0, usage: {} },
      { status: 'ok', usage: { input: 60, output: 17 }, attempt: 1 },
    ])
  })
})
