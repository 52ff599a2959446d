import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { bookJson, eventId, modelCall, now, testServer } from '../../test/server/test-server.ts'
import { parseBudgets } from '../core/budget-form.ts'
import { createPriceBook } from '../core/price-book.ts'
import { createBudgetGuard } from '../guard/budget-guard.ts'
import { memoryBook } from '../guard/memory-book.ts'
import { createIntake } from '../intake/intake.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { labelNames, metricList } from './metric-list.ts'
import { createMetrics } from './metrics.ts'
import { createRunTally } from './run-tally.ts'

/** `name{labels}` → value, for every line that is one. */
const valuesOf = (text: string): Map<string, string> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  )
const scrape = async (server: { metrics: { text(): Promise<string> } }) => valuesOf(await server.metrics.text())

const run = (index: number, phase: 'start' | 'end', more: Record<string, unknown> = {}) => ({
  id: eventId(index),
  at: new Date(now - 1_000_000 + index).toISOString(),
  kind: 'run',
  run: 'r-1',
  phase,
  ...more,
})
const ended = { status: 'ok', stopReason: 'completed' }

const pushed = <Item>(list: Item[], item: Item): (() => void) => {
  list.push(item)
  return () => {}
}

describe('the tutorials’ counters', () => {
  test('tokens and cents of a model are exact', async () => {
    const server = await testServer()
    await server.post('/v1/events', [
      modelCall(1, { usage: { input: 1_000, cache_read: 200, output: 300, reasoning: 50 } }),
      modelCall(2),
      modelCall(3, { model: 'gpt-4.1-mini', usage: { input: 1, output: 1 } }),
    ])
    const values = await scrape(server)
    expect(values.get('ai_token_input_total{model="gpt-4.1"}')).toBe('2400')
    expect(values.get('ai_token_output_total{model="gpt-4.1"}')).toBe('650')
    // 0.002 + 0.0001 + 0.0028 + 0.0048 dollars, and 0.0000004 + 0.0000016.
    expect(values.get('ai_inference_cost_cents_total{model="gpt-4.1"}')).toBe('0.97')
    expect(values.get('ai_inference_cost_cents_total{model="gpt-4.1-mini"}')).toBe('0.0002')
    expect(values.get('taximeter_tokens_total{model="gpt-4.1",unit="cache_read"}')).toBe('200')
  })

  test('many additions do not drift', async () => {
    const store = memoryStore()
    const listeners: ((counted: never, uncounted: undefined) => void)[] = []
    const intake = createIntake({ store, book: () => createPriceBook(bookJson), now: () => now })
    const metrics = await createMetrics({
      store,
      intake: { ...intake, onCounted: (listener) => pushed(listeners, listener as (typeof listeners)[0]) },
      now: () => now,
      version: '0',
      bookVersion: () => '0',
    })
    const entry = {
      event: {
        id: eventId(1),
        at: now,
        source: 'sdk',
        kind: 'llm',
        provider: 'p',
        model: 'm',
        usage: { input: 1 },
        quality: 'complete',
        status: 'ok',
        attempt: 0,
      },
      charge: { basis: 'computed', total: 100_000_000_001n, lines: [] },
    } as never
    for (let count = 0; count < 300_000; count += 1) for (const listener of listeners) listener(entry, undefined)
    const values = valuesOf(await metrics.text())
    expect(values.get('agent_llm_cost_usd_total{model="m",release="unknown"}')).toBe('30000.0000003')
    expect(values.get('ai_token_input_total{model="m"}')).toBe('300000')
  })

  test('an answer without usage counts no tokens and is itself counted', async () => {
    const server = await testServer()
    await server.post('/v1/events', [modelCall(1, { usage: undefined })])
    const values = await scrape(server)
    expect(values.get('ai_token_input_total{model="gpt-4.1"}')).toBe('0')
    expect(values.get('taximeter_usage_missing_total')).toBe('1')
    expect(values.get('taximeter_unpriced_calls_total{model="gpt-4.1"}')).toBe('1')
    expect(values.get('taximeter_coverage_ratio')).toBe('0')
  })

  test('a call that failed is counted by what failed, and a sentence is no label', async () => {
    const server = await testServer()
    const failed = (index: number, error?: string) => modelCall(index, { usage: undefined, status: 'error', error })
    await server.post('/v1/events', [failed(1, 'unreadable-answer'), failed(2, '429'), failed(3, '429'), failed(4, 'My name is Ada.')])
    await server.post('/v1/events', [modelCall(5), modelCall(6, { status: 'aborted' })])
    const values = await scrape(server)
    const counted = [...values].filter(([name]) => name.startsWith('taximeter_failed_calls_total'))
    expect(counted.map(([name, value]) => [/error="([^"]*)"/.exec(name)?.[1], value])).toEqual([
      ['unreadable-answer', '1'],
      ['429', '2'],
      ['other', '1'],
      ['aborted', '1'],
    ])
  })

  test('an unpriced model is shown as such, with its tokens', async () => {
    const server = await testServer()
    await server.post('/v1/events', [modelCall(1, { model: 'new-model' }), modelCall(2)])
    const values = await scrape(server)
    expect(values.get('ai_token_input_total{model="new-model"}')).toBe('1200')
    expect(values.get('taximeter_unpriced_calls_total{model="new-model"}')).toBe('1')
    expect([...values.keys()].filter((name) => name.includes('cost') && name.includes('new-model'))).toEqual([])
    expect(values.has('taximeter_cost_usd_total{basis="unpriced"}')).toBe(false)
    expect(values.get('taximeter_unpriced_calls_total{model="gpt-4.1"}')).toBe('0')
    expect(values.get('taximeter_calls_total{basis="unpriced"}')).toBe('1')
    expect(values.get('taximeter_coverage_ratio')).toBe('0.5')
  })
})

