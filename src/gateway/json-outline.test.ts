import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createJsonOutline, type JsonOutline } from './json-outline.ts'

const outlineOf = (text: string, cuts: readonly number[] = [], valueBytesMax = 10_000): JsonOutline => {
  const outline = createJsonOutline({ valueBytesMax })
  const bytes = Buffer.from(text)
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right)
  let from = 0
  for (const place of [...places, bytes.length]) {
    outline.push(bytes.subarray(from, place))
    from = place
  }
  return outline
}

const manyCuts = fc.array(fc.nat(10_000), { maxLength: 12 })

describe('the outline of a JSON body', () => {
  it('has the same fields as the parsed body, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 12 }), fc.jsonValue(), { maxKeys: 8, noNullPrototype: true }),
        manyCuts,
        fc.boolean(),
        (body, cuts, isPretty) => {
          const text = JSON.stringify(body, null, isPretty ? 2 : 0)
          const outline = outlineOf(text, cuts)
          expect(outline.isWhole).toBe(true)
          expect(outline.fields()).toEqual(JSON.parse(text))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('says where a value stands, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), manyCuts, (first, second, cuts) => {
        const text = ` { "a" : ${JSON.stringify(first)}, "b":${JSON.stringify(second)} } `
        const outline = outlineOf(text, cuts)
        const bytes = Buffer.from(text)
        const range = outline.rangeOf('a')
        expect(JSON.parse(bytes.subarray(range?.start, range?.end).toString())).toEqual(JSON.parse(JSON.stringify(first)))
      }),
    )
  })

  it.each([
    ['an array', '[{"model":"x"}]'],
    ['a string', '"{}"'],
    ['a number', '12'],
    ['a form', '--boundary\r\ncontent-disposition: form-data; name="model"\r\n\r\n{"model":"x"}'],
    ['two objects', '{"model":"x"}{"model":"y"}'],
    ['a brace too many', '}{"model":"x"}'],
  ])('%s is not a JSON object', (_name, text) => {
    expect(outlineOf(text).isObject).toBe(false)
    expect(outlineOf(text).isWhole).toBe(false)
  })

  it('knows what it has seen of a body that is cut off', () => {
    const outline = outlineOf('{"model":"gpt-4.1","stream":true,"messages":[{"role":"us')
    expect(outline.isWhole).toBe(false)
    expect(outline.isObject).toBe(true)
    expect(outline.fields()).toEqual({ model: 'gpt-4.1', stream: true })
  })

  it('leaves out values that are longer than the limit and keeps those that are at it', () => {
    const at = `{"at":"${'x'.repeat(98)}","past":"${'x'.repeat(99)}","model":"m"}`
    for (const cuts of [[], [20, 60, 110, 200]]) {
      const outline = outlineOf(at, cuts, 100)
      expect(Object.keys(outline.fields())).toEqual(['at', 'model'])
      expect(outline.omitted).toEqual(['past'])
    }
  })

  it('a field named __proto__ stays a field', () => {
    const fields = outlineOf('{"__proto__":{"polluted":1},"model":"m"}').fields()
    expect(Object.keys(fields)).toEqual(['__proto__', 'model'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('counts a picture as media and a long text as text, also when a picture starts at the end of a piece', () => {
    const picture = `data:image/png;base64,${'iVBORw0KGgo+/A'.repeat(20_000)}`
    const prose = 'Words with spaces between them, as people write. '.repeat(2_000)
    const text = JSON.stringify({ model: 'm', a: picture, b: prose, c: 'short' })
    for (const cuts of [[], [30], [100, 65_000, 130_000]]) {
      const outline = outlineOf(text, cuts)
      expect(outline.mediaBytes).toBe(picture.length)
      expect(outline.textBytes).toBe(text.length - picture.length)
    }
  })
})
