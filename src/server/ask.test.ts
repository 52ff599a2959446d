import { describe, expect, test } from 'vitest'
import { eventId, modelCall, now, testServer } from '../../test/server/test-server.ts'
import type {
  EntriesAnswer,
  PriceDetailJson,
  PricesAnswer,
  QueryAnswer,
  QuoteAnswer,
  RunDetailJson,
  RunsAnswer,
  SessionDetailJson,
  SessionsAnswer,
} from './api.ts'

const hour = (count: number) => new Date(now - count * 3_600_000).toISOString()

const filled = async () => {
  const server = await testServer()
  await server.post('/v1/events', [
    { id: eventId(1), at: hour(3), kind: 'run', run: 'r-1', phase: 'start', session: 's-1', agent: 'bot', release: '1' },
    modelCall(2, { at: hour(2), run: 'r-1', session: 's-1', agent: 'bot', task: 'refund', status: 'error', error: '429', usage: {} }),
    modelCall(3, { at: hour(1.9), run: 'r-1', session: 's-1', agent: 'bot', task: 'refund', attempt: 1, durationMs: 812 }),
    { id: eventId(4), at: hour(1.5), kind: 'tool', tool: 'web-search', costUsd: '0.005', run: 'r-1', session: 's-1', agent: 'bot' },
    modelCall(5, { at: hour(1.4), run: 'r-1', session: 's-1', agent: 'bot', model: 'nobody-knows', callKey: 'openai:c-5' }),
    { id: eventId(6), at: hour(1), kind: 'run', run: 'r-1', phase: 'end', status: 'ok', stopReason: 'completed' },
    modelCall(7, { at: hour(1), run: 'r-2', session: 's-2', agent: 'other, "odd"', tier: 'batch' }),
    modelCall(8, { at: hour(26), task: 'refund' }),
  ])
  return server
}

describe('/v1/query', () => {
  test('measures by attributes, with totals and coverage', async () => {
    const { get } = await filled()
    const { body } = await get<QueryAnswer>('/v1/query?measure=cost,calls,tokens&by=kind&last=24h')
    expect(body.rows).toEqual([
      { kind: 'llm', cost: '0.007200000000', calls: 4, tokens: 4_500, unpricedCalls: 1 },
      { kind: 'tool', cost: '0.005000000000', calls: 1, tokens: 0 },
    ])
    expect(body.totals).toEqual({ cost: '0.012200000000', calls: 5, tokens: 4_500 })
    expect(body.coverage).toMatchObject({ unpriced: { calls: 1, cost: '0.000000000000' }, computed: { calls: 4 } })
  })

  test('filters repeat and may hold commas when they are encoded', async () => {
    const { get } = await filled()
    const where = `where=kind:llm&where=${encodeURIComponent('agent:other%2C "odd"')}`
    expect((await get<QueryAnswer>(`/v1/query?measure=calls&${where}`)).body.totals).toEqual({ calls: 1 })
  })

  test('an injection is a value like any other', async () => {
    const { get, store } = await filled()
    const { body } = await get<QueryAnswer>(
      `/v1/query?measure=calls&where=${encodeURIComponent("agent:x' OR 1=1; DROP TABLE entries; --")}`,
    )
    expect(body.totals).toEqual({ calls: 0 })
    expect((await store.describe()).entries).toBe(8)
  })

  test('the period before is asked the same question', async () => {
    const { get } = await filled()
    const { body } = await get<QueryAnswer>('/v1/query?measure=cost&where=task:refund&last=24h&compare=previous')
    expect([body.totals, body.previous?.totals]).toEqual([{ cost: '0.004800000000' }, { cost: '0.004800000000' }])
    expect(body.previous?.to).toBe(body.from)
    const named = await get<QueryAnswer>('/v1/query?measure=calls&last=24h&compare=2026-11-21..2026-11-22')
    expect(named.body.previous).toMatchObject({ from: '2026-11-21T00:00:00.000Z', totals: { calls: 1 } })
  })

  test.each([
    ['measure=profit', 'BAD_QUESTION', /"profit" is not a measure. Use cost, llmCost/],
    ['by=colour', 'BAD_QUESTION', /"colour" is not a breakdown. Use agent, task/],
    ['interval=fortnight', 'BAD_QUESTION', /Use minute, 15m, hour, day, week, month/],
    ['tz=Mars/Olympus', 'BAD_QUESTION', /"Mars\/Olympus" is not a time zone/],
    ['from=yesterday', 'BAD_QUESTION', /"from" should be a day/],
    ['from=2026-11-02&to=2026-11-01', 'BAD_QUESTION', /"from" should be before "to"/],
    ['last=24h&from=2026-11-01', 'BAD_QUESTION', /not both/],
    ['where=refund', 'BAD_QUESTION', /A filter should look like/],
    ['compare=next', 'BAD_QUESTION', /"compare" should be "previous"/],
    ['measures=cost', 'BAD_REQUEST', /"measures" is not a parameter of GET \/v1\/query. Use measure, by/],
    ['by=agent&by=task', 'BAD_REQUEST', /"by" is given twice/],
    ['top=0', 'BAD_QUESTION', /"top" should be a number from 1 to 1000/],
    [Array.from({ length: 21 }, () => 'where=task:a').join('&'), 'BAD_REQUEST', /at most 20 times/],
  ])('%s is refused with what was expected', async (query, code, message) => {
    const { get } = await testServer()
    const { status, body } = await get(`/v1/query?${query}`)
    expect([status, body.error.code]).toEqual([400, code])
    expect(body.error.message).toMatch(message)
  })
})

