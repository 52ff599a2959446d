import { createOpenAI } from '@ai-sdk/openai'
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { describe, expect, test } from 'vitest'
import { type EventJson, TokenTracker } from '../../src/index.ts'
import { createPlayback, type Play, playChat } from '../../src/testing.ts'
import { collectingSender } from './observe.ts'

/** An answer that asks for a tool, whole or streamed. */
const askingFor =
  (name: string): Play =>
  ({ id, body }) => {
    const call = { id: `call_${id}`, type: 'function', function: { name, arguments: '{"order":7}' } }
    const base = { id: `chatcmpl-${id}`, created: 1, model: 'gpt-4.1-mini' }
    const usage = { prompt_tokens: 40, completion_tokens: 10, total_tokens: 50 }
    if (body.stream !== true) {
      const choices = [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'tool_calls' }]
      return { body: JSON.stringify({ ...base, object: 'chat.completion', choices, usage }) }
    }
    const chunk = (value: object) => `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', ...value })}\n\n`
    const delta = { role: 'assistant', content: null, tool_calls: [{ index: 0, ...call }] }
    return {
      headers: { 'content-type': 'text/event-stream' },
      chunks: [
        chunk({ choices: [{ index: 0, delta, finish_reason: null }] }),
        chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
        chunk({ choices: [], usage }),
        'data: [DONE]\n\n',
      ],
    }
  }

const follow = async (isStream: boolean, execute: () => unknown, step?: string) => {
  const events: EventJson[] = []
  const playback = createPlayback({ 'POST /v1/chat/completions': [askingFor('lookup'), playChat()] })
  const url = await playback.listen()
  await using tracker = new TokenTracker({ sender: collectingSender(events) })
  tracker.followAiSdk()
  tracker.followAiSdk()
  const model = createOpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch: tracker.fetch }).chat('gpt-4.1-mini')
  const inputSchema = jsonSchema<{ order: number }>({ type: 'object', properties: { order: { type: 'number' } } })
  const lookup = tool({ inputSchema, execute: async () => execute() })
  const given = { model, prompt: 'How much?', tools: { lookup }, stopWhen: stepCountIs(3) }
  await tracker.run({ task: 't' }, async (run) => {
    const ask = async () => (isStream ? await streamText(given).text : (await generateText(given)).text)
    await (step === undefined ? ask() : run.step(step, ask))
  })
  await tracker.flush()
  await playback.close()
  return events
    .filter(({ kind }) => kind !== 'run')
    .map(({ kind, step, tool, task, status, error }) => ({ kind, step, tool, task, status, error }))
}

const called = { kind: 'llm', task: 't', status: 'ok', tool: undefined, error: undefined }
const used = { kind: 'tool', tool: 'lookup', task: 't', status: 'ok', error: undefined }

describe("the AI SDK's own telemetry gives steps and tools, and no second count of tokens", () => {
  test.each([
    ['generateText', false],
    ['streamText', true],
  ])('%s', async (_, isStream) => {
    expect(await follow(isStream, () => ({ paid: true }))).toEqual([
      { ...called, step: 'step 1' },
      { ...used, step: 'step 1' },
      { ...called, step: 'step 2' },
    ])
  })

  test('a tool that throws is a failed call, and what it said is not kept', async () => {
    const events = await follow(false, () => {
      throw new RangeError('the secret prompt')
    })
    expect(events[1]).toEqual({ ...used, step: 'step 1', status: 'error', error: 'RangeError' })
  })

  test('a step that the user named stays', async () => {
    const events = await follow(false, () => 1, 'plan')
    expect(events.map(({ step }) => step)).toEqual(['plan', 'plan', 'plan'])
  })
})
