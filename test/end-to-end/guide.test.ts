import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Ollama } from 'ollama'
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { TokenTracker } from '../../src/index.ts'
import { createPlayback, playChat, playGemini, playMessages, playOllama } from '../../src/testing.ts'
import { allEntries, metric, pico, query, rowsBy } from './asking.ts'
import { openSandbox } from './sandbox.ts'

const upstream = () =>
  createPlayback({
    'POST /v1/chat/completions': playChat({ input: 1_000, output: 500 }),
    'POST /v1/messages': playMessages({ input: 2_000, output: 300, cacheRead: 400 }),
    'POST /v1/models/*': playGemini({ input: 700, output: 90 }),
    'POST /api/chat': playOllama({ input: 60, output: 12 }),
  })

test('five tasks with real clients: rows with tokens, a cost that is right by hand, totals that equal SQL, one warning', async () => {
  await using sandbox = openSandbox()
  const server = await sandbox.serve({ environment: { TAXIMETER_DAILY_BUDGET_USD: '0.01' } })
  const playback = upstream()
  const url = await playback.listen()
  const host = new URL(url).host
  const trackers = ['openai', 'anthropic', 'google', 'ollama'].map(
    (provider) => [provider, new TokenTracker({ url: server.url, agent: 'guide', session: 's-1', hosts: { [host]: provider } })] as const,
  )
  const trackerOf = (name: string): TokenTracker => trackers.find(([provider]) => provider === name)?.[1] ?? new TokenTracker()
  const messages = [{ role: 'user' as const, content: 'What is the fare?' }]
  const openai = new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, fetch: trackerOf('openai').fetch })
  const anthropic = new Anthropic({ apiKey: 'k', baseURL: url, fetch: trackerOf('anthropic').fetch })
  const ollama = new Ollama({ host: url, fetch: trackerOf('ollama').fetch })

  await trackerOf('openai').run({ task: 'plain' }, () => openai.chat.completions.create({ model: 'gpt-4.1', messages }))
  await trackerOf('openai').run({ task: 'stream' }, async () => {
    for await (const _ of await openai.chat.completions.create({ model: 'gpt-4.1', messages, stream: true }));
  })
  await trackerOf('anthropic').run({ task: 'cached' }, () =>
    anthropic.messages.create({ model: 'claude-sonnet-4-6', max_tokens: 300, messages }),
  )
  const undo = trackerOf('google').patchGlobalFetch()
  await trackerOf('google').run({ task: 'patched' }, () =>
    new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: url } }).models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'Fare?',
    }),
  )
  undo()
  await trackerOf('ollama').run({ task: 'local' }, () => ollama.chat({ model: 'llama3.2', messages }))
  await Promise.all(trackers.map(([, tracker]) => tracker.close()))
  await playback.close()

  const rows = sandbox.rows('SELECT * FROM token_usage ORDER BY timestamp')
  expect(rows.map((row) => [row.task_type, row.session_id, row.model, row.prompt_tokens, row.completion_tokens])).toEqual([
    ['plain', 's-1', 'gpt-4.1', 1_000, 500],
    ['stream', 's-1', 'gpt-4.1', 1_000, 500],
    ['cached', 's-1', 'claude-sonnet-4-6', 2_400, 300],
    ['patched', 's-1', 'gemini-2.5-flash', 700, 90],
    ['local', 's-1', 'llama3.2', 60, 12],
  ])
  // By hand, from the providers' own price pages: $2 and $8; $3, $0.30 and $15; $0.30 and $2.50 per million; a local model is free.
  const byHand = {
    plain: (1_000 * 2 + 500 * 8) / 1_000_000,
    stream: (1_000 * 2 + 500 * 8) / 1_000_000,
    cached: (2_000 * 3 + 400 * 0.3 + 300 * 15) / 1_000_000,
    patched: (700 * 0.3 + 90 * 2.5) / 1_000_000,
    local: 0,
  }
  expect(Object.fromEntries(rows.map((row) => [row.task_type, row.cost]))).toEqual(
    Object.fromEntries(Object.entries(byHand).map(([task, usd]) => [task, expect.closeTo(usd, 12)])),
  )

  const report = JSON.parse((await sandbox.taximeter(['report', '--measure', 'cost,promptTokens,completionTokens', '--json'])).out)
  const today = sandbox.rows(
    "SELECT task_type, SUM(cost) AS cost, SUM(prompt_tokens) AS prompt, SUM(completion_tokens) AS completion FROM token_usage WHERE date(timestamp) = date('now') GROUP BY task_type",
  )
  const reported = rowsBy(report.rows, 'task')
  expect(today).toHaveLength(reported.size)
  for (const row of today) {
    const same = reported.get(String(row.task_type))
    expect([row.prompt, row.completion]).toEqual([same?.promptTokens, same?.completionTokens])
    expect(pico(same?.cost)).toBe(BigInt(Math.round(Number(row.cost) * 1e12)))
  }
  expect(pico((await query(server.url, 'measure=cost&last=24h')).totals.cost)).toBe(pico(report.totals.cost))
  expect(await metric(server.url, 'ai_token_input_total{model="gpt-4.1"}')).toBe('2000')
  expect(await allEntries(server.url, 'last=24h')).toHaveLength(5)

  await server.stop()
  const warnings = server
    .log()
    .split('\n')
    .filter((line) => line.includes('Budget \\"daily\\" is spent'))
  expect(warnings).toHaveLength(1)
})