describe('/v1/runs', () => {
  test('pages go on where the last one ended', async () => {
    const { get } = await filled()
    const first = await get<RunsAnswer>('/v1/runs?limit=1&sort=costliest')
    expect(first.body.runs).toMatchObject([{ run: 'r-1', costUsd: '0.009800000000', calls: 4, unpricedCalls: 1, retries: 1, errors: 1 }])
    const second = await get<RunsAnswer>(`/v1/runs?limit=1&sort=costliest&after=${encodeURIComponent(first.body.next ?? '')}`)
    expect([second.body.runs.map(({ run }) => run), second.body.next]).toEqual([['r-2'], undefined])
    expect((await get('/v1/runs?after=nonsense')).status).toBe(400)
  })

  test.each([
    ['0', 400],
    ['1', 200],
    ['1000', 200],
    ['1001', 400],
    ['-1', 400],
    ['1e2', 400],
  ])('a page of %s is answered with %i', async (limit, status) => {
    const { get } = await testServer()
    expect((await get(`/v1/runs?limit=${limit}`)).status).toBe(status)
  })

  test('one run tells its calls in order, each with its lines and what was spent by then', async () => {
    const { get } = await filled()
    const { body } = await get<RunDetailJson>('/v1/runs/r-1')
    expect(body.run).toMatchObject({
      run: 'r-1',
      isOpen: false,
      stopReason: 'completed',
      llmCostUsd: '0.004800000000',
      toolCostUsd: '0.005000000000',
    })
    expect(body.calls.map((call) => [call.id, call.costSoFarUsd, call.charge.basis])).toEqual([
      [eventId(2), '0.000000000000', 'computed'],
      [eventId(3), '0.004800000000', 'computed'],
      [eventId(4), '0.009800000000', 'computed'],
      [eventId(5), '0.009800000000', 'unpriced'],
    ])
    expect(body.calls[1]?.charge).toEqual({
      basis: 'computed',
      totalUsd: '0.004800000000',
      book: 'test-1',
      lines: [
        { unit: 'input', count: 1_200, rateUsd: '2.000000000000', per: 1_000_000, totalUsd: '0.002400000000' },
        { unit: 'output', count: 300, rateUsd: '8.000000000000', per: 1_000_000, totalUsd: '0.002400000000' },
      ],
    })
    expect(body.calls[3]).toMatchObject({ callKey: 'openai:c-5', charge: { basis: 'unpriced', reason: 'unknown-model' } })
  })

  test('a discount stands on its lines as the decimal that it is', async () => {
    const { get } = await filled()
    const { body } = await get<RunDetailJson>('/v1/runs/r-2')
    expect(body.calls[0]?.charge).toMatchObject({ totalUsd: '0.002400000000', lines: [{ multiplier: '0.5' }, { multiplier: '0.5' }] })
  })

  test('a run may be called anything', async () => {
    const { get, post } = await testServer()
    const run = 'path/to/run?#%2F ü <b>\u202e'
    await post('/v1/events', [modelCall(1, { run })])
    expect((await get<RunDetailJson>(`/v1/runs/${encodeURIComponent(run)}`)).body.run.run).toBe(run)
  })

  test('one that is not there is not found', async () => {
    const { get } = await testServer()
    expect(await get('/v1/runs/r-9')).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } })
  })
})

test('sessions are the costliest first, or as is asked for, page by page, and one of them has its runs', async () => {
  const { get } = await filled()
  const { body } = await get<SessionsAnswer>('/v1/sessions')
  expect(body).toMatchObject({
    sessions: [
      { session: 's-1', runs: 1, calls: 4, costUsd: '0.009800000000', errors: 1, retries: 1, unpricedCalls: 1 },
      { session: 's-2', runs: 1, calls: 1, costUsd: '0.002400000000', tokens: 1_500 },
    ],
  })
  expect(body.next).toBeUndefined()
  const first = await get<SessionsAnswer>('/v1/sessions?limit=1&sort=newest')
  expect(first.body.sessions.map(({ session }) => session)).toEqual(['s-2'])
  const second = await get<SessionsAnswer>(`/v1/sessions?limit=1&sort=newest&after=${encodeURIComponent(String(first.body.next))}`)
  expect(second.body.sessions).toMatchObject([{ session: 's-1', durationMs: 96 * 60_000, unpricedCalls: 1 }])
  expect(second.body.next).toBeUndefined()
  expect((await get<SessionsAnswer>('/v1/sessions?where=model:nobody-knows')).body.sessions).toMatchObject([
    { session: 's-1', calls: 1, runs: 1, costUsd: null, unpricedCalls: 1 },
  ])
  expect((await get<SessionDetailJson>('/v1/sessions/s-1')).body).toMatchObject({
    session: { costUsd: '0.009800000000' },
    runs: [{ run: 'r-1' }],
  })
  expect((await get('/v1/sessions/s-9')).status).toBe(404)
})

