import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createUsageChunkFilter, heldBytesMax, withStreamUsage } from './stream-usage.ts'

const filtered = (text: string, cuts: readonly number[] = []): string => {
  const bytes = Buffer.from(text)
  const filter = createUsageChunkFilter()
  const out: Uint8Array[] = []
  let from = 0
  for (const cut of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((left, right) => left - right)) {
    // The memory of a chunk is the caller's once it was given: what is held back must not live in it.
    const chunk = new Uint8Array(bytes.subarray(from, cut))
    out.push(...filter.push(chunk).map((part) => part.slice()))
    chunk.fill(33)
    from = cut
  }
  return Buffer.concat([...out, ...filter.end()]).toString()
}

const delta = (content: string) =>
  `data: {"id":"c","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}],"usage":null,"x":1}`
const unasked = (event: string) => event.replace(',"usage":null', '')
const usage = 'data: {"id":"c","choices": [ ],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
const prefilter = 'data: {"id":"","choices":[],"prompt_filter_results":[]}'

describe('the usage chunk that we asked for', () => {
  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('is taken out and nothing else, with lines that end in %s, however the bytes are cut', (_, eol) => {
    const stream = (events: readonly string[]) => events.map((event) => event + eol + eol).join('')
    const events = [': keep-alive', prefilter, delta('hé'), delta(' "choices":[] ,"usage":null} '), usage, 'data: [DONE]']
    const expected = stream(events.filter((event) => event !== usage).map(unasked))
    expect(filtered(stream(events))).toBe(expected)
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { maxLength: 30 }), (cuts) => {
        expect(filtered(stream(events), cuts)).toBe(expected)
      }),
    )
    const everyByte = Array.from({ length: Buffer.byteLength(stream(events)) }, (_unused, index) => index)
    expect(filtered(stream(events), everyByte)).toBe(expected)
  })

  test('is taken out when the stream ends without an empty line', () => {
    expect(filtered(`${delta('a')}\n\n${usage}`)).toBe(`${unasked(delta('a'))}\n\n`)
    expect(filtered(`${delta('a')}\n\n${usage}\n`)).toBe(`${unasked(delta('a'))}\n\n`)
  })

  test('any text that is not such a chunk comes through byte by byte as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\n', '\r', 'data:', ' ', '{', '"usage"', 'é'), maxLength: 40 }),
        fc.array(fc.nat(200)),
        (text, cuts) => {
          expect(filtered(text, cuts)).toBe(text)
        },
      ),
    )
  })

  test('whole events are given on at once; only an incomplete one waits', () => {
    const filter = createUsageChunkFilter()
    const given = filter.push(Buffer.from(`${delta('a')}\n\ndata: {"id`))
    expect(Buffer.concat([...given]).toString()).toBe(`${unasked(delta('a'))}\n\n`)
  })

  test('an event longer than the limit is given on before its end, and the usage chunk after it is still found', () => {
    const long = delta('x'.repeat(heldBytesMax * 2))
    const filter = createUsageChunkFilter()
    const [first = new Uint8Array()] = filter.push(Buffer.from(long.slice(0, heldBytesMax + 1)))
    expect(first.byteLength).toBe(heldBytesMax + 1)
    const stream = `${long}\n\n${usage}\n\ndata: [DONE]\n\n`
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        expect(filtered(stream, [...cuts, long.length + 1])).toBe(`${long}\n\ndata: [DONE]\n\n`)
      }),
      { numRuns: 20 },
    )
  })
})

describe('asking for usage', () => {
  const asked = (text: string) => withStreamUsage(text, JSON.parse(text))

  test('adds the option and leaves the rest of the text as it was', () => {
    const text = ' {"model":"m","seed":12345678901234567890,"stream":true,"messages":[]}'
    expect(asked(text)).toBe(
      ' {"stream_options":{"include_usage":true},"model":"m","seed":12345678901234567890,"stream":true,"messages":[]}',
    )
  })

  test.each([
    [
      'beside another option',
      '{"stream":true,"stream_options":{"include_obfuscation":false}}',
      '{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
    ],
    ['in an empty one', '{"stream":true,"stream_options" : {}}', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['in place of null', '{"stream_options":null,"stream":true}', '{"stream_options":{"include_usage":true},"stream":true}'],
  ])('%s', (_, text, expected) => {
    expect(asked(text)).toBe(expected)
  })

  test.each([
    ['the caller asks for it', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['the caller declines it', '{"stream":true,"stream_options":{"include_usage":false}}'],
    ['it is no stream', '{"model":"m"}'],
    ["the option is named twice and one may be a tool's", '{"tools":[{"stream_options":{}}],"stream":true,"stream_options":{"a":1}}'],
  ])('nothing is added when %s', (_, text) => {
    expect(asked(text)).toBeUndefined()
  })

  test('text inside a message that looks like the option is not touched', () => {
    const text = '{"stream":true,"messages":[{"content":"\\"stream_options\\":{ and $& and {"}],"stream_options":{"a":1}}'
    const result = asked(text)
    expect(JSON.parse(result ?? '{}')).toEqual({ ...JSON.parse(text), stream_options: { include_usage: true, a: 1 } })
  })
})
