import { spawn } from 'node:child_process'
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TokenTracker, type TrackerStats } from '../../src/index.ts'
import { createPlayback, playChat } from '../../src/testing.ts'
import { allRuns, metric, pico, query, sumOf } from './asking.ts'
import { dataFile, openSandbox, type Sandbox } from './sandbox.ts'

const upstream = createPlayback({ 'POST /v1/chat/completions': playChat({ input: 1_000, cacheRead: 200, output: 300 }) })
let upstreamUrl = ''
beforeAll(async () => {
  upstreamUrl = await upstream.listen()
})
afterAll(() => upstream.close())

const agentsCount = 4
const runsEach = 70
/** gpt-4.1: $2 in, $0.50 from the cache, $8 out, per million tokens. */
const callPico = 1_000n * 2_000_000n + 200n * 500_000n + 300n * 8_000_000n
const toolPico = 5_000_000_000n

interface AgentEnd {
  readonly code: number | null
  readonly err: string
  readonly stats: TrackerStats
}

const runAgent = (sandbox: Sandbox, name: string): Promise<AgentEnd> =>
  new Promise((resolve, reject) => {
    const file = join(import.meta.dirname, 'embedded-agent.ts')
    const child = spawn(process.execPath, [file, name, sandbox.path(dataFile), upstreamUrl, String(runsEach)])
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve({ code, err, stats: JSON.parse(out) }) : reject(new Error(err))))
  })

test('four agents and a server write to one file at once: no error, no loss, exact totals', async () => {
  await using sandbox = openSandbox()
  const server = await sandbox.serve({ environment: { TAXIMETER_DAILY_BUDGET_USD: '0' } })
  const tracker = new TokenTracker({
    url: server.url,
    agent: 'by-http',
    hosts: { [new URL(upstreamUrl).host]: 'openai' },
    flushIntervalMs: 5,
  })
  const openai = new OpenAI({ apiKey: 'sk-test', baseURL: `${upstreamUrl}/v1`, fetch: tracker.fetch })
  const byHttp = async (): Promise<void> => {
    for (let index = 0; index < runsEach; index += 1) {
      await tracker.run({ task: `task-${index % 3}` }, async (run) => {
        for (const content of ['And?', 'Then?'])
          await openai.chat.completions.create({ model: 'gpt-4.1', messages: [{ role: 'user', content }] })
        await run.tool('web-search', { costUsd: '0.005' }, () => 'found')
      })
    }
    await tracker.close()
  }
  const names = Array.from({ length: agentsCount }, (_, index) => `agent-${index}`)
  const [ends] = await Promise.all([Promise.all(names.map((name) => runAgent(sandbox, name))), byHttp()])

  // Per run: a start, two calls, a tool and an end.
  const clean = { sent: runsEach * 5, queued: 0, rejected: 0, dropped: 0, sendFailures: 0, metered: runsEach * 2, failed: 0 }
  for (const { err, stats } of ends) expect([err, stats]).toEqual(['', expect.objectContaining(clean)])
  expect(tracker.stats()).toMatchObject(clean)

  const runs = (agentsCount + 1) * runsEach
  const cost = BigInt(runs) * (2n * callPico + toolPico)
  const { totals, rows } = await query(server.url, 'measure=cost,llmCalls,toolCalls,promptTokens,completionTokens,runs&by=agent&last=24h')
  expect({ ...totals, cost: pico(totals.cost) }).toEqual({
    cost,
    llmCalls: 2 * runs,
    toolCalls: runs,
    promptTokens: 2 * runs * 1_200,
    completionTokens: 2 * runs * 300,
    runs,
  })
  expect(rows.map(({ agent, cost: own }) => [agent, pico(own)]).toSorted()).toEqual(
    [...names, 'by-http'].toSorted().map((name) => [name, cost / BigInt(agentsCount + 1)]),
  )
  const summaries = await allRuns(server.url)
  expect(summaries).toHaveLength(runs)
  expect(sumOf(summaries.map(({ costUsd }) => pico(costUsd)))).toBe(cost)
  expect(summaries.filter(({ stopReason }) => stopReason !== 'completed')).toEqual([])

  // The server's metrics have caught up with what the agents wrote beside it.
  const llmCost = BigInt(2 * runs) * callPico
  expect(pico(await metric(server.url, 'agent_llm_cost_usd_total{model="gpt-4.1",release="unknown"}'))).toBe(llmCost)
  expect(await metric(server.url, 'ai_token_input_total{model="gpt-4.1"}')).toBe(String(2 * runs * 1_200))
  expect(await metric(server.url, 'agent_run_total{status="ok",stop_reason="completed",release="unknown"}')).toBe(String(runs))
  expect(await server.stop()).toBe(0)

  const sql =
    'SELECT count(*) AS calls, count(DISTINCT id) AS ids, sum(prompt_tokens) AS prompt, sum(completion_tokens) AS completion, sum(cost) AS cost FROM token_usage'
  expect(sandbox.rows(sql)).toEqual([
    {
      calls: 2 * runs,
      ids: 2 * runs,
      prompt: 2 * runs * 1_200,
      completion: 2 * runs * 300,
      cost: expect.closeTo(Number(llmCost) / 1e12, 9),
    },
  ])
  const report = JSON.parse((await sandbox.taximeter(['report', '--by', 'task', '--measure', 'llmCost', '--json'])).out)
  expect(pico(report.totals.llmCost)).toBe(llmCost)
}, 60_000)
