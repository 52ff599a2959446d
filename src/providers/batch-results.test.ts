import { expect, test } from 'vitest'
import { readUsage } from './read-usage.ts'

const chat = (model: string, prompt: number, cached = 0) => ({
  id: `chatcmpl-${prompt}`,
  object: 'chat.completion',
  model,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: {
    prompt_tokens: prompt,
    completion_tokens: 10,
    total_tokens: prompt + 10,
    prompt_tokens_details: { cached_tokens: cached },
  },
  service_tier: 'default',
})
const openaiLine = (body: unknown) => ({
  id: 'batch_req_1',
  custom_id: 'request-1',
  response: { status_code: 200, request_id: 'req_1', body },
  error: null,
})
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  content: [],
  usage: { input_tokens: 11, cache_read_input_tokens: 5, output_tokens: 36, service_tier: 'batch' },
}
const generated = {
  candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 29, totalTokenCount: 38 },
  modelVersion: 'gemini-2.5-flash',
}

test.each([
  ['OpenAI', 'openai', openaiLine(chat('gpt-4.1', 100, 40)), 'openai-chat', { input: 60, cache_read: 40, output: 10 }],
  [
    'a server that leaves the envelope out',
    'fireworks',
    { custom_id: 'r', response: chat('m', 100) },
    'openai-chat',
    { input: 100, output: 10 },
  ],
  [
    'Anthropic',
    'anthropic',
    { custom_id: 'r', result: { type: 'succeeded', message } },
    'anthropic-messages',
    { input: 11, cache_read: 5, output: 36 },
  ],
  ['Gemini', 'google', { key: 'r', response: generated }, 'gemini', { input: 9, output: 29 }],
  [
    'Vertex',
    'vertex',
    { status: '', processed_time: '2026-11-22T10:00:00Z', request: { contents: [] }, response: generated },
    'gemini',
    { input: 9, output: 29 },
  ],
  [
    'Bedrock',
    'bedrock',
    { modelInput: { prompt: 'secret' }, modelOutput: { ...message, usage: { input_tokens: 11, output_tokens: 36 } }, recordId: 'REC1' },
    'anthropic-messages',
    { input: 11, output: 36 },
  ],
])('a line of the results of %s is an answer of the tier "batch"', (_name, provider, body, dialect, usage) => {
  expect(readUsage({ provider, body })).toMatchObject({ dialect, recognised: true, quality: 'complete', tier: 'batch', usage })
  expect(readUsage({ provider, body, dialect })).toMatchObject({ tier: 'batch', usage })
  expect(readUsage({ provider, stream: `${JSON.stringify(body)}\n` })).toMatchObject({ tier: 'batch', usage })
})

test.each([
  ['OpenAI', 'openai', { custom_id: 'r', response: null, error: { code: 'batch_expired', message: 'secret' } }, 'batch_expired'],
  [
    'OpenAI, refused',
    'openai',
    openaiLine({ error: { message: 'secret', type: 'invalid_request_error', code: null } }),
    'invalid_request_error',
  ],
  [
    'Anthropic',
    'anthropic',
    { custom_id: 'r', result: { type: 'errored', error: { type: 'error', error: { type: 'invalid_request_error', message: 'secret' } } } },
    'invalid_request_error',
  ],
  ['Anthropic, expired', 'anthropic', { custom_id: 'r', result: { type: 'expired' } }, 'expired'],
  ['Gemini', 'google', { key: 'r', error: { code: 400, message: 'secret' } }, '400'],
  ['Bedrock', 'bedrock', { recordId: 'R', modelInput: {}, error: { errorCode: 500, errorMessage: 'secret' } }, '500'],
])('a line of %s that failed used nothing, and says why in a word', (_name, provider, body, error) => {
  const read = readUsage({ provider, body })
  expect(read).toMatchObject({ usage: {}, error })
  expect(JSON.stringify(read)).not.toContain('secret')
})

test('a whole file is the sum of its answers, each model apart', () => {
  const lines = [
    openaiLine(chat('gpt-4.1', 100, 40)),
    { custom_id: 'r', response: null, error: { code: 'batch_expired', message: 'x' } },
    openaiLine(chat('gpt-4.1-mini', 7)),
    openaiLine(chat('gpt-4.1', 200)),
  ]
  expect(readUsage({ provider: 'openai', stream: lines.map((line) => `${JSON.stringify(line)}\n`).join('') })).toMatchObject({
    quality: 'complete',
    model: 'gpt-4.1',
    tier: 'batch',
    usage: { input: 260, cache_read: 40, output: 20 },
    also: [{ model: 'gpt-4.1-mini', tier: 'batch', usage: { input: 7, output: 10 } }],
  })
})

test('a file of which one line cannot be read is not summed', () => {
  const stream = `${JSON.stringify(openaiLine(chat('gpt-4.1', 100)))}\n${JSON.stringify(openaiLine({ hello: 'world' }))}\n`
  expect(readUsage({ provider: 'openai', stream })).toEqual({ failure: 'unknown-dialect' })
})
