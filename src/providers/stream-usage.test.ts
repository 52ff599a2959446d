import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createUsageFilter, heldEventBytesMax, usageWishOf } from './stream-usage.ts'

const filtered = (text: string, cuts: readonly number[] = [], nulls = true): string => {
  const bytes = Buffer.from(text)
  const filter = createUsageFilter({ nulls })
  const out: Buffer[] = []
  let from = 0
  for (const cut of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((left, right) => left - right)) {
    // The memory of a chunk is the caller's once it was given: what is held back must not live in it.
    const chunk = Buffer.from(bytes.subarray(from, cut))
    const kept = filter.push(chunk)
    if (kept !== undefined) out.push(Buffer.from(kept))
    chunk.fill(33)
    from = cut
  }
  return Buffer.concat([...out, filter.end() ?? Buffer.alloc(0)]).toString()
}

const delta = (content: string) =>
  `data: {"id":"c","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}],"usage":null,"x":1}`
const unasked = (event: string) => event.replace(/,\s*"usage" ?: ?null(?=[,}])/, '')
const usage = 'data: {"id":"c","choices": [ ],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
const prefilter = 'data: {"id":"","choices":[],"prompt_filter_results":[]}'
const isUsage = (event: string): boolean => event === usage
/** Events that stay, but for what `unasked` takes out of them. */
const others = [
  delta('hé'),
  delta(' "choices":[] ,"usage":null} '),
  prefilter,
  ': keep-alive',
  ': a comment with "choices":[] and "usage":{}',
  'data: {"choices":[],"usage" : null}',
  'data: {"choices":[{"delta":{"content":"\\"choices\\":[] \\"usage\\":{}"}}]}',
  'data: {"object":"usage","choices":[{"delta":{}}],"usage":{"prompt_tokens":3}}',
  'data: {"object":"usage","choices":[{"delta":{}}] ,\t"usage":null}',
  'event: x\ndata: {"choices":[{"finish_reason":"stop"}],\ndata: "usage":{"prompt_tokens":1}}',
  `data: {"choices":[],"usage":{"prompt_tokens":3},"padding":"${'x'.repeat(heldEventBytesMax)}"}`,
  'data: [DONE]',
]

