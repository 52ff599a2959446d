import { describe, expect, test } from 'vitest'
import { dialectNamed } from './dialects.ts'
import { readUsage } from './read-usage.ts'

test('what the caller knows of the prompt stands in where a stream does not tell', () => {
  const records = ['{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"Hello there, Anna :)"}}]}', '[DONE]']
  const told = readUsage({
    dialect: 'openai-chat',
    provider: 'openai',
    inputEstimate: 12,
    stream: records.map((record) => `data: ${record}\n\n`).join(''),
  })
  expect(told).toMatchObject({ usage: { input: 12, output: 5 }, quality: 'estimated', flags: [] })
})

test('ten megabytes in one answer are read', () => {
  const usage = {
    input_tokens: 6,
    input_tokens_details: { cached_tokens: 2, cache_write_tokens: 3 },
    output_tokens: 9,
    output_tokens_details: { reasoning_tokens: 5 },
    total_tokens: 15,
  }
  const answer = { id: 'r', object: 'response', model: 'm', output: [{ result: 'A'.repeat(10_000_000) }], usage }
  const event = Buffer.from(`data: ${JSON.stringify({ type: 'response.completed', response: answer })}\n\n`)
  const reader = dialectNamed('openai-responses')?.createReader({ provider: 'openai' })
  for (let at = 0; at < event.length; at += 16_384) reader?.push(event.subarray(at, at + 16_384))
  expect(reader?.end()).toMatchObject({
    quality: 'complete',
    usage: { input: 1, cache_read: 2, cache_write_5m: 3, output: 4, reasoning: 5 },
  })
})

describe('one function reads every form', () => {
  test.each([
    [{}, 'malformed'],
    [{ dialect: 'openai-chat' }, 'malformed'],
    [{ body: 'text' }, 'malformed'],
    [{ stream: '' }, 'malformed'],
    [{ rawUsage: 7 }, 'malformed'],
    [{ dialect: 'klingon', body: {} }, 'unknown-dialect'],
    [{ body: { hello: 'world' } }, 'unknown-dialect'],
    [{ rawUsage: { hello: 1 } }, 'unknown-dialect'],
    [{ stream: 'hello world' }, 'unknown-dialect'],
  ])('%j is %s', (source, failure) => {
    expect(readUsage(source)).toEqual({ failure })
  })

  test('a dialect that was named is not said to be recognised', () => {
    const body = { object: 'chat.completion', usage: { prompt_tokens: 1, completion_tokens: 2 } }
    expect(readUsage({ dialect: 'openai-chat', body })).toMatchObject({
      dialect: 'openai-chat',
      recognised: false,
      usage: { input: 1, output: 2 },
    })
    expect(readUsage({ body })).toMatchObject({ dialect: 'openai-chat', recognised: true })
  })
  test.each([{ body: { usage: {} } }, { body: { model: 'm', usage: null } }, { rawUsage: {} }])(
    '%j tells no usage, and is read as an answer whose usage is missing',
    (source) => {
      expect(readUsage(source)).toMatchObject({ dialect: 'openai-chat', recognised: true, usage: {}, quality: 'missing' })
    },
  )
})