test('entries come raw, oldest first, and page by page', async () => {
  const { get } = await filled()
  const ids: string[] = []
  let after = ''
  do {
    const { body } = await get<EntriesAnswer>(
      `/v1/entries?limit=2&where=run:r-1&after=${encodeURIComponent(after)}`.replace(/&after=$/, ''),
    )
    ids.push(...body.entries.map(({ id }) => id))
    after = body.next ?? ''
  } while (after !== '')
  expect(ids).toEqual([2, 3, 4, 5].map(eventId))
})

describe('/v1/quote', () => {
  const answer = { model: 'gpt-4.1', usage: { prompt_tokens: 1_200, completion_tokens: 300, total_tokens: 1_500 }, choices: [] }
  const line = { provider: 'openai', dialect: 'openai-chat', body: answer }

  test('one answer is priced and nothing is kept', async () => {
    const { post, store } = await testServer()
    const { body } = await post<QuoteAnswer>('/v1/quote', line)
    expect(body).toMatchObject({ usage: { input: 1_200, output: 300 }, charge: { totalUsd: '0.004800000000', basis: 'computed' } })
    expect((await store.describe()).entries).toBe(0)
  })

  test('lines are answered in order, a bad one by an error in its place', async () => {
    const { post } = await testServer()
    const body = [
      JSON.stringify(line),
      '{"oops',
      JSON.stringify({ provider: 'openai', dialect: 'klingon', body: {} }),
      JSON.stringify(line),
    ].join('\n')
    const text = (await post<string>('/v1/quote', body, { 'content-type': 'application/x-ndjson' })).body
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((each) => JSON.parse(each)),
    ).toMatchObject([
      { charge: { basis: 'computed' } },
      { error: { code: 'BAD_REQUEST' } },
      { error: { code: expect.stringMatching(/UNKNOWN_DIALECT|BAD_REQUEST/) } },
      { charge: { totalUsd: '0.004800000000' } },
    ])
  })

  test('one that cannot be read is refused', async () => {
    const { post } = await testServer()
    expect((await post('/v1/quote', { provider: 'openai' })).status).toBe(400)
    expect((await post('/v1/quote', '')).status).toBe(400)
  })
})

describe('/v1/prices', () => {
  test('the rates that hold now, searched by any word of the name', async () => {
    const { get } = await testServer()
    const { body } = await get<PricesAnswer>('/v1/prices?search=openai%204.1')
    expect(body.matches).toBe(2)
    expect(body.prices[0]).toMatchObject({
      model: 'gpt-4.1',
      periods: 3,
      current: { from: '2026-01-01', rates: { input: '2', cache_read: '0.5', output: '8' } },
    })
    expect(body.providers).toContainEqual({ id: 'openai', name: 'OpenAI', models: 2 })
    expect(body.units.input.per).toBe(1_000_000)
  })

  test('every model once, page by page', async () => {
    const { get } = await testServer()
    const names: string[] = []
    let path = '/v1/prices?limit=1'
    for (let next: string | undefined = ''; next !== undefined; path = `/v1/prices?limit=1&after=${encodeURIComponent(next ?? '')}`) {
      const { body } = await get<PricesAnswer>(path)
      names.push(...body.prices.map(({ provider, model }) => `${provider}/${model}`))
      next = body.next
    }
    expect(names).toEqual(['anthropic/claude-sonnet-4-5', 'openai/gpt-4.1', 'openai/gpt-4.1-mini', 'openrouter/meta/llama-4'])
  })

  test('one model by any of its names, with its history, newest first', async () => {
    const { get } = await testServer()
    const { body } = await get<PriceDetailJson>('/v1/prices/openai/gpt-4.1-2025-04-14')
    expect([body.model, body.periods.map(({ from }) => from), body.current?.from]).toEqual([
      'gpt-4.1',
      ['2099-01-01', '2026-01-01', '2025-04-14'],
      '2026-01-01',
    ])
    expect((await get<PriceDetailJson>('/v1/prices/openrouter/meta/llama-4')).body.model).toBe('meta/llama-4')
    expect((await get<PriceDetailJson>('/v1/prices/openrouter/meta/llama-4')).body.current).toEqual({
      rates: { input: '0.2', output: '0.6' },
      hours: [{ from: '22:00', to: '06:00', days: [0, 6], rates: { output: '0.3' } }],
      variants: [{ regions: ['eu', 'us'], multiply: '1.1' }],
    })
    for (const path of ['openai/nothing', 'nobody/gpt-4.1', '__proto__/constructor', 'openai/constructor'])
      expect((await get(`/v1/prices/${path}`)).status).toBe(404)
  })
})
