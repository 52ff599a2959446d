import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createStreamReader, parseRecord, type RecordSink, recordsOf, recordText } from './stream-reader.ts'
import { nameOf } from './words.ts'

const collect = (pieces: readonly Uint8Array[], bytesMax?: number) => {
  const records: string[] = []
  const sink: RecordSink = {
    record: (text) => {
      records.push(text)
    },
    isDone: false,
    report: (flags) => ({ usage: {}, quality: 'missing', flags }),
  }
  const reader = createStreamReader(sink, bytesMax)
  for (const piece of pieces) reader.push(piece)
  return { records, flags: reader.end().flags }
}

const of = (text: string, bytesMax?: number) => collect([Buffer.from(text)], bytesMax)

/** An AWS event stream message; checksums are left at zero, since they are not read. */
const message = (headers: Readonly<Record<string, string>>, payload: string): Buffer => {
  const parts = Object.entries(headers).map(([name, value]) =>
    Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7, 0, value.length]), Buffer.from(value)]),
  )
  const head = Buffer.concat(parts)
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(16 + head.length + Buffer.byteLength(payload), 0)
  prelude.writeUInt32BE(head.length, 4)
  return Buffer.concat([prelude, head, Buffer.from(payload), Buffer.alloc(4)])
}

const streams: readonly { readonly name: string; readonly bytes: Buffer; readonly records: readonly string[] }[] = [
  { name: 'events', bytes: Buffer.from('data: {"a":1}\n\ndata: {"a":2}\n\n'), records: ['{"a":1}', '{"a":2}'] },
  { name: 'events without the space', bytes: Buffer.from('data:{"a":1}\n\n'), records: ['{"a":1}'] },
  { name: 'names, ids, comments', bytes: Buffer.from(': hi\nevent: x\nid: 7\nretry: 9\ndata: {"a":1}\n\n'), records: ['{"a":1}'] },
  { name: 'data over several lines', bytes: Buffer.from('data: {"a":\ndata: 1}\n\n'), records: ['{"a":\n1}'] },
  { name: 'mixed ends of lines', bytes: Buffer.from('data: 1\r\n\r\ndata: 2\r\rdata: 3\n\r\n'), records: ['1', '2', '3'] },
  { name: 'a byte order mark', bytes: Buffer.from('\ufeffdata: {"a":1}\n\n'), records: ['{"a":1}'] },
  { name: 'done without its empty line', bytes: Buffer.from('data: {"a":1}\n\ndata: [DONE]\n'), records: ['{"a":1}', '[DONE]'] },
  { name: 'a last event without its empty line', bytes: Buffer.from('data: {"a":1}\n\ndata: {"a":2}'), records: ['{"a":1}', '{"a":2}'] },
  { name: 'no data', bytes: Buffer.from('event: ping\n\ndata\n\ndata:\n\ndate: 1\n\n'), records: [] },
  { name: 'lines of JSON', bytes: Buffer.from('{"a":1}\n\n{"a":"}{"}\r\n{"a":3}'), records: ['{"a":1}', '{"a":"}{"}', '{"a":3}'] },
  { name: 'a printed array', bytes: Buffer.from('[{\n "a": "\\"]}"\n}\n,\n{"b": {}}]\n'), records: ['{\n "a": "\\"]}"\n}', '{"b": {}}'] },
  { name: 'one printed object', bytes: Buffer.from('\n\n{\n  "a": {"b": []}\n}\n'), records: ['{\n  "a": {"b": []}\n}'] },
  { name: 'objects in one line', bytes: Buffer.from('{"a":1}{"a":2} {"a":3}'), records: ['{"a":1}', '{"a":2}', '{"a":3}'] },
  {
    name: 'AWS messages',
    bytes: Buffer.concat([
      message({ ':event-type': 'metadata', ':message-type': 'event' }, '{"usage":{}}'),
      message({ ':event-type': 'chunk' }, `{"bytes":"${Buffer.from('{"type":"é"}').toString('base64')}","p":"x"}`),
      message({ ':exception-type': 'throttlingException' }, '{"message":"no"}'),
    ]),
    records: ['{"metadata":{"usage":{}}}', Buffer.from('{"type":"é"}').toString('latin1'), '{"error":{"type":"throttlingException"}}'],
  },
]