describe('runs', () => {
  const costOf = (values: Map<string, string>) => [
    values.get('agent_run_cost_usd_count{release="7"}'),
    values.get('agent_run_cost_usd_sum{release="7"}'),
    values.get('agent_run_cost_usd_bucket{release="7",le="0.003"}'),
    values.get('agent_run_cost_usd_bucket{release="7",le="0.005"}'),
    values.get('agent_run_cost_usd_bucket{release="7",le="+Inf"}'),
  ]

  test('an ended run counts once, with all that it cost', async () => {
    const server = await testServer()
    await server.post('/v1/events', [
      run(1, 'start', { release: '7' }),
      modelCall(2, { run: 'r-1', release: '7' }),
      { id: eventId(3), at: new Date(now).toISOString(), kind: 'tool', tool: 'search', costUsd: '0.005', run: 'r-1', release: '7' },
    ])
    const open = await scrape(server)
    expect(costOf(open)).toEqual(['0', '0', '0', '0', '0'])
    expect(open.get('agent_run_total{status="ok",stop_reason="completed",release="7"}')).toBe('0')
    await server.post('/v1/events', [run(4, 'end', { ...ended, release: '7' }), run(4, 'end', ended)])
    const values = await scrape(server)
    expect(costOf(values)).toEqual(['1', '0.0098', '0', '0', '1'])
    expect(values.get('agent_run_total{status="ok",stop_reason="completed",release="7"}')).toBe('1')
    expect(values.get('agent_tool_cost_usd_total{tool="search",release="7"}')).toBe('0.005')
    expect(values.get('agent_token_usage_total{model="gpt-4.1",token_type="completion",release="7"}')).toBe('300')
  })

  test('in whichever order records and calls come, the result is one', async () => {
    const events = [run(1, 'start', { release: '7' }), modelCall(2, { run: 'r-1' }), modelCall(3, { run: 'r-1' }), run(4, 'end', ended)]
    const orders = [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [1, 3, 0, 2],
      [3, 0, 1, 2],
    ]
    for (const order of orders) {
      const server = await testServer()
      for (const index of order) await server.post('/v1/events', [events[index]])
      const values = await scrape(server)
      expect(costOf(values), String(order)).toEqual(['1', '0.0096', '0', '0', '1'])
      expect(values.get('agent_run_total{status="ok",stop_reason="completed",release="7"}')).toBe('1')
      expect(values.get('agent_run_total{status="ok",stop_reason="completed",release="unknown"}')).toBe('0')
    }
  })

  test('a call that comes after the end moves its run to another bucket', async () => {
    const server = await testServer()
    await server.post('/v1/events', [
      run(1, 'start', { release: '7' }),
      modelCall(2, { run: 'r-1', usage: { input: 1_000 } }),
      run(3, 'end', ended),
    ])
    expect(costOf(await scrape(server))).toEqual(['1', '0.002', '1', '1', '1'])
    await server.post('/v1/events', [modelCall(4, { run: 'r-1', usage: { input: 1_000 } })])
    // The bucket that the run has left keeps what it showed: a counter that falls is read as a restart.
    expect(costOf(await scrape(server))).toEqual(['1', '0.004', '1', '1', '1'])
  })

  test('crossing a budget is counted once', async () => {
    const server = await testServer()
    const breaches = async () => (await scrape(server)).get('agent_budget_breach_total{release="7"}')
    await server.post('/v1/events', [run(1, 'start', { release: '7', budgetUsd: '0.0048' }), modelCall(2, { run: 'r-1' })])
    expect(await breaches()).toBe('0')
    await server.post('/v1/events', [modelCall(3, { run: 'r-1' })])
    await server.post('/v1/events', [modelCall(4, { run: 'r-1' }), run(5, 'end', { status: 'error', stopReason: 'budget_exceeded' })])
    expect(await breaches()).toBe('1')
  })

  test('so many runs are followed and no more, the ones that were heard of longest ago let go first', () => {
    const ends: (string | undefined)[] = []
    const tally = createRunTally({
      runsMax: 3,
      onChange: (before, after) => ends.push(after.isEnded ? `${after.cost} after ${before?.cost}` : undefined),
    })
    const told = (name: string, phase: 'start' | 'end') =>
      tally.record({ id: eventId(1), at: now, source: 'sdk', kind: 'run', run: name, phase })
    const spent = (name: string) =>
      tally.observe({ event: { kind: 'tool', run: name }, charge: { basis: 'computed', total: 5n, lines: [] } } as never, undefined)
    for (const name of ['a', 'b', 'c']) {
      told(name, 'start')
      spent(name)
    }
    told('d', 'start')
    expect(tally.size).toBe(3)
    spent('b')
    told('e', 'start')
    expect(tally.size).toBe(3)
    ends.length = 0
    told('b', 'end')
    expect(ends).toEqual(['10 after 10'])
  })

  test('a run that was stopped before it crossed its budget has met it all the same', async () => {
    const server = await testServer()
    await server.post('/v1/events', [run(1, 'start', { release: '7' }), run(2, 'end', { status: 'error', stopReason: 'budget_exceeded' })])
    expect((await scrape(server)).get('agent_budget_breach_total{release="7"}')).toBe('1')
  })
})

