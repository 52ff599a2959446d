import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRandom } from '../browser/random.ts'
import { allEntries, callOf, metric, post, query } from './asking.ts'
import { openSandbox, type Sandbox, type Serving } from './sandbox.ts'

const bodyBytesMax = 200_000
const random = createRandom(7)
const nextId = (): string => random.uuid7(Date.now())

let sandbox: Sandbox
let server: Serving
beforeAll(async () => {
  sandbox = openSandbox()
  server = await sandbox.serve({ environment: { TAXIMETER_BODY_BYTES_MAX: String(bodyBytesMax) } })
})
afterAll(async () => {
  await server?.stop()
  await sandbox?.[Symbol.asyncDispose]()
})

const rejectedSeries = (reason: string): string => `taximeter_ingest_rejected_total{reason="${reason}"}`
const answeredSeries = (code: number): string => `taximeter_http_requests_total{method="POST",route="/v1/events",code="${code}"}`

/** How much a metric has risen by the time that something was done. */
const risen = async <Result>(series: string, go: () => Promise<Result>): Promise<readonly [Result, number]> => {
  const before = Number(await metric(server.url, series))
  const result = await go()
  return [result, Number(await metric(server.url, series)) - before]
}

/** The text of an event, so that a number can stand in it that JavaScript would not write. */
const textOf = (more: string): string => JSON.stringify(callOf(nextId(), { swap: 'here' })).replace('"swap":"here"', more)
const dayMs = 86_400_000

describe('one bad event is named and counted, and loses nothing else of its batch', () => {
  test.each<[string, string, () => string]>([
    ['a number in place of an event', 'not-an-object', () => '17'],
    ['null in place of an event', 'not-an-object', () => 'null'],
    ['no id', 'bad-id', () => textOf('"id":null')],
    ['an id that is no UUID', 'bad-id', () => textOf('"id":"call-7"')],
    ['no kind that exists', 'bad-kind', () => textOf('"kind":"embedding"')],
    ['a time in words', 'bad-time', () => textOf('"at":"yesterday"')],
    ['a time without a zone', 'bad-time', () => textOf('"at":"2026-11-22T10:00:00"')],
    ['seconds for milliseconds', 'time-out-of-range', () => textOf(`"at":${Math.floor(Date.now() / 1_000)}`)],
    ['a far past', 'time-out-of-range', () => textOf('"at":"1066-10-14T09:00:00Z"')],
    ['a far future', 'time-out-of-range', () => textOf('"at":"9999-12-31T23:59:59Z"')],
    ['two days ahead', 'time-out-of-range', () => textOf(`"at":${Date.now() + 2 * dayMs}`)],
    ['a model that is a number', 'bad-field', () => textOf('"model":41')],
    ['no provider', 'bad-field', () => textOf('"provider":null')],
    ['a status that nobody knows', 'bad-field', () => textOf('"status":"fine"')],
    ['a prompt in place of its hash', 'bad-field', () => textOf('"promptHash":"Where is my refund?"')],
    ['usage as a list', 'bad-usage', () => textOf('"usage":[1000,500]')],
    ['a count as text', 'bad-usage', () => textOf('"usage":{"input":"1000"}')],
    ['a unit that is none', 'unknown-unit', () => textOf('"usage":{"prompt_tokens":1000}')],
    ['a negative count', 'negative-count', () => textOf('"usage":{"input":-1}')],
    ['a part of a token', 'fractional-count', () => textOf('"usage":{"input":0.5}')],
    ['a count past 2⁵³', 'count-too-large', () => textOf('"usage":{"input":9007199254740993}')],
    ['a count past any number', 'count-too-large', () => textOf('"usage":{"input":1e400}')],
    ['a cost that is a float', 'bad-money', () => textOf('"reportedCostUsd":0.1')],
    ['a cost below nothing', 'bad-money', () => textOf('"reportedCostUsd":"-0.01"')],
    ['usage of a dialect that nobody speaks', 'unknown-dialect', () => textOf('"usage":null,"rawUsage":{"words":3},"dialect":"klingon"')],
  ])('%s: %s', async (_, reason, bad) => {
    const good = [callOf(nextId()), callOf(nextId())] as const
    const body = `[${JSON.stringify(good[0])},${bad()},${JSON.stringify(good[1])}]`
    const [answer, counted] = await risen(rejectedSeries(reason), () => post(server.url, body))
    expect(answer.status).toBe(200)
    expect(answer.body.results).toMatchObject([
      { id: good[0].id, outcome: 'accepted', costUsd: '0.006000000000' },
      { outcome: 'rejected', reason, message: expect.stringMatching(/[.?]$/) },
      { id: good[1].id, outcome: 'accepted' },
    ])
    expect(counted).toBe(1)
  })

  test('a line that is not JSON, and one that is too long', async () => {
    const good = [callOf(nextId()), callOf(nextId())] as const
    const long = JSON.stringify(callOf(nextId(), { junk: 'x'.repeat(70_000) }))
    const lines = [JSON.stringify(good[0]), '{"id": oops', long, JSON.stringify(good[1])]
    const [[answer, tooLong], malformed] = await risen(rejectedSeries('malformed-json'), () =>
      risen(rejectedSeries('event-too-large'), () => post(server.url, lines.join('\n'), { 'content-type': 'application/x-ndjson' })),
    )
    expect(answer.body.results).toMatchObject([
      { id: good[0].id, outcome: 'accepted' },
      { outcome: 'rejected', reason: 'malformed-json' },
      { outcome: 'rejected', reason: 'event-too-large' },
      { id: good[1].id, outcome: 'accepted' },
    ])
    expect([malformed, tooLong]).toEqual([1, 1])
  })
})

