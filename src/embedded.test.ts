import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createEmbeddedTracker, type EmbeddedOptions, type EmbeddedTracker } from './embedded.ts'
import type { Warning } from './sdk/warning.ts'
import { createPlayback, playChat } from './testing.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-embedded-'))
const playback = createPlayback({ 'POST /v1/chat/completions': playChat({ input: 1_000, cacheRead: 500, output: 200 }) })
let url = ''
beforeAll(async () => {
  url = await playback.listen()
})
afterAll(async () => {
  await playback.close()
  rmSync(folder, { recursive: true, force: true })
})

const opened: EmbeddedTracker[] = []
afterEach(async () => {
  for (const tracker of opened.splice(0)) await tracker.close()
})

let files = 0
const freshPath = (): string => join(folder, `ledger-${(files += 1)}.db`)

const open = async (options: EmbeddedOptions = {}) => {
  const warnings: Warning[] = []
  const data = options.data ?? freshPath()
  const tracker = await createEmbeddedTracker({
    agent: 'bot',
    release: 'r1',
    onWarning: (warning) => warnings.push(warning),
    ...options,
    data,
  })
  opened.push(tracker)
  return { tracker, data, warnings }
}

const ask = async (tracker: EmbeddedTracker, more: object = {}): Promise<Response> => {
  const body = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'How much? '.repeat(600) }], ...more })
  const response = await tracker.fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
  await response.text()
  return response
}

/** gpt-4.1-mini: $0.40 in, $0.10 from the cache, $1.60 out, per million tokens. */
const callUsd = (1_000 * 0.4 + 500 * 0.1 + 200 * 1.6) / 1_000_000

const usd = (value: unknown): number => Number(value)

describe('a ledger in the process of the agent', () => {
  test('prices each call, and its report, its answers and plain SQL say the same', async () => {
    const { tracker, data } = await open({ tools: { 'web-search': '0.005' } })
    for (const task of ['refund', 'refund', 'chat']) {
      await tracker.run({ task }, async (run) => {
        await ask(tracker)
        if (task === 'chat') await run.tool('web-search', () => 'found')
      })
    }
    const answer = await tracker.ask()
    expect(answer.rows.map(({ task, release, agent, calls, cost }) => [task, release, agent, calls, usd(cost)])).toEqual(
      expect.arrayContaining([
        ['refund', 'r1', 'bot', 2, callUsd * 2],
        ['chat', 'r1', 'bot', 2, callUsd + 0.005],
      ]),
    )
    expect(await tracker.report()).toMatch(/refund\s+r1\s+bot/)
    const byModel = await tracker.ask('measure=llmCost,promptTokens,completionTokens&by=task&last=1h')
    const database = new DatabaseSync(data, { readOnly: true })
    const rows = database
      .prepare(
        'SELECT task_type, SUM(cost) AS cost, SUM(prompt_tokens) AS prompt, SUM(completion_tokens) AS completion FROM token_usage GROUP BY task_type ORDER BY task_type',
      )
      .all()
    database.close()
    expect(rows.map((row) => [row.task_type, row.prompt, row.completion])).toEqual([
      ['chat', 1_500, 200],
      ['refund', 3_000, 400],
    ])
    for (const row of rows) expect(usd(row.cost)).toBeCloseTo(usd(byModel.rows.find(({ task }) => task === row.task_type)?.llmCost), 12)
  })

  test('tells Prometheus', async () => {
    const { tracker } = await open()
    await tracker.run({ task: 'refund' }, () => ask(tracker))
    const text = await tracker.metrics()
    expect(text).toContain('ai_token_input_total{model="gpt-4.1-mini"} 1500\n')
    expect(text).toContain('agent_run_total{status="ok",stop_reason="completed",release="r1"} 1\n')
  })

  test('is there again when it is opened again, and is shared by trackers that write at once', async () => {
    const first = await open()
    const second = await open({ data: first.data })
    await Promise.all([first, second].flatMap(({ tracker }) => Array.from({ length: 20 }, () => ask(tracker))))
    await Promise.all([first.tracker.close(), second.tracker.close()])
    expect([first.tracker.stats().sent, second.tracker.stats().sent]).toEqual([20, 20])
    const third = await open({ data: first.data })
    expect((await third.tracker.ask('measure=calls')).totals).toMatchObject({ calls: 40 })
  })

  test("holds a run's budget by what the ledger charged", async () => {
    const { tracker, warnings } = await open()
    const statuses: number[] = []
    const error = await tracker
      .run({ task: 'loop', budgetUsd: callUsd * 1.5, onBudget: 'stop' }, async () => {
        for (;;) {
          const response = await ask(tracker)
          statuses.push(response.status)
          if (!response.ok) throw new Error('refused')
        }
      })
      .catch((error: Error) => error.message)
    expect(error).toBe('refused')
    expect(statuses).toEqual([200, 200, 402])
    expect(warnings.map(({ code }) => code)).toEqual(['budget-crossed'])
  })

  test('holds configured budgets by reservation: calls that start at once do not overspend together', async () => {
    const { tracker } = await open({
      budgets: [{ name: 'bot', scope: 'agent:bot', limit: `$${(callUsd * 3).toFixed(12)}`, per: 'day' }],
      dailyBudgetUsd: '0',
    })
    const responses = await Promise.all(Array.from({ length: 30 }, () => ask(tracker, { max_tokens: 200 })))
    const allowed = responses.filter(({ ok }) => ok).length
    expect(allowed).toBeGreaterThanOrEqual(1)
    expect(allowed).toBeLessThanOrEqual(3)
    expect(responses.filter(({ status }) => status === 402)).toHaveLength(30 - allowed)
  })

  test('warns once when a day passes its budget, also over a restart', async () => {
    const codes = (warnings: readonly Warning[]) => warnings.filter(({ message }) => message.includes('"daily"')).map(({ code }) => code)
    const before = await open({ dailyBudgetUsd: '0.000001' })
    await ask(before.tracker)
    await ask(before.tracker)
    await before.tracker.close()
    expect(codes(before.warnings)).toEqual(['budget-crossed'])
    const after = await open({ data: before.data, dailyBudgetUsd: '0.000001' })
    await ask(after.tracker)
    await after.tracker.close()
    expect(codes(after.warnings)).toEqual([])
  })
})

describe('what cannot be opened is said and left alone', () => {
  test('a file that is no ledger', async () => {
    const data = freshPath()
    writeFileSync(data, 'precious')
    await expect(createEmbeddedTracker({ data })).rejects.toMatchObject({ code: expect.stringMatching(/^LEDGER_/) })
    expect(readFileSync(data, 'utf8')).toBe('precious')
  })

  test.each<[EmbeddedOptions, string]>([
    [{ dailyBudgetUsd: 'five' }, 'BAD_BUDGET'],
    [{ budgets: [{ name: 'x' }] }, 'BAD_BUDGET'],
    [{ tools: { search: 'free' } }, 'BAD_PRICE'],
    [{ prices: { models: { 'openai/x': { rates: { input: 'much' } } } } }, 'BAD_PRICE'],
  ])('%j', async (options, code) => {
    await expect(createEmbeddedTracker({ data: freshPath(), ...options })).rejects.toMatchObject({ code })
  })

  test('a question that cannot be read', async () => {
    const { tracker } = await open()
    await expect(tracker.ask('measure=happiness')).rejects.toMatchObject({ code: 'BAD_QUESTION' })
  })
})
