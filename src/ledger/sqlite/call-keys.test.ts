import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packedBytes, packLetters, splitKey, unpackLetters } from './call-keys.ts'

test('letters and digits come back from six bits each, whatever their number', () => {
  const letters = fc.stringMatching(/^[0-9A-Za-z]{1,40}$/)
  fc.assert(
    fc.property(letters, (text) => {
      const bytes = new Uint8Array(packedBytes(text.length))
      expect(packLetters(text, bytes, 0)).toBe(bytes.length)
      expect(unpackLetters(bytes)).toBe(text)
    }),
  )
})

test.each([
  ['openai:chatcmpl-CkX1a2b3C4d5', { prefix: 'openai:chatcmpl-', rest: 'CkX1a2b3C4d5', isPlain: true }],
  ['anthropic:msg_01AbCdEfGh', { prefix: 'anthropic:msg_', rest: '01AbCdEfGh', isPlain: true }],
  ['x:1', { prefix: '', rest: 'x:1', isPlain: false }],
  ['openai:größe', { prefix: '', rest: 'openai:größe', isPlain: false }],
  ['', { prefix: '', rest: '', isPlain: false }],
])('the key "%s" is kept as prefix and rest', (key, split) => {
  expect(splitKey(key)).toEqual(split)
})