describe('a correction', () => {
  test('that raises a charge raises the counter, and one that lowers it holds the counter until the truth has passed it', async () => {
    const store = memoryStore()
    const listeners: Parameters<ReturnType<typeof createIntake>['onCounted']>[0][] = []
    const real = createIntake({ store, book: () => createPriceBook(bookJson), now: () => now })
    const intake = { ...real, onCounted: (listener: (typeof listeners)[0]) => pushed(listeners, listener) }
    const metrics = await createMetrics({ store, intake, now: () => now, version: '0', bookVersion: () => '0' })
    const entry = (cents: bigint) =>
      ({
        event: {
          id: eventId(1),
          at: now,
          source: 'sdk',
          kind: 'llm',
          provider: 'p',
          model: 'm',
          usage: { input: 1 },
          quality: 'complete',
          status: 'ok',
          attempt: 0,
        },
        charge: { basis: 'computed', total: cents * 10_000_000_000n, lines: [] },
      }) as unknown as Parameters<(typeof listeners)[0]>[0]
    const shown: (string | undefined)[] = []
    const tell = async (counted: ReturnType<typeof entry>, uncounted?: ReturnType<typeof entry>) => {
      for (const listener of listeners) listener(counted, uncounted)
      shown.push(valuesOf(await metrics.text()).get('ai_inference_cost_cents_total{model="m"}'))
    }
    await tell(entry(10n))
    await tell(entry(12n), entry(10n))
    await tell(entry(5n), entry(12n))
    await tell(entry(3n))
    await tell(entry(8n))
    expect(shown).toEqual(['10', '12', '12', '12', '16'])
  })

  test('a call that a better source tells again is counted as that source tells it', async () => {
    const server = await testServer()
    await server.intake.admit([modelCall(1, { callKey: 'openai:c-1', model: 'guessed' })], { source: 'import' })
    await server.intake.admit([modelCall(2, { callKey: 'openai:c-1' })], { source: 'gateway' })
    const values = await scrape(server)
    expect(values.get('ai_token_input_total{model="gpt-4.1"}')).toBe('1200')
    expect(values.get('taximeter_calls_total{basis="computed"}')).toBe('1')
    // It was never scraped under its first name, so that nothing has to be held there.
    expect(values.get('ai_token_input_total{model="guessed"}')).toBe('0')
  })
})