describe('a request that cannot be read is refused as a whole, counted, and the next one is taken', () => {
  const many = (count: number): string => `[${Array.from({ length: count }, () => '1').join(',')}]`
  test.each<[string, number, string, () => string | Buffer<ArrayBuffer>, Record<string, string>]>([
    ['an array that was cut', 400, 'BAD_REQUEST', () => JSON.stringify([callOf(nextId())]).slice(0, -1), {}],
    ['a page', 415, 'UNSUPPORTED_MEDIA', () => '<p>', { 'content-type': 'text/html' }],
    [
      'gzip that was cut',
      400,
      'BAD_REQUEST',
      () => gzipSync(JSON.stringify([callOf(nextId())])).subarray(0, 60),
      { 'content-encoding': 'gzip' },
    ],
    ['a body past the limit', 413, 'BODY_TOO_LARGE', () => `[${' '.repeat(bodyBytesMax)}]`, {}],
    [
      'a body that inflates past the limit',
      413,
      'BODY_TOO_LARGE',
      () => gzipSync(`[${' '.repeat(50_000_000)}]`),
      { 'content-encoding': 'gzip' },
    ],
    ['more events than a request may hold', 413, 'BATCH_TOO_LARGE', () => many(10_001), {}],
  ])('%s: %i %s', async (_, status, code, body, headers) => {
    const before = (await query(server.url, 'measure=calls&last=24h')).totals.calls
    const [answer, counted] = await risen(answeredSeries(status), async () => {
      const response = await fetch(`${server.url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: body(),
      })
      return { status: response.status, body: (await response.json()) as { error: { code: string; message: string } } }
    })
    expect(answer).toMatchObject({ status, body: { error: { code, message: expect.stringMatching(/\.$/) } } })
    expect(counted).toBe(1)
    expect((await query(server.url, 'measure=calls&last=24h')).totals.calls).toBe(before)
    expect((await post(server.url, [callOf(nextId())])).body.counts.accepted).toBe(1)
  })
})

describe('what is odd and still a call has a name on its entry, and a metric', () => {
  const entryOf = async (id: string) => (await allEntries(server.url, 'last=24h')).find((entry) => entry.id === id)

  test('an id twice in one batch, and again later, is one call', async () => {
    const event = callOf(nextId(), { task: 'twice' })
    const [answer, counted] = await risen('taximeter_ingest_events_total{outcome="duplicate"}', async () => [
      await post(server.url, [event, event]),
      await post(server.url, [event]),
    ])
    expect(answer.flatMap(({ body }) => body.results.map(({ outcome }) => outcome))).toEqual(['accepted', 'duplicate', 'duplicate'])
    expect(counted).toBe(2)
    expect((await query(server.url, 'measure=calls,cost&where=task:twice&last=24h')).totals).toEqual({ calls: 1, cost: '0.006000000000' })
  })

  test('the same call from two sources is charged once, with what both know', async () => {
    const callKey = `openai:${nextId()}`
    const exported = callOf(nextId(), { source: 'otlp', callKey, task: 'both', team: 'cx', usage: { input: 900, output: 500 } })
    const metered = callOf(nextId(), { source: 'sdk', callKey, task: 'both' })
    const [, counted] = await risen('taximeter_ingest_events_total{outcome="duplicate"}', async () => {
      await post(server.url, [exported])
      await post(server.url, [metered])
    })
    expect(counted).toBe(1)
    const { rows, totals } = await query(server.url, 'measure=calls,cost,promptTokens&by=team&where=task:both&last=24h')
    expect([rows, totals.calls]).toEqual([[{ team: 'cx', calls: 1, cost: '0.006000000000', promptTokens: 1_000 }], 1])
  })

  test('an unknown model is unpriced, never zero', async () => {
    const event = callOf(nextId(), { model: 'nobody-knows-1', task: 'unknown' })
    const [answer, counted] = await risen('taximeter_unpriced_calls_total{model="nobody-knows-1"}', () => post(server.url, [event]))
    expect(answer.body.results).toEqual([{ id: event.id, outcome: 'accepted', basis: 'unpriced' }])
    expect(counted).toBe(1)
    expect((await entryOf(event.id))?.charge).toEqual({ basis: 'unpriced', reason: 'unknown-model' })
    const { coverage } = await query(server.url, 'measure=cost&where=task:unknown&last=24h')
    expect(coverage.unpriced.calls).toBe(1)
    expect(sandbox.rows("SELECT cost FROM token_usage WHERE model = 'nobody-knows-1'")).toEqual([{ cost: null }])
  })

  test('an answer without usage is missing it', async () => {
    const { usage: _, ...event } = callOf(nextId())
    const [answer, counted] = await risen('taximeter_usage_missing_total', () => post(server.url, [event]))
    expect(answer.body.results).toEqual([{ id: event.id, outcome: 'accepted', basis: 'unpriced' }])
    expect(counted).toBe(1)
    expect(await entryOf(event.id)).toMatchObject({ quality: 'missing', charge: { basis: 'unpriced', reason: 'missing-usage' } })
  })

  test("a provider's numbers that contradict each other are clamped and flagged", async () => {
    const { usage: _, ...event } = callOf(nextId(), {
      dialect: 'openai-chat',
      rawUsage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 40 } },
    })
    const [, counted] = await risen('taximeter_usage_flags_total{flag="cached-exceeds-input"}', () => post(server.url, [event]))
    expect(counted).toBe(1)
    expect(await entryOf(event.id)).toMatchObject({ usage: { cache_read: 40, output: 5 }, flags: ['cached-exceeds-input'] })
  })
})

test('after all of it the report, the raw entries and plain SQL agree', async () => {
  const { totals } = await query(server.url, 'measure=llmCost,llmCalls,promptTokens,completionTokens&last=24h')
  const [sql] = sandbox.rows(
    'SELECT count(*) AS calls, sum(cost) AS cost, sum(prompt_tokens) AS prompt, sum(completion_tokens) AS completion FROM token_usage',
  )
  expect(sql).toEqual({
    calls: totals.llmCalls,
    cost: expect.closeTo(Number(totals.llmCost), 9),
    prompt: totals.promptTokens,
    completion: totals.completionTokens,
  })
  expect(await allEntries(server.url, 'last=24h')).toHaveLength(Number(totals.llmCalls))
})
