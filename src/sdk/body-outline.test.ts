import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outlineOf, outlineValueCharsMax } from './body-outline.ts'

const outline = (value: unknown, space?: string) => outlineOf(JSON.stringify(value, undefined, space))

describe('the outline of a request', () => {
  test('small fields are read, and large ones are known by their text', () => {
    const messages = [{ role: 'user', content: 'word '.repeat(outlineValueCharsMax) }]
    const found = outline({
      model: 'm',
      messages,
      stream: true,
      system: 'x'.repeat(outlineValueCharsMax),
      options: { a: [1, null, false] },
    })
    expect(found?.fields).toEqual({ model: 'm', messages: [], stream: true, system: '', options: { a: [1, null, false] } })
    expect(JSON.parse(found?.large.messages ?? '')).toEqual(messages)
  })

  test('any object of small fields comes out as it went in, whatever stands in its strings and however it is spaced', () => {
    const odd = fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', '\n', 'é', 'a'), maxLength: 12 })
    const value = fc.dictionary(odd, fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), { maxKeys: 6 })
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, '  ', '\t'), (object, space) => {
        const text = JSON.stringify(object, undefined, space)
        expect(outlineOf(text)?.fields).toEqual(JSON.parse(text))
      }),
    )
  })

  test.each(['', '[]', '7', '{', '{"a"', '{"a":', '{"a":1', '{"a":"b', '{"a" 1}', '{a:1}', '{"a":1,}', '{"a":1}x', '{"a":tru}'])(
    '%s is none',
    (text) => {
      expect(outlineOf(text)).toBeUndefined()
    },
  )
})