describe('the usage that we asked for', () => {
  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('is taken out and nothing else, with lines that end in %s, at every place where the bytes can be cut', (_, eol) => {
    const stream = (events: readonly string[]) => events.map((event) => event + eol + eol).join('')
    const events = [': keep-alive', prefilter, delta('hé'), delta(' "choices":[] ,"usage":null} '), usage, 'data: [DONE]']
    const expected = stream(events.filter((event) => !isUsage(event)).map(unasked))
    const bytes = Buffer.byteLength(stream(events))
    for (let cut = 0; cut <= bytes; cut++) expect(filtered(stream(events), [cut])).toBe(expected)
    expect(
      filtered(
        stream(events),
        Array.from({ length: bytes }, (_unused, index) => index),
      ),
    ).toBe(expected)
  })

  test('whatever else is in the stream, however it is cut, and where it breaks off', () => {
    const event = fc.record({ text: fc.constantFrom(usage, ...others), end: fc.constantFrom('\n\n', '\r\n\r\n', '\r\r') })
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 12 }),
        fc.array(fc.nat(60_000), { maxLength: 20 }),
        fc.boolean(),
        fc.boolean(),
        (events, cuts, isBroken, nulls) => {
          const print = (list: typeof events) => list.map(({ text, end }) => text + end).join('')
          const rest = isBroken ? 'data: {"choices":[' : ''
          const kept = events.filter(({ text }) => !isUsage(text)).map(({ text, end }) => ({ text: nulls ? unasked(text) : text, end }))
          expect(filtered(print(events) + rest, cuts, nulls)).toBe(print(kept) + rest)
        },
      ),
      { numRuns: 400 },
    )
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

  test('whole events are given on at once, in the memory that they came in; only an incomplete one waits', () => {
    const filter = createUsageFilter({ nulls: true })
    expect(filter.push(Buffer.from(`${delta('a')}\n\ndata: {"id`))?.toString()).toBe(`${unasked(delta('a'))}\n\n`)
    expect(filter.push(Buffer.from('":1}\n\n'))?.toString()).toBe('data: {"id":1}\n\n')
    const whole = Buffer.from('data: {"choices":[{}]}\n\n')
    expect(filter.push(whole)).toBe(whole)
    expect(filter.push(whole.subarray(0, 9))).toBeUndefined()
  })

  test('an event longer than the limit is given on before its end, and the usage after it is still found', () => {
    const long = delta('x'.repeat(heldEventBytesMax * 2))
    const filter = createUsageFilter()
    expect(filter.push(Buffer.from(long.slice(0, heldEventBytesMax + 1)))?.length).toBe(heldEventBytesMax + 1)
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
  const asked = (text: string): string | undefined => {
    const splice = usageWishOf(text, JSON.parse(text))
    return splice && text.slice(0, splice.start) + splice.text + text.slice(splice.end)
  }

  test.each([
    [
      'in front, and leaves big numbers and spaces as they are',
      ' {"model":"m","seed":12345678901234567890, "stream":true}',
      ' {"stream_options":{"include_usage":true},"model":"m","seed":12345678901234567890, "stream":true}',
    ],
    [
      'beside another option',
      '{"stream":true,"stream_options":{"include_obfuscation":false}}',
      '{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
    ],
    [
      'in empty options',
      '{"stream":true,"stream_options" : { } ,"n":1}',
      '{"stream":true,"stream_options" : {"include_usage":true } ,"n":1}',
    ],
    ['in place of null', '{"stream_options":null,"stream":true}', '{"stream_options":{"include_usage":true},"stream":true}'],
    [
      'beside a tool that has such a field too',
      '{"tools":[{"stream_options":{}}],"stream_options":{"a":1},"stream":true}',
      '{"tools":[{"stream_options":{}}],"stream_options":{"include_usage":true,"a":1},"stream":true}',
    ],
    [
      'beside a message that looks like it',
      '{"stream":true,"messages":[{"content":"\\"stream_options\\":{ and $& and {"}],"stream_options":{"a":1}}',
      '{"stream":true,"messages":[{"content":"\\"stream_options\\":{ and $& and {"}],"stream_options":{"include_usage":true,"a":1}}',
    ],
  ])('adds the option %s', (_, text, expected) => {
    expect(asked(text)).toBe(expected)
  })

  test.each([
    ['the caller asks for it', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['the caller declines it', '{"stream":true,"stream_options":{"include_usage":false}}'],
    ['it is no stream', '{"model":"m"}'],
    ['the stream is asked for in a text', '{"stream":"true"}'],
    ['the options are no table', '{"stream":true,"stream_options":"x"}'],
  ])('adds nothing when %s', (_, text) => {
    expect(asked(text)).toBeUndefined()
  })

  test('any request for a stream says the same as before, and asks for usage', () => {
    const options = fc.option(fc.dictionary(fc.constantFrom('a', 'b', 'stream_options'), fc.jsonValue({ maxDepth: 2 })), { nil: null })
    const request = fc.record({ messages: fc.jsonValue(), stream_options: options, tools: fc.jsonValue() }, { requiredKeys: [] })
    fc.assert(
      fc.property(request, fc.constantFrom(undefined, ' ', '\t'), (given, space) => {
        const body = JSON.parse(JSON.stringify({ ...given, stream: true })) as Record<string, unknown>
        const text = JSON.stringify(body, undefined, space)
        const bytes = Buffer.from(text).toString('latin1')
        const splice = usageWishOf(bytes, body)
        const result = splice && bytes.slice(0, splice.start) + splice.text + bytes.slice(splice.end)
        expect(JSON.parse(Buffer.from(result ?? '', 'latin1').toString())).toEqual({
          ...body,
          stream_options: { ...(body.stream_options as object | null), include_usage: true },
        })
      }),
    )
  })
})
