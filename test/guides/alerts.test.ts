import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alertsCommand } from '../../src/cli/commands/alerts.ts'
import type { Io } from '../../src/cli/io.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { defaultRules } from '../../src/guard/alerts/default-rules.ts'
import type { EventJson } from '../../src/intake/event-json.ts'
import { createIntake } from '../../src/intake/intake.ts'
import { sqliteStore } from '../../src/ledger/sqlite/sqlite-store.ts'
import { bookJson } from '../../src/pricing.ts'
import { freePort, until } from '../prometheus/programs.ts'

// What docs/guides/alerts.md shows, done on a ledger in which it happened.

const page = readFileSync(resolve(import.meta.dirname, '../../docs/guides/alerts.md'), 'utf8')
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code)

const hour = 3_600_000
const now = Date.parse('2026-11-22T15:00:00Z')
const folder = mkdtempSync(join(tmpdir(), 'taximeter-guide-'))
const path = (name: string): string => join(folder, name)

beforeAll(fill, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

/** Four weeks of twelve refunds an hour; today a run that goes round, and then a release whose prompts are five times as long. */
async function fill(): Promise<void> {
  const store = await sqliteStore({ path: path('taximeter.db'), durability: 'normal' })
  const book = createPriceBook(bookJson)
  const intake = createIntake({ store, book: () => book, now: () => now })
  const common = { kind: 'llm', provider: 'openai', model: 'gpt-4.1', agent: 'support-bot', task: 'refund', durationMs: 900 } as const
  const id = (index: number) => `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`
  const steady = Array.from({ length: 4 * 168 * 12 }, (_, index) => {
    const at = now - 4 * 168 * hour + index * 5 * 60_000
    const isNew = at >= now - hour
    const usage = { input: isNew ? 500_000 : 100_000, output: 10_000 }
    return { ...common, id: id(index), at, usage, run: `r-${index}`, release: isNew ? '8' : '7' }
  })
  const loop = Array.from({ length: 9 }, (_, index) => {
    const usage = { input: 100_000, output: 10_000 }
    return {
      ...common,
      id: id(100_000 + index),
      at: now - 90 * 60_000 + index,
      usage,
      run: 'r-loop',
      release: '7',
      promptHash: 'f'.repeat(32),
    }
  })
  const events = [...steady, ...loop] as readonly EventJson[]
  for (let from = 0; from < events.length; from += 1_000) {
    const results = await intake.admit(events.slice(from, from + 1_000), { source: 'sdk' })
    expect(results.every(({ outcome }) => outcome === 'accepted')).toBe(true)
  }
  await store.close()
}

const alerts = async (argv: readonly string[], config = ''): Promise<string> => {
  let out = ''
  writeFileSync(path('taximeter.yaml'), config)
  const io: Io = {
    out: (text) => void (out += text),
    err: () => {},
    input: Readable.from([]),
    environment: { TAXIMETER_CONFIG: path('taximeter.yaml'), TAXIMETER_DATA: path('taximeter.db') },
    now: () => (argv[0] === 'test' ? Date.now() : now),
    isTerminal: false,
    stop: new AbortController().signal,
    onReload: () => () => {},
    setExitCode: () => {},
  }
  await alertsCommand(io)
    .exitOverride()
    .parseAsync([...argv], { from: 'user' })
  return out
}

test('the rules that are on from the start are those of the table', () => {
  const rows = [...page.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name)
  expect(rows).toEqual(defaultRules(5).map(({ name }) => name))
})

describe('commands answer as it is shown', () => {
  const shown = blocks('console').map((block): [string, string] => {
    const [first = '', ...rest] = block.split('\n')
    return [first.replace(/^\$ npx taximeter /, ''), rest.join('\n').trimEnd()]
  })
  test.each(shown.filter(([command]) => !command.startsWith('alerts test')))('%s', async (command, answer) => {
    expect((await alerts(command.split(' ').slice(1))).trimEnd()).toBe(answer)
  })
})

test('the receiver takes what is signed, and neither what is forged nor what is old', async () => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/alerts`
  writeFileSync(path('receiver.ts'), (blocks('ts')[0] ?? '').replace('9099', String(port)))
  writeFileSync(path('hook-secret'), 'a secret')
  for (const name of ['slack-url', 'pagerduty-key']) writeFileSync(path(name), 'https://example.com/hook')
  const receiver = spawn(process.execPath, [path('receiver.ts')], { env: { ...process.env, HOOK_SECRET: 'a secret' } })
  let heard = ''
  receiver.stdout.on('data', (chunk) => (heard += chunk))
  try {
    const post = (headers: Record<string, string>) => fetch(url, { method: 'POST', body: '{"alerts":[]}', headers })
    await until('the receiver listens', async () => (await post({})).status)
    const config = blocks('yaml').find((yaml) => yaml.includes('type: webhook')) ?? ''
    const [, command = '', answer] =
      /^\$ npx taximeter alerts (test .*)\n(.*)\n$/.exec(blocks('console').find((each) => each.includes('alerts test')) ?? '') ?? []
    expect((await alerts(command.split(' '), config.replace('9099', String(port)))).trimEnd()).toBe(answer)
    expect(heard).toMatch(/^firing test: This is a test of taximeter’s alerts/)
    expect(
      (await post({ 'x-taximeter-timestamp': String(Date.now() / 1_000), 'x-taximeter-signature': `sha256=${'0'.repeat(64)}` })).status,
    ).toBe(401)
    expect((await post({})).status).toBe(401)
  } finally {
    receiver.kill()
  }
})
