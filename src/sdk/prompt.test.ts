import { describe, expect, test } from 'vitest'
import { createPromptHash, hashedCharsMax, promptBytesOf, promptOf } from './prompt.ts'

const messages = [{ role: 'user', content: 'What is my balance?' }]

describe('the hash of a prompt', () => {
  test('is the same for the same prompt, whatever else the request says and however it is spaced', () => {
    const one = promptOf({ model: 'a', messages, temperature: 1 })
    const two = promptOf(JSON.parse('{"temperature": 0, "messages": [ {"role":"user", "content":"What is my balance?"} ], "model": "b"}'))
    expect(one).toBe(two)
    expect(promptOf({ messages: [...messages, ...messages] })).not.toBe(one)
    expect(promptOf({ model: 'a' })).toBeUndefined()
  })

  test('is 16 bytes of an HMAC that only the same key makes', () => {
    const prompt = promptOf({ messages }) ?? ''
    const [left, right, random, other] = ['k', 'k', undefined, undefined].map((key) => createPromptHash(key)(prompt))
    expect(left).toMatch(/^[0-9a-f]{32}$/)
    expect(left).toBe(right)
    expect(new Set([left, random, other]).size).toBe(3)
  })
})

test('a prompt past the limit has no hash', () => {
  const hash = createPromptHash('k')
  expect(hash('x'.repeat(hashedCharsMax))).toBeDefined()
  expect(hash('x'.repeat(hashedCharsMax + 1))).toBeUndefined()
})

describe('the size of a prompt', () => {
  test('is that of its text in UTF-8, without pictures', () => {
    expect(promptBytesOf('messages:["abcé", "a \\"quote\\""]')).toBe(5 + 11)
    const picture = `data:image/png;base64,${'iVBORw0KGgo'.repeat(1_000)}`
    const prompt = promptOf({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: picture } }] }] }) ?? ''
    expect(promptBytesOf(prompt)).toBeLessThan(200)
  })
})
