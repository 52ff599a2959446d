import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { type EventJson, TokenTracker } from '../../src/index.ts'
import { createPlayback, playChat, playMessages } from '../../src/testing.ts'
import { drained } from '../clients/observe.ts'
import { openGateway } from './open-gateway.ts'

const script = { input: 120, output: 30 }

test('a call that the SDK and the gateway both see is charged once, and has what each of them knows', async () => {
  const playback = createPlayback({
    'POST /v1/chat/completions': playChat(script),
    'POST /openai/v1/chat/completions': playChat(script),
    'POST /v1/messages': playMessages(script),
  })
  const url = await playback.listen()
  const gateway = await openGateway({
    upstreams: [
      { name: 'openai', url, private: true },
      { name: 'groq', url: `${url}/openai`, private: true },
      { name: 'anthropic', url, private: true },
    ],
  })
  const tracker = new TokenTracker({
    agent: 'support-bot',
    sender: { send: (events: readonly EventJson[]) => gateway.intake.admit(events, { source: 'sdk' }), close: async () => undefined },
  })
  const clientAt = (path: string) => new OpenAI({ apiKey: 'k', baseURL: `${gateway.url}${path}`, fetch: tracker.fetch })
  const question = { model: 'gpt-4.1-mini', messages: [{ role: 'user' as const, content: 'How much?' }] }
  await tracker.run({ task: 'refund' }, async () => {
    await clientAt('/openai/v1').chat.completions.create(question)
    await drained(await clientAt('/groq/v1').chat.completions.create({ ...question, stream: true }))
    await new Anthropic({ apiKey: 'k', baseURL: `${gateway.url}/anthropic`, fetch: tracker.fetch }).messages.create({
      ...question,
      max_tokens: 50,
    })
  })
  await tracker.close()
  await gateway.gateway.close()
  const calls = await gateway.calls(3)
  expect(calls).toHaveLength(3)
  expect(calls.map(({ source, provider, agent, task, usage, run }) => ({ source, provider, agent, task, usage, run }))).toEqual(
    ['openai', 'groq', 'anthropic'].map((provider) => ({
      source: 'gateway',
      provider,
      agent: 'support-bot',
      task: 'refund',
      usage: script,
      run: expect.any(String),
    })),
  )
  await gateway.close()
  await playback.close()
})