test('a restart goes on from the ledger, series by series', async () => {
  const store = memoryStore()
  const before = await testServer({ store })
  await before.post('/v1/events', [
    run(1, 'start', { release: '7', budgetUsd: '0.001' }),
    modelCall(2, { run: 'r-1', release: '7' }),
    { id: eventId(3), at: new Date(now - 5).toISOString(), kind: 'tool', tool: 'search', costUsd: '0.005', run: 'r-1', release: '7' },
    run(4, 'end', { ...ended, release: '7' }),
    modelCall(5, { model: 'new-model' }),
    { ...run(6, 'start', { release: '8' }), run: 'r-2' },
    modelCall(7, { run: 'r-2', release: '8' }),
  ])
  const sinceStart = /^(taximeter_(ingest|http|last|usage|reported|recomputed|label|stream)|process_)/
  const kept = (values: Map<string, string>) => [...values].filter(([name]) => !sinceStart.test(name)).sort()
  const after = await testServer({ store })
  expect(kept(await scrape(after))).toEqual(kept(await scrape(before)))
  await after.post('/v1/events', [{ ...run(8, 'end', { ...ended, release: '8' }), run: 'r-2' }])
  const values = await scrape(after)
  expect(values.get('agent_run_cost_usd_sum{release="8"}')).toBe('0.0048')
})

describe('what others write into the same ledger', () => {
  test('is caught up with at the next scrape, calls and runs', async () => {
    const store = memoryStore()
    const [watching, other] = [await testServer({ store }), await testServer({ store })]
    await watching.post('/v1/events', [modelCall(1), run(2, 'start', { release: '7' })])
    await other.post('/v1/events', [
      modelCall(3, { release: '7', run: 'r-1' }),
      { id: eventId(4), at: new Date(now - 5).toISOString(), kind: 'tool', tool: 'search', costUsd: '0.005', run: 'r-1', release: '7' },
      run(5, 'end', ended),
    ])
    const values = await scrape(watching)
    expect(values.get('ai_token_input_total{model="gpt-4.1"}')).toBe('2400')
    expect(values.get('agent_tool_cost_usd_total{tool="search",release="7"}')).toBe('0.005')
    expect(values.get('agent_run_cost_usd_sum{release="7"}')).toBe('0.0098')
    expect(values.get('agent_run_total{status="ok",stop_reason="completed",release="7"}')).toBe('1')
    await watching.post('/v1/events', [modelCall(6)])
    expect((await scrape(watching)).get('ai_token_input_total{model="gpt-4.1"}')).toBe('3600')
  })

  test('of two that write at once, each shows all of it, once', async () => {
    const store = memoryStore()
    const servers = [await testServer({ store }), await testServer({ store })]
    const writes = Array.from({ length: 40 }, (_, index) => servers[index % 2]?.intake.admit([modelCall(index, { run: `r-${index % 5}` })]))
    const scrapes = Array.from({ length: 10 }, (_, index) => servers[index % 2]?.metrics.text())
    await Promise.all([...writes, ...scrapes])
    for (const server of servers) expect((await scrape(server)).get('ai_token_input_total{model="gpt-4.1"}')).toBe(String(40 * 1_200))
  })

  test('a ledger that does not answer leaves what was counted here', async () => {
    const store = memoryStore()
    const server = await testServer({ store })
    await server.post('/v1/events', [modelCall(1)])
    await store.close()
    expect((await scrape(server)).get('ai_token_input_total{model="gpt-4.1"}')).toBe('1200')
  })
})

