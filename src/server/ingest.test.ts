import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { eventId, modelCall, testServer } from '../../test/server/test-server.ts'
import type { IngestAnswer, RunsAnswer } from './api.ts'

const lines = (...values: unknown[]) => values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n')
const ndjson = { 'content-type': 'application/x-ndjson' }
const json = { 'content-type': 'application/json' }

describe('a body', () => {
  test.each<[string, unknown, Record<string, string>]>([
    ['a JSON array', [modelCall(1), modelCall(2)], json],
    ['NDJSON', lines(modelCall(1), modelCall(2)), ndjson],
    ['NDJSON with empty lines and Windows endings', `\r\n${lines(modelCall(1), '', modelCall(2))}\r\n\n`, ndjson],
    ['NDJSON that is called JSON', lines(modelCall(1), modelCall(2)), json],
    ['NDJSON without a type, as curl sends it', lines(modelCall(1), modelCall(2)), { 'content-type': 'application/x-www-form-urlencoded' }],
    ['an array with a byte order mark and spaces', `\ufeff \n${JSON.stringify([modelCall(1), modelCall(2)], null, 2)}`, json],
    ['gzip', gzipSync(JSON.stringify([modelCall(1), modelCall(2)])), { ...json, 'content-encoding': 'gzip' }],
    ['deflate', deflateSync(JSON.stringify([modelCall(1), modelCall(2)])), { ...json, 'content-encoding': 'deflate' }],
    ['brotli', brotliCompressSync(lines(modelCall(1), modelCall(2))), { ...ndjson, 'content-encoding': 'br' }],
  ])('%s is read', async (_, body, headers) => {
    const { post, store } = await testServer()
    const answer = await post<IngestAnswer>('/v1/events', body, headers)
    expect(answer.status).toBe(200)
    expect(answer.body.results).toEqual([
      { id: eventId(1), outcome: 'accepted', costUsd: '0.004800000000', basis: 'computed' },
      { id: eventId(2), outcome: 'accepted', costUsd: '0.004800000000', basis: 'computed' },
    ])
    expect((await store.describe()).entries).toBe(2)
  })

  test('one object is one event, on one line or on many', async () => {
    const { post } = await testServer()
    expect((await post<IngestAnswer>('/v1/events', modelCall(1), json)).body.counts).toEqual({ accepted: 1, duplicate: 0, rejected: 0 })
    const pretty = JSON.stringify(modelCall(2), null, 2)
    expect((await post<IngestAnswer>('/v1/events', pretty, json)).body.counts.accepted).toBe(1)
  })

  test('nothing is nothing', async () => {
    const { post } = await testServer()
    for (const body of ['', ' \n', '[]'])
      expect((await post<IngestAnswer>('/v1/events', body, json)).body).toEqual({
        results: [],
        counts: { accepted: 0, duplicate: 0, rejected: 0 },
      })
  })
})

