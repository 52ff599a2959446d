import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventJson } from '../../src/index.ts'
import { createPlayback, playChat, playGemini, playMessages, playOllama, playResponses } from '../../src/testing.ts'

const root = resolve(import.meta.dirname, '../..')
const entryOf = (name: string): string => JSON.stringify(pathToFileURL(join(root, `src/${name}.ts`)).href)

/** The TypeScript of a guide as it stands there; only the package's name becomes the place of its source. */
const snippetsOf = (guide: string): readonly string[] =>
  [...readFileSync(join(root, 'docs/guides', guide), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) =>
    code.replaceAll("'taximeter'", entryOf('index')).replaceAll("'taximeter/embedded'", entryOf('embedded')),
  )

const answering = () => {
  const events: EventJson[] = []
  const playback = createPlayback({
    'POST /v1/chat/completions': playChat(),
    'POST /v1/responses': playResponses(),
    'POST /v1/messages': playMessages(),
    'POST /v1beta/models/*': playGemini(),
    'POST /v1/models/*': playGemini(),
    'POST /api/chat': playOllama(),
    'POST /v1/events': ({ body }) => {
      const batch = body as unknown as readonly EventJson[]
      events.push(...batch)
      const results = batch.map(({ id, kind }) => ({
        id,
        outcome: 'accepted',
        ...(kind !== 'run' && { costUsd: '0.1', basis: 'computed' }),
      }))
      return { body: JSON.stringify({ results }) }
    },
  })
  return { playback, events }
}

const folder = mkdtempSync(join(tmpdir(), 'taximeter-guides-'))
const upstream = answering()
let url = ''
beforeAll(async () => {
  url = await upstream.playback.listen()
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
})
afterAll(async () => {
  await upstream.playback.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a snippet as a program of its own, with the packages of this repository. */
const runSnippet = async (code: string): Promise<string> => {
  const shim = pathToFileURL(join(import.meta.dirname, 'guide-upstream.ts')).href
  const file = join(folder, `${randomUUID()}.ts`)
  writeFileSync(file, code)
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', shim, file], {
    cwd: folder,
    timeout: 30_000,
    env: {
      PATH: process.env.PATH,
      PLAYBACK_URL: url,
      OPENAI_API_KEY: 'sk-test',
      ANTHROPIC_API_KEY: 'sk-ant-test',
      GEMINI_API_KEY: 'test',
    },
  })
  return stdout
}

const metered = (from: number) =>
  upstream.events
    .slice(from)
    .filter(({ kind }) => kind === 'llm')
    .map(({ provider, model, status, quality, agent }) => [provider, model, status, quality, agent])

describe('meter-your-agent.md', () => {
  const snippets = snippetsOf('meter-your-agent.md')
  const expected: readonly [string, readonly (readonly [string, string])[]][] = [
    ['a run and a tool', [['openai', 'gpt-4.1-mini']]],
    ['openai', [['openai', 'gpt-4.1-mini']]],
    ['anthropic', [['anthropic', 'claude-sonnet-4-6']]],
    ['google-genai', [['google', 'gemini-2.5-flash']]],
    ['ai', [['openai', 'gpt-4.1-mini']]],
    [
      'langchain',
      [
        ['openai', 'gpt-4.1-mini'],
        ['anthropic', 'claude-sonnet-4-6'],
      ],
    ],
    ['ollama', [['ollama', 'llama3.2']]],
  ]

  test.each(expected)('%s: the snippet runs as it stands and its calls are metered', async (name, calls) => {
    const before = upstream.events.length
    await runSnippet(snippets[expected.findIndex(([known]) => known === name)] ?? 'throw new Error("no snippet")')
    expect(metered(before)).toEqual(calls.map((call) => [...call, 'ok', 'complete', 'support-bot']))
  })

  test('the first snippet: its run, its tool and its end are recorded', async () => {
    const before = upstream.events.length
    await runSnippet(snippets[0] ?? '')
    expect(upstream.events.slice(before)).toMatchObject([
      { kind: 'run', phase: 'start', task: 'refund', session: 's-1', release: '2026-11-22' },
      { kind: 'llm' },
      { kind: 'tool', tool: 'order-lookup', costUsd: '0.005000000000' },
      { kind: 'run', phase: 'end', stopReason: 'completed' },
    ])
  })

  test('the budget stops the loop', async () => {
    const before = upstream.events.length
    expect(await runSnippet(snippets.at(-1) ?? '')).toBe('Stopped at $0.300000000000 of $0.250000000000\n')
    expect(metered(before)).toHaveLength(3)
    expect(upstream.events.at(-1)).toMatchObject({ phase: 'end', stopReason: 'budget_exceeded' })
  })

  test('every snippet is tried', () => {
    expect(snippets).toHaveLength(expected.length + 1)
  })
})

test('meter-without-a-server.md: the snippet runs as it stands, and its report, answer and metrics tell of its calls', async () => {
  const [snippet = '', ...more] = snippetsOf('meter-without-a-server.md')
  expect(more).toEqual([])
  const before = upstream.events.length
  const told = await runSnippet(snippet)
  expect(upstream.events).toHaveLength(before)
  expect(told).toMatch(/refund\s.*support-bot/)
  expect(told).toContain("model: 'gpt-4.1-mini'")
  expect(told).toMatch(/^ai_token_output_total\{model="gpt-4\.1-mini"\} 9$/m)
  expect(told).toMatch(/^agent_tool_cost_usd_total\{.*tool="web-search".*\} 0\.005$/m)
})