test('making the meter twice in one process is making two', async () => {
  const first = await testServer()
  const second = await testServer()
  await first.post('/v1/events', [modelCall(1)])
  expect((await scrape(first)).get('ai_token_input_total{model="gpt-4.1"}')).toBe('1200')
  expect((await scrape(second)).has('ai_token_input_total{model="gpt-4.1"}')).toBe(false)
})

describe('labels', () => {
  test('no label is a run, a session, a user or a request, and each is in the list', () => {
    for (const info of Object.values(metricList)) for (const label of info.labels) expect(labelNames).toContain(label)
    for (const name of ['run', 'session', 'user', 'request', 'id', 'key', 'step']) expect(labelNames).not.toContain(name)
  })

  test('values are bounded at the limit; past it they are "other", which is counted', async () => {
    const server = await testServer({ metricsLimits: { valuesMax: 3 } })
    await server.post(
      '/v1/events',
      ['a', 'b', 'c'].map((model, index) => modelCall(index, { model })),
    )
    expect((await scrape(server)).get('taximeter_label_overflow_total{label="model"}')).toBe('0')
    await server.post(
      '/v1/events',
      ['d', 'e', 'e', 'a'].map((model, index) => modelCall(index + 10, { model })),
    )
    const values = await scrape(server)
    const models = [...values.keys()].filter((name) => name.startsWith('ai_token_input_total'))
    expect(models.map((name) => [name, values.get(name)])).toEqual([
      ['ai_token_input_total{model="a"}', '2400'],
      ['ai_token_input_total{model="b"}', '1200'],
      ['ai_token_input_total{model="c"}', '1200'],
      ['ai_token_input_total{model="other"}', '3600'],
    ])
    expect(Number(values.get('taximeter_label_overflow_total{label="model"}'))).toBeGreaterThan(0)
  })

  test('one metric has no more series than it may, whatever callers make up', async () => {
    const server = await testServer({ metricsLimits: { valuesMax: 1_000, seriesMax: 20 } })
    await server.post(
      '/v1/events',
      Array.from({ length: 300 }, (_, index) => modelCall(index, { model: `m-${index}`, release: `r-${index}` })),
    )
    const values = await scrape(server)
    for (const metric of ['ai_token_input_total', 'agent_token_usage_total']) {
      const names = [...values.keys()].filter((name) => name.startsWith(metric))
      expect(names.length).toBeLessThanOrEqual(22)
      const prompts = names.filter((name) => !name.includes('completion'))
      expect(prompts.reduce((sum, name) => sum + Number(values.get(name)), 0)).toBe(300 * 1_200)
    }
  })

  test('a value with quotes, lines and half a character cannot break the text or repeat a line', async () => {
    const server = await testServer()
    const models = ['a"b\\c\nd', 'x\ud800', 'x\udfff', '日本語']
    await server.intake.admit(models.map((model, index) => modelCall(index, { model })))
    const text = Buffer.from(await server.metrics.text()).toString('utf8')
    expect(text).toContain('ai_token_input_total{model="a\\"b\\\\c\\nd"} 1200\n')
    const lines = text.split('\n').filter((line) => line.startsWith('ai_token_input_total'))
    expect(new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(lines.length)
  })
})

describe('budgets', () => {
  const guarded = async (forms: Parameters<typeof parseBudgets>[0]) => {
    const store = memoryStore()
    const book = createPriceBook(bookJson)
    const guard = await createBudgetGuard({
      budgets: parseBudgets(forms),
      prices: () => book,
      book: memoryBook(),
      store,
      now: () => now,
      holder: 't',
    })
    const server = await testServer({ store, budgets: guard })
    server.intake.onCounted(guard.observe)
    return { ...server, guard }
  }

  test('are gauges with their values, and a person is never one of these', async () => {
    const server = await guarded([
      { name: 'daily', limit: '$5', per: 'day' },
      { name: 'per-agent', scope: 'agent', limit: '$1', per: 'day' },
      { name: 'per-user', scope: 'user', limit: '$0.01', per: 'day' },
      { name: 'tokens', limit: '100000 tokens', per: 'day' },
    ])
    await server.post('/v1/events', [modelCall(1, { agent: 'bot', user: 'alice' }), modelCall(2, { agent: 'bot', user: 'bob' })])
    expect(
      await server.guard.reserve({ provider: 'openai', model: 'gpt-4.1', promptTokens: 1_000, outputMax: 0, agent: 'bot' }),
    ).toMatchObject({ allowed: true })
    const text = await server.metrics.text()
    const values = valuesOf(text)
    expect(values.get('taximeter_budget_limit_usd{budget="daily",value=""}')).toBe('5')
    expect(values.get('taximeter_budget_spent_usd{budget="per-agent",value="bot"}')).toBe('0.0096')
    expect(values.get('taximeter_budget_reserved_usd{budget="daily",value=""}')).toBe('0.002')
    expect(values.get('taximeter_budget_spent_tokens{budget="tokens",value=""}')).toBe('3000')
    expect(values.get('taximeter_budget_used_ratio{budget="per-user"}')).toBe('0.48')
    expect(values.get('taximeter_budget_decisions_total{outcome="allowed"}')).toBe('1')
    expect(text).not.toMatch(/alice|bob/)
  })

  test('that are gone leave no series behind', async () => {
    const server = await guarded([{ name: 'old', limit: '$5', per: 'day' }])
    expect(await server.metrics.text()).toContain('budget="old"')
    await server.guard.reload(parseBudgets([{ name: 'new', limit: '$5', per: 'day' }]))
    const text = await server.metrics.text()
    expect([text.includes('budget="old"'), text.includes('budget="new"')]).toEqual([false, true])
  })
})

test('scrapes that overlap, and events that come meanwhile, get along', async () => {
  const server = await testServer({ metricsLimits: { valuesMax: 5_000 } })
  await server.intake.admit(Array.from({ length: 3_000 }, (_, index) => modelCall(index, { model: `m-${index}` })))
  const [first, second] = await Promise.all([server.metrics.text(), server.metrics.text(), server.intake.admit([modelCall(9_999)])])
  expect(first).toBe(second)
  expect((await scrape(server)).get('ai_token_input_total{model="gpt-4.1"}')).toBe('1200')
})

test('every metric has its name and type in the first scrape, and those whose labels are known begin at zero', async () => {
  const server = await testServer()
  const text = await server.metrics.text()
  expect([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type])).toEqual(
    Object.entries(metricList).map(([name, { type }]) => [name, type]),
  )
  const values = valuesOf(text)
  for (const name of ['calls_total{basis="computed"}', 'ingest_events_total{outcome="accepted"}', 'usage_missing_total'])
    expect(values.get(`taximeter_${name}`)).toBe('0')
  expect(values.get('agent_run_total{status="ok",stop_reason="completed",release="unknown"}')).toBe('0')
  expect(values.get('agent_budget_breach_total{release="unknown"}')).toBe('0')
})

/** A program of the system, which no package brings. */
const checker = 'promtool'

test('promtool, where it is installed, finds nothing to complain of', async (context) => {
  if (spawnSync(checker, ['--version']).error !== undefined) return context.skip()
  const server = await testServer()
  await server.post('/v1/events', [run(1, 'start', { release: '7' }), modelCall(2, { run: 'r-1' }), run(3, 'end', ended)])
  const text = await server.metrics.text()
  const { stdout, stderr, status } = spawnSync(checker, ['check', 'metrics'], { input: text, encoding: 'utf8' })
  expect([stdout.trim(), stderr.trim(), status]).toEqual(['', '', 0])
})
