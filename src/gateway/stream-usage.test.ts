import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withUsageWish } from './ask-for-usage.ts'
import { createJsonOutline } from './json-outline.ts'
import type { HeldBody } from './request-body.ts'
import { createUsageChunkFilter, heldEventBytesMax } from './usage-chunk-filter.ts'

const heldOf = (text: string, isOutlined: boolean): HeldBody => {
  const chunks = [Buffer.from(text)]
  const outline = createJsonOutline({ valueBytesMax: 4_096 })
  for (const chunk of chunks) outline.push(chunk)
  const fields = isOutlined ? outline.fields() : (JSON.parse(text) as Record<string, unknown>)
  return {
    chunks,
    bytes: text.length,
    isWhole: true,
    fields,
    outline: isOutlined ? outline : undefined,
    textBytes: text.length,
    mediaBytes: 0,
  }
}
const wished = (text: string, isOutlined = false): string | undefined => {
  const pieces = withUsageWish(heldOf(text, isOutlined))
  return pieces && Buffer.concat(pieces).toString()
}

describe('the wish for usage', () => {
  it.each([
    ['is added in front', '{"model":"m","stream":true}', '{"stream_options":{"include_usage":true},"model":"m","stream":true}'],
    [
      'is added beside other options',
      '{"stream":true,"stream_options":{"include_obfuscation":false}}',
      '{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}',
    ],
    [
      'is added to no options',
      '{"stream":true,"stream_options": { } ,"n":1}',
      '{"stream":true,"stream_options": {"include_usage":true } ,"n":1}',
    ],
    ['takes the place of null', '{"stream":true,"stream_options":null}', '{"stream":true,"stream_options":{"include_usage":true}}'],
    [
      'leaves big numbers as they are',
      '{"seed":12345678901234567890,"stream":true}',
      '{"stream_options":{"include_usage":true},"seed":12345678901234567890,"stream":true}',
    ],
    [
      'is not confused by a tool that names it too',
      '{"tools":[{"stream_options":{}}],"stream_options":{"a":1},"stream":true}',
      '{"tools":[{"stream_options":{}}],"stream_options":{"include_usage":true,"a":1},"stream":true}',
    ],
  ])('%s', (_name, text, expected) => {
    expect(wished(text)).toBe(expected)
    expect(wished(text, true)).toBe(expected)
  })

  it.each([
    ['a body that has it', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['a body that does not want it', '{"stream":true,"stream_options":{"include_usage":false}}'],
    ['a body that asks for no stream', '{"model":"m"}'],
    ['a body that says stream as a text', '{"stream":"true"}'],
    ['options that are no table', '{"stream":true,"stream_options":"x"}'],
  ])('is not added to %s', (_name, text) => {
    expect(wished(text)).toBeUndefined()
    expect(wished(text, true)).toBeUndefined()
  })
})

const filtered = (text: string, cuts: readonly number[]): string => {
  const filter = createUsageChunkFilter()
  const bytes = Buffer.from(text)
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right)
  const out: Buffer[] = []
  let from = 0
  for (const place of [...places, bytes.length]) {
    out.push(...[filter.push(bytes.subarray(from, place))].flat())
    from = place
  }
  out.push(...filter.end())
  return Buffer.concat(out).toString()
}

const usageChunk = 'data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
const others = [
  'data: {"choices":[{"delta":{"content":"Hällo"}}],"usage":null}',
  'data: {"choices":[],"prompt_filter_results":[]}',
  'data: {"choices":[],"usage":null}',
  'data: {"choices":[{"delta":{"content":"\\"choices\\":[] \\"usage\\":{}"}}]}',
  ': a comment with "choices":[] and "usage":{}',
  'data: [DONE]',
  'event: x\ndata: {"choices":[{"finish_reason":"stop"}],\ndata: "usage":{"prompt_tokens":1}}',
  `data: {"choices":[],"usage":{"prompt_tokens":3},"padding":"${'x'.repeat(heldEventBytesMax)}"}`,
]

describe('the filter of usage chunks', () => {
  it('takes out exactly the chunks with usage and no choices, however the bytes are cut and the lines end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ text: fc.constantFrom(usageChunk, ...others), end: fc.constantFrom('\n\n', '\r\n\r\n', '\r\r') }), {
          maxLength: 12,
        }),
        fc.array(fc.nat(60_000), { maxLength: 20 }),
        fc.boolean(),
        (events, cuts, isCutOff) => {
          const print = (list: typeof events) => list.map(({ text, end }) => text + end).join('')
          const whole = print(events) + (isCutOff ? 'data: {"choices":[' : '')
          const kept = print(events.filter(({ text }) => text !== usageChunk)) + (isCutOff ? 'data: {"choices":[' : '')
          expect(filtered(whole, cuts)).toBe(kept)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('takes it out where spaces stand in it and where nothing follows it', () => {
    expect(filtered('data: {"choices" : [], "usage" : {"prompt_tokens": 3}}', [10])).toBe('')
  })

  it('gives every whole event at once', () => {
    const filter = createUsageChunkFilter()
    const event = Buffer.from(`${others[0]}\n\n`)
    expect(filter.push(event)).toEqual(event)
    expect(filter.push(event.subarray(0, 20))).toEqual([])
    expect(filter.push(event.subarray(20))).toEqual(event)
  })
})