describe('bad input', () => {
  test('a malformed line is rejected by itself and counted', async () => {
    const { post, metrics } = await testServer()
    const body = lines(modelCall(1), '{"id": oops', modelCall(2), '{"secret": "do not repeat me"')
    const answer = await post<IngestAnswer>('/v1/events', body, ndjson)
    expect(answer.status).toBe(200)
    expect(answer.body.results.map((result) => [result.outcome, result.id])).toEqual([
      ['accepted', eventId(1)],
      ['rejected', undefined],
      ['accepted', eventId(2)],
      ['rejected', undefined],
    ])
    expect(answer.body.results[1]).toMatchObject({ reason: 'malformed-json', message: 'This line is not JSON.' })
    expect(JSON.stringify(answer.body)).not.toContain('repeat me')
    expect(await metrics.text()).toContain('taximeter_ingest_rejected_total{reason="malformed-json"} 2\n')
  })

  test('a batch of which nothing is good is answered item by item all the same', async () => {
    const { post, store, metrics } = await testServer()
    const answer = await post<IngestAnswer>('/v1/events', [1, modelCall(1, { usage: { input: -1 } }), modelCall(2, { at: 1 })], json)
    expect(answer.status).toBe(200)
    expect(answer.body.results.map((result) => (result.outcome === 'rejected' ? result.reason : result.outcome))).toEqual([
      'not-an-object',
      'negative-count',
      'time-out-of-range',
    ])
    expect((await store.describe()).entries).toBe(0)
    expect(await metrics.text()).toContain('taximeter_ingest_events_total{outcome="rejected"} 3\n')
  })

  test.each<[string, unknown, Record<string, string>, number, string]>([
    ['an array that ends too early', `[${JSON.stringify(modelCall(1))}`, json, 400, 'BAD_REQUEST'],
    ['one malformed object', '{"id":', json, 400, 'BAD_REQUEST'],
    ['gzip that is not', 'hello', { ...json, 'content-encoding': 'gzip' }, 400, 'BAD_REQUEST'],
    ['gzip that ends too early', gzipSync('[]'.padEnd(5_000)).subarray(0, 20), { ...json, 'content-encoding': 'gzip' }, 400, 'BAD_REQUEST'],
    ['an encoding that nobody has', '[]', { ...json, 'content-encoding': 'rot13' }, 415, 'UNSUPPORTED_MEDIA'],
    ['a form', 'x', { 'content-type': 'multipart/form-data; boundary=x' }, 415, 'UNSUPPORTED_MEDIA'],
    ['a page', '<p>', { 'content-type': 'text/html' }, 415, 'UNSUPPORTED_MEDIA'],
  ])('%s is refused as a whole', async (_, body, headers, status, code) => {
    const { post, store } = await testServer()
    const answer = await post('/v1/events', body, headers)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
    expect((await store.describe()).entries).toBe(0)
  })

  test.each([
    ['sent whole', { bodyBytesMax: 400 }, json, (text: string) => text],
    ['inflated to it', { bodyBytesMax: 400 }, { ...json, 'content-encoding': 'gzip' }, (text: string) => gzipSync(text)],
  ])('a body is taken up to the limit and not a byte past it: %s', async (_, limits, headers, pack) => {
    const { post } = await testServer({ limits })
    const body = JSON.stringify([modelCall(1)])
    const at = `${body}${' '.repeat(400 - body.length)}`
    expect((await post('/v1/events', pack(at), headers as Record<string, string>)).status).toBe(200)
    const past = await post('/v1/events', pack(`${at} `), headers as Record<string, string>)
    expect([past.status, past.body.error.code]).toEqual([413, 'BODY_TOO_LARGE'])
  })

  test('a batch is taken up to the limit and not an event past it, in either form', async () => {
    const { post, store } = await testServer({ limits: { eventsMax: 2 } })
    for (const [body, headers] of [
      [[1, 2, 3].map((index) => modelCall(index)), json],
      [lines(...[1, 2, 3].map((index) => modelCall(index))), ndjson],
    ] as const) {
      const answer = await post('/v1/events', body, headers)
      expect([answer.status, answer.body.error.code]).toEqual([413, 'BATCH_TOO_LARGE'])
    }
    expect((await store.describe()).entries).toBe(0)
    expect((await post('/v1/events', [modelCall(1), modelCall(2)], json)).status).toBe(200)
  })

  test('a line that is too long is rejected by itself', async () => {
    const { post } = await testServer({ limits: { eventBytesMax: 500 } })
    const { body } = await post<IngestAnswer>('/v1/events', lines(modelCall(1), modelCall(2, { junk: 'x'.repeat(500) })), ndjson)
    expect(body.results).toMatchObject([{ outcome: 'accepted' }, { outcome: 'rejected', reason: 'event-too-large' }])
  })

  test('bodies together hold no more than their allowance, and give it back', async () => {
    const body = JSON.stringify([modelCall(1)])
    const { post } = await testServer({ limits: { bodiesBytesMax: 2 * body.length } })
    const several = await Promise.all([1, 2, 3, 4, 5].map(() => post('/v1/events', body, json)))
    expect(several.map(({ status }) => status).sort()).toEqual([200, 200, 503, 503, 503])
    for (let turn = 0; turn < 5; turn += 1) expect((await post('/v1/events', body, json)).status).toBe(200)
  })
})

test('records of runs come in by their own door without naming their kind', async () => {
  const { get, post } = await testServer()
  const at = '2026-11-22T10:00:00.000Z'
  const { body } = await post<IngestAnswer>('/v1/runs', [
    { id: eventId(1), at, run: 'r-1', phase: 'start', agent: 'bot', budgetUsd: '0.25' },
    { id: eventId(2), at: '2026-11-22T10:01:00.000Z', run: 'r-1', phase: 'end', status: 'ok', stopReason: 'completed' },
    { id: eventId(3), at, kind: 'run', run: 'r-2', phase: 'middle' },
  ])
  expect(body.counts).toEqual({ accepted: 2, duplicate: 0, rejected: 1 })
  expect((await get<RunsAnswer>('/v1/runs')).body.runs).toMatchObject([
    { run: 'r-1', agent: 'bot', budgetUsd: '0.250000000000', status: 'ok', stopReason: 'completed', durationMs: 60_000 },
  ])
})
