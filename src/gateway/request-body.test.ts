import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createJsonOutline } from './json-outline.ts'
import { createPromptHash, type HeldBody, likelyTokens, mostTokens } from './request-body.ts'

const held = (body: object, isOutlined: boolean, cut = 7): HeldBody => {
  const bytes = Buffer.from(JSON.stringify(body))
  const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)]
  const outline = createJsonOutline({ valueBytesMax: 100 })
  for (const chunk of chunks) outline.push(chunk)
  const fields = isOutlined ? outline.fields() : (JSON.parse(bytes.toString()) as Record<string, unknown>)
  return {
    chunks,
    bytes: bytes.length,
    isWhole: true,
    fields,
    outline: isOutlined ? outline : undefined,
    textBytes: bytes.length,
    mediaBytes: 0,
  }
}

/** What the SDK makes of the same body: HMAC-SHA-256 over the fields that hold a prompt, in one order. */
const expected = (key: string, body: Readonly<Record<string, unknown>>): string => {
  const text = ['system', 'messages', 'input']
    .map((field) => (body[field] === undefined ? '' : `${field}:${JSON.stringify(body[field])}\n`))
    .join('')
  return createHmac('sha256', key).update(text).digest('hex').slice(0, 32)
}

describe('the hash of a prompt', () => {
  it('is a plain HMAC, whether the body was parsed or followed, whatever the order of its fields and the length of the key', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
        fc.jsonValue(),
        fc.jsonValue(),
        fc.nat(12),
        (key, messages, system, cut) => {
          const body = { model: 'm', messages, stream: true, system }
          const hash = createPromptHash(key)
          expect(hash(held(body, false, cut))).toBe(expected(key, body))
          expect(hash(held(body, true, cut))).toBe(expected(key, body))
        },
      ),
    )
  })

  it('is right for a long prompt after a short one', () => {
    const hash = createPromptHash('key')
    for (const size of [10, 100_000, 20]) {
      const body = { messages: 'ä'.repeat(size) }
      expect(hash(held(body, false))).toBe(expected('key', body))
    }
  })

  it('is told by no one without the key, and there is none where there is no prompt', () => {
    const body = { messages: 'x' }
    expect(createPromptHash(undefined)(held(body, false))).not.toBe(createPromptHash(undefined)(held(body, false)))
    expect(createPromptHash('key')(held({ model: 'm' }, false))).toBeUndefined()
    expect(createPromptHash('key')({ ...held(body, false), isWhole: false })).toBeUndefined()
  })
})

it('more is set aside for a prompt than is likely, and a picture counts by its bytes in neither', () => {
  const text = { textBytes: 1_200, mediaBytes: 0 }
  expect([likelyTokens(text), mostTokens(text)]).toEqual([300, 400])
  expect(mostTokens({ textBytes: 300, mediaBytes: 1_600_000 })).toBe(100_100)
})
