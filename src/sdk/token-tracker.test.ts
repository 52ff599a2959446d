import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { BudgetGuard, CallAhead } from '../guard/guard.ts'
import type { EventJson } from '../intake/event-json.ts'
import { createPlayback, playChat, type Routes } from '../testing.ts'
import { BudgetExceededError } from './budget-exceeded-error.ts'
import { TokenTracker, type TrackerOptions } from './token-tracker.ts'

const run = promisify(execFile)
const entry = JSON.stringify(new URL('../index.ts', import.meta.url).href)
const chat = { model: 'gpt-4.1-mini', max_tokens: 100, messages: [{ role: 'user', content: 'How much?' }] }

const ledger: Routes = {
  'POST /v1/events': ({ body }) => ({
    body: JSON.stringify({ results: (body as unknown as EventJson[]).map(({ id }) => ({ id, outcome: 'accepted' })) }),
  }),
  'POST /v1/chat/completions': playChat(),
}

/** A process that records an event and has nothing more to do. */
const processWith = (options: string, last = '') =>
  run(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { TokenTracker } from ${entry}
       const tracker = new TokenTracker({ flushIntervalMs: 60_000, ...${options} })
       tracker.record({ kind: 'tool', tool: 't' })
       ${last}`,
    ],
    { timeout: 15_000 },
  )

describe('the end of a process', () => {
  test('sends what is queued, without being told to', async () => {
    const playback = createPlayback(ledger)
    const url = await playback.listen()
    await processWith(JSON.stringify({ url }))
    expect(playback.requests.map(({ body }) => (body as unknown as EventJson[]).map(({ tool }) => tool))).toEqual([['t']])
    await playback.close()
  })

  test('ends the calls whose answers nobody read', async () => {
    const playback = createPlayback(ledger)
    const url = await playback.listen()
    await processWith(
      JSON.stringify({ url }),
      `globalThis.kept = await tracker.fetch('${url}/v1/chat/completions', { method: 'POST', body: '${JSON.stringify(chat)}' })`,
    )
    const sent = playback.requests.filter(({ path }) => path === '/v1/events').flatMap(({ body }) => body as unknown as EventJson[])
    expect(sent).toMatchObject([{ kind: 'tool' }, { kind: 'llm', status: 'aborted', quality: 'missing' }])
    await playback.close()
  })

  test('is not held up by a server that is not there, and the exit code is 0', async () => {
    const { stderr } = await processWith(`{ url: 'http://127.0.0.1:9' }`)
    expect(stderr).toContain('[ledger-unreachable] TaximeterWarning: http://127.0.0.1:9/v1/events cannot be reached')
  })

  test('waits for a flush that is awaited', async () => {
    const { stdout } = await processWith(
      `{ url: 'http://127.0.0.1:9' }`,
      'console.log(await tracker.flush(50)); await tracker.close(50); console.log(tracker.stats().dropped)',
    )
    expect(stdout).toBe('false\n1\n')
  })

  test('`await using` closes the tracker', async () => {
    const playback = createPlayback(ledger)
    const url = await playback.listen()
    {
      await using tracker = new TokenTracker({ url, flushIntervalMs: 60_000 })
      tracker.record({ kind: 'tool', tool: 't' })
    }
    expect(playback.requests).toHaveLength(1)
    await playback.close()
  })
})

describe('a guard', () => {
  const withGuard = async (guard: Pick<BudgetGuard, 'reserve' | 'settle'>, more: TrackerOptions = {}, asked: object = chat) => {
    const events: EventJson[] = []
    const playback = createPlayback(ledger)
    const url = await playback.listen()
    const tracker = new TokenTracker({
      agent: 'a',
      guard,
      onWarning: () => undefined,
      sender: {
        send: async (batch) => {
          events.push(...batch)
          return batch.map(({ id }) => ({ id, outcome: 'accepted', costUsd: '0.25', basis: 'computed' }))
        },
        async close() {},
      },
      ...more,
    })
    const response = await tracker.run({ task: 't', budgetUsd: '1', onBudget: 'stop' }, async () => {
      const response = await tracker.fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(asked) })
      return { status: response.status, body: await response.json() }
    })
    await tracker.close()
    await playback.close()
    return { response, sent: playback.requests.length, events: events.filter(({ kind }) => kind === 'llm'), stats: tracker.stats() }
  }

  test('reserves before the call is sent, by the id of its event, and is told what it was charged', async () => {
    const asked: CallAhead[] = []
    const settled: unknown[] = []
    const { events } = await withGuard({
      reserve: (call) => {
        asked.push(call)
        return { allowed: true, reservation: 'r-1' }
      },
      settle: (...settlement) => settled.push(settlement),
    })
    expect(asked).toMatchObject([
      {
        event: events[0]?.id,
        agent: 'a',
        task: 't',
        provider: 'openai',
        model: 'gpt-4.1-mini',
        outputMax: 100,
        runBudgetUsd: '1.000000000000',
      },
    ])
    expect(asked[0]?.promptTokens).toBeGreaterThan(5)
    expect(settled).toEqual([['r-1', { cost: 250_000_000_000n }]])
  })

  test('a call that names no output limit is not held to what its model could write, in the budget of its run', async () => {
    const asked: CallAhead[] = []
    const reserve = (call: CallAhead) => {
      asked.push(call)
      return { allowed: true as const, reservation: undefined }
    }
    const { response } = await withGuard({ reserve, settle: () => undefined }, {}, { ...chat, max_tokens: undefined })
    expect(response.status).toBe(200)
    expect(asked).toHaveLength(1)
    expect(asked[0]).not.toHaveProperty('runBudgetUsd')
  })

  test('refuses, and the call is not sent', async () => {
    const refusal = {
      budget: 'team',
      scope: 'team',
      unit: 'usd',
      limit: '5',
      spent: '5',
      reserved: '0',
      asked: '1',
      reason: 'exceeded',
      message: 'Budget "team" is spent: $5.00 of $5.00.',
    } as const
    const { response, sent, stats } = await withGuard({ reserve: () => ({ allowed: false, refusal }), settle: () => undefined })
    expect(response).toMatchObject({
      status: 402,
      body: { error: { code: 'BUDGET_EXCEEDED', message: 'BUDGET_EXCEEDED: Budget "team" is spent: $5.00 of $5.00.' } },
    })
    expect(BudgetExceededError.of(new Error(JSON.stringify(response.body)))).toMatchObject({ budget: 'team' })
    expect([sent, stats.refused]).toEqual([0, 1])
  })

  test.each([
    ['allow', 200, 1],
    ['block', 402, 0],
  ] as const)('that cannot say: onMeterFailure %s', async (onMeterFailure, status, sent) => {
    const outcome = await withGuard({ reserve: () => Promise.reject(new Error('down')), settle: () => undefined }, { onMeterFailure })
    expect([outcome.response.status, outcome.sent]).toEqual([status, sent])
  })
})