describe.each(streams)('$name', ({ bytes, records }) => {
  test('gives its records', () => {
    expect(collect([bytes]).records).toEqual(records)
  })

  test('gives the same records however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (places) => {
        const ends = [...new Set(places)].sort((left, right) => left - right)
        expect(collect([0, ...ends].map((place, index) => bytes.subarray(place, ends[index] ?? bytes.length))).records).toEqual(records)
      }),
    )
  })
})

describe('a record past the limit', () => {
  const long = `{"a":"${'x'.repeat(100)}"}`
  const limit = long.length

  test.each([
    ['an event', `data: ${long}\n\ndata: {"b":1}\n\n`, 6],
    ['an event over two lines', `data: ${long.slice(0, 50)}\ndata: ${long.slice(50)}\n\ndata: {"b":1}\n\n`, 1],
    ['a line of JSON', `{"c":1}\n${long}\n{"b":1}\n`, 0],
    ['a printed object', `[${long},\n{"b":1}]`, 0],
  ])('%s is read at the limit; past it it is passed over, flagged, and what follows is read', (_, text, more) => {
    expect(of(text, limit + more).flags).toEqual([])
    const past = of(text, limit - 1)
    expect(past.flags).toEqual(['stream-limit'])
    expect(past.records).toContain('{"b":1}')
    expect(past.records.join()).not.toContain('xxx')
    const cut = collect(
      Array.from(Buffer.from(text), (byte) => Buffer.from([byte])),
      limit - 1,
    )
    expect(cut).toEqual(past)
  })

  test('an AWS message is passed over without being kept', () => {
    const bytes = Buffer.concat([message({ ':event-type': 'a' }, long), message({ ':event-type': 'b' }, '{}')])
    expect(collect([bytes], 60)).toEqual({ records: ['{"b":{}}'], flags: ['stream-limit'] })
    expect(
      collect(
        Array.from(bytes, (byte) => Buffer.from([byte])),
        60,
      ),
    ).toEqual({ records: ['{"b":{}}'], flags: ['stream-limit'] })
  })
})

test('a page of HTML has no records, and that is flagged', () => {
  expect(of('<!doctype html>\n<p>Bad gateway</p>\n')).toEqual({ records: [], flags: ['malformed-chunk'] })
})

test('an empty stream is no malformed one', () => {
  expect(of('')).toEqual({ records: [], flags: [] })
  expect(of(' \r\n')).toEqual({ records: [], flags: [] })
})

test('an AWS message of impossible lengths ends the reading and is flagged', () => {
  const bad = Buffer.concat([message({ ':event-type': 'a' }, '{}'), Buffer.from([0, 0, 0, 5, 0, 0, 0, 9]), Buffer.alloc(40, 65)])
  expect(collect([bad])).toEqual({ records: ['{"a":{}}'], flags: ['malformed-chunk'] })
})

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }),
      fc.constantFrom('', '{', '[', 'data: ', '\0\0\0\x20'),
      (pieces, head) => {
        collect([Buffer.from(head, 'latin1'), ...pieces])
      },
    ),
  )
})

test('a long line in many small pieces is not searched again with each of them', () => {
  // Quadratic work on this many pieces would take minutes, and the test's own limit is seconds.
  const piece = Buffer.from('x'.repeat(100))
  const pieces = Array.from({ length: 50_000 }, () => piece)
  expect(collect([Buffer.from('data: "'), ...pieces, Buffer.from('"\n\n')]).records[0]).toHaveLength(5_000_002)
  expect(collect([Buffer.from('{"a":"'), ...pieces, Buffer.from('"}')]).records[0]).toHaveLength(5_000_008)
})

test('the records at the front of a stream are found without the rest', () => {
  expect(recordsOf(Buffer.from('data: 1\n\ndata: 2\n\ndata: 3\n\n'), 2)).toEqual(['1', '2'])
})

test('a record is JSON, one char per byte, and its names are decoded', () => {
  const record = parseRecord(Buffer.from('{"model":"größe 模型"}').toString('latin1'))
  expect(nameOf(record?.model)).toBe('größe 模型')
  expect(nameOf(parseRecord(recordText({ model: 'größe' }))?.model)).toBe('größe')
  expect([nameOf('größe'), nameOf('größe 模型'), nameOf('plain'), nameOf('two\nlines'), nameOf('x'.repeat(257))]).toEqual([
    'größe',
    'größe 模型',
    'plain',
    undefined,
    undefined,
  ])
  expect([parseRecord('[1]'), parseRecord('{'), parseRecord('null'), parseRecord('[DONE]')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
