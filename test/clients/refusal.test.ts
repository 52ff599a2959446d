import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, streamText } from 'ai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { BudgetExceededError, type EventJson, TokenTracker } from '../../src/index.ts'
import { createPlayback, playChat, playGemini, playMessages, playOllama, playResponses, type Routes } from '../../src/testing.ts'
import { caught, collectingSender, type Place } from './observe.ts'

const model = 'gpt-4.1-mini'
const prompt = 'How much is it?'
const messages = [{ role: 'user' as const, content: prompt }]
const claude = { model: 'claude-sonnet-4-6', max_tokens: 50, messages }

/** One call of each client, its retries as they are out of the box. */
const calls: readonly (readonly [string, (place: Place) => () => Promise<unknown>])[] = [
  [
    'openai, chat completions',
    ({ url, fetch }) => {
      const client = new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch })
      return () => client.chat.completions.create({ model, messages })
    },
  ],
  [
    'openai, a stream of chat completions',
    ({ url, fetch }) => {
      const client = new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch })
      return async () => {
        for await (const _ of await client.chat.completions.create({ model, messages, stream: true }));
      }
    },
  ],
  [
    'openai, responses',
    ({ url, fetch }) => {
      const client = new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch })
      return () => client.responses.create({ model, input: prompt })
    },
  ],
  [
    'anthropic',
    ({ url, fetch }) => {
      const client = new Anthropic({ apiKey: 'k', baseURL: url, fetch })
      return () => client.messages.create(claude)
    },
  ],
  [
    'anthropic, its stream helper',
    ({ url, fetch }) => {
      const client = new Anthropic({ apiKey: 'k', baseURL: url, fetch })
      return () => client.messages.stream(claude).finalMessage()
    },
  ],
  [
    'google-genai',
    ({ url, fetch }) => {
      const client = new GoogleGenAI({
        apiKey: 'k',
        httpOptions: { baseUrl: url, fetch, retryOptions: { attempts: 3, initialDelay: 0.001 } },
      })
      return () => client.models.generateContent({ model: 'gemini-2.5-flash', contents: prompt })
    },
  ],
  [
    'ollama',
    ({ url, fetch }) => {
      const client = new Ollama({ host: url, fetch })
      return () => client.chat({ model: 'llama3.2', messages })
    },
  ],
  [
    'ai with @ai-sdk/openai',
    ({ url, fetch }) => {
      const provider = createOpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch })
      return () => generateText({ model: provider(model), prompt })
    },
  ],
  [
    'ai with @ai-sdk/anthropic',
    ({ url, fetch }) => {
      const provider = createAnthropic({ apiKey: 'k', baseURL: `${url}/v1`, fetch })
      return () => generateText({ model: provider('claude-sonnet-4-6'), prompt })
    },
  ],
  [
    '@langchain/openai',
    ({ url, fetch }) => {
      const chat = new ChatOpenAI({ apiKey: 'k', model, configuration: { baseURL: `${url}/v1`, fetch } })
      return () => chat.invoke(prompt)
    },
  ],
  [
    '@langchain/anthropic',
    ({ url, fetch }) => {
      const chat = new ChatAnthropic({ apiKey: 'k', model: 'claude-sonnet-4-6', anthropicApiUrl: url, clientOptions: { fetch } })
      return () => chat.invoke(prompt)
    },
  ],
]

const routes: Routes = {
  'POST /v1/chat/completions': playChat(),
  'POST /v1/responses': playResponses(),
  'POST /v1/messages': playMessages(),
  'POST /v1/models/*': playGemini(),
  'POST /api/chat': playOllama(),
}

const withPlace = async (work: (place: Place, sent: () => number, events: readonly EventJson[]) => Promise<void>) => {
  const events: EventJson[] = []
  const playback = createPlayback(routes)
  const url = await playback.listen()
  const tracker = new TokenTracker({ sender: collectingSender(events, '0.01'), onWarning: () => undefined })
  try {
    await work({ url, fetch: tracker.fetch, tracker }, () => playback.requests.length, events)
  } finally {
    await tracker.close()
    await playback.close()
  }
}

describe('a spent budget refuses the next call before it is sent, and no client tries again', () => {
  test.each(calls)('%s', async (_, make) => {
    await withPlace(async (place, sent, events) => {
      const call = make(place)
      let refused: unknown
      const error = await place.tracker
        .run({ task: 'refund', budgetUsd: 0.01, onBudget: 'stop' }, async () => {
          await call()
          refused = await call().catch((error: unknown) => error)
          throw refused
        })
        .catch((error: unknown) => error)
      expect(sent()).toBe(1)
      expect(place.tracker.stats()).toMatchObject({ refused: 1, metered: 1, budgetCrossings: 1 })
      // What the client made of it can be recognised where it is thrown, and the run rejects with the refusal itself.
      expect(BudgetExceededError.of(refused)).toMatchObject({ code: 'BUDGET_EXCEEDED', limit: '0.010000000000', spent: '0.010000000000' })
      expect(error).toBeInstanceOf(BudgetExceededError)
      expect(error).toMatchObject({ cause: refused, budget: expect.stringMatching(/^run [0-9a-f-]{36}$/) })
      expect((error as Error).message).toMatch(
        /^BUDGET_EXCEEDED: Budget "run [0-9a-f-]{36}" is spent: \$0\.01 of \$0\.01\. Raise its budgetUsd or end the run\.$/,
      )
      await place.tracker.flush()
      expect(events.at(-1)).toMatchObject({
        kind: 'run',
        phase: 'end',
        status: 'error',
        stopReason: 'budget_exceeded',
        budgetUsd: '0.010000000000',
      })
    })
  })

  test('ai, a stream: the refusal is the error that the stream tells of', async () => {
    await withPlace(async ({ url, fetch, tracker }, sent) => {
      const provider = createOpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch })
      const errors: unknown[] = []
      await tracker.run({ budgetUsd: 0, onBudget: 'stop' }, () =>
        streamText({ model: provider(model), prompt, onError: ({ error }) => void errors.push(error) }).consumeStream(),
      )
      expect(sent()).toBe(0)
      expect(errors.map((error) => BudgetExceededError.of(error)?.code)).toEqual(['BUDGET_EXCEEDED'])
    })
  })

  test('the error of an agent that wraps the refusal stays its own, and the run still says why it stopped', async () => {
    await withPlace(async ({ url, fetch, tracker }, _, events) => {
      const client = new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch })
      const mine = await caught(() =>
        tracker.run({ budgetUsd: 0, onBudget: 'stop' }, async () => {
          try {
            await client.chat.completions.create({ model, messages })
          } catch (cause) {
            throw new RangeError('the agent gave up', { cause })
          }
        }),
      )
      expect(mine).toMatchObject({ class: 'RangeError', message: 'the agent gave up' })
      await tracker.flush()
      expect(events.at(-1)).toMatchObject({ stopReason: 'budget_exceeded' })
    })
  })
})
