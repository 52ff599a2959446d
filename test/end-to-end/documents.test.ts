import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPlayback, playChat } from '../../src/testing.ts'
import { allEntries, pico, post, query } from './asking.ts'
import { openSandbox, type Sandbox, type Serving } from './sandbox.ts'

// What README.md and the guides say, done as they say it, by somebody who knows nothing else.

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const blocksOf = (path: string, language: string): readonly string[] =>
  [...read(path).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code)
const guides = readdirSync(join(root, 'docs/guides')).map((name) => `docs/guides/${name}`)
const references = readdirSync(join(root, 'docs/reference')).map((name) => `docs/reference/${name}`)
const pages = ['README.md', ...guides, ...references]

let sandbox: Sandbox
let server: Serving
const upstream = createPlayback({ 'POST /v1/chat/completions': playChat({ input: 1_000, output: 500 }) })
let upstreamUrl = ''
beforeAll(async () => {
  upstreamUrl = await upstream.listen()
  sandbox = openSandbox()
  server = await sandbox.serve()
  writeFileSync(sandbox.path('package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), sandbox.path('node_modules'))
})
afterAll(async () => {
  await server?.stop()
  await upstream.close()
  await sandbox?.[Symbol.asyncDispose]()
})

/** A program of the documents, as it stands there but for where things are. */
const runProgram = (name: string, code: string) => {
  const entry = JSON.stringify(pathToFileURL(join(root, 'src/index.ts')).href)
  writeFileSync(sandbox.path(name), code.replaceAll("'taximeter'", entry).replaceAll('http://127.0.0.1:4141', server.url))
  const env = { ...process.env, OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: `${upstreamUrl}/v1` }
  return promisify(execFile)(process.execPath, [sandbox.path(name)], { cwd: sandbox.folder, env, timeout: 20_000 })
}

test("the README's program is metered: a run, its call and its tool, priced by hand", async () => {
  const [program = ''] = blocksOf('README.md', 'ts')
  await runProgram('readme.ts', `const search = async (text: string) => [text]\n${program}`)
  const entries = await allEntries(server.url, 'last=24h&where=task:refund')
  expect(entries.map((entry) => [entry.kind, entry.agent, entry.release, entry.status])).toEqual([
    ['llm', 'support-bot', '2026-11-22', 'ok'],
    ['tool', 'support-bot', '2026-11-22', 'ok'],
  ])
  // (1,000 × $2 + 500 × $8) / 1,000,000, and half a cent for the tool.
  const { totals } = await query(server.url, 'measure=cost,llmCost,toolCost&where=task:refund&last=24h')
  expect(totals).toEqual({ cost: '0.011000000000', llmCost: '0.006000000000', toolCost: '0.005000000000' })
})

test('the program of docs/guides/budgets.md asks the server before each call, and gives back what it leased', async () => {
  const [program = ''] = blocksOf('docs/guides/budgets.md', 'ts')
  const { stderr } = await runProgram('budgets.ts', program)
  expect(stderr).toBe('')
  expect(await allEntries(server.url, 'last=24h&where=model:gpt-4.1-mini')).toHaveLength(1)
})

test('the plain SQL that the documents show gives what the report gives', async () => {
  const shown = pages.flatMap((page) => blocksOf(page, 'sql'))
  expect(shown.length).toBeGreaterThanOrEqual(3)
  const { rows } = await query(
    server.url,
    `measure=llmCost,promptTokens,completionTokens&by=task&where=kind:llm&from=${new Date().toISOString().slice(0, 10)}&tz=UTC`,
  )
  const costs = rows.map(({ task, llmCost }) => [task, pico(llmCost)])
  for (const sql of shown) {
    const found = sandbox.rows(sql).map((row) => [row.task_type, BigInt(Math.round(Number(row['SUM(cost)']) * 1e12))])
    expect(found.toSorted(), sql).toEqual(costs.toSorted())
  }
})

describe('every command that the documents show works as it stands', () => {
  const shown = pages.flatMap((page) =>
    blocksOf(page, 'sh').flatMap((block) => [...block.matchAll(/^npx taximeter ([a-z].*?)\s*(?:#.*)?$/gm)]),
  )
  const commands = [...new Set(shown.map(([, argv = '']) => argv))]

  test('there are some', () => {
    expect(commands).toEqual(expect.arrayContaining(['report --by task', 'doctor']))
  })

  test.each(commands)('npx taximeter %s', async (command) => {
    const { code, out, err } = await sandbox.taximeter(command.split(' '), { environment: { TAXIMETER_URL: server.url } })
    expect([code, err]).toEqual([0, ''])
    expect(out.trim().split('\n').length).toBeGreaterThan(2)
  })

  test('npx taximeter alone serves, and says where', async () => {
    await using own = openSandbox()
    const child = own.start([], { environment: { TAXIMETER_PORT: '0' } })
    const said = await new Promise<string>((resolve) => child.stdout?.once('data', (chunk) => resolve(String(chunk))))
    expect(said).toMatch(/^taximeter listens on http:\/\/127\.0\.0\.1:\d+ and keeps \.\/taximeter\.db/)
  })
})

describe('every configuration that the documents show is one', () => {
  const shown = pages.flatMap((page) => blocksOf(page, 'yaml').map((yaml, index) => [`${page} ${index + 1}`, yaml] as const))

  test.each(shown)('%s', async (_, yaml) => {
    await using own = openSandbox()
    own.configure(yaml)
    for (const [, file = ''] of yaml.matchAll(/_file: (?:\.\/)?([\w-]+)/g))
      writeFileSync(own.path(file), file.includes('url') ? 'https://example.com/hook' : 'sk-test')
    const { out, err } = await own.taximeter(['doctor', '--json'], { environment: { TAXIMETER_PORT: '0' } })
    expect(err).toBe('')
    const { checks, facts } = JSON.parse(out) as {
      checks: { name: string; outcome: string; says: string }[]
      facts: Record<string, string>
    }
    expect(checks.filter(({ outcome }) => outcome !== 'ok')).toEqual([])
    expect(facts['configuration file']).toContain('taximeter.yaml')
  })
})

test('the events of docs/reference/http.md are taken as they are written there', async () => {
  const page = read('docs/reference/http.md')
  const [, event = ''] = /\/v1\/events -d '([^']+)'/.exec(page) ?? []
  expect((await post(server.url, event)).body.counts).toEqual({ accepted: 1, duplicate: 0, rejected: 0 })
})
