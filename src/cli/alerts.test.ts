import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPriceBook } from '../core/price-book.ts'
import { createIntake } from '../intake/intake.ts'
import { sqliteAlerts } from '../ledger/sqlite/alerts.ts'
import { sqliteStore } from '../ledger/sqlite/sqlite-store.ts'
import { bookJson } from '../pricing.ts'
import { alertsCommand } from './commands/alerts.ts'
import { doctorCommand } from './commands/doctor.ts'
import { reportCommand } from './commands/report.ts'
import type { Io } from './io.ts'

const hour = 3_600_000
const day = 24 * hour
const now = Date.parse('2026-11-22T12:00:00Z')

let folder: string
let receiver: Server
let received: string[]
let status: number
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-alerts-'))
  received = []
  status = 200
  receiver = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      received.push(body)
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  receiver.close()
  rmSync(folder, { recursive: true })
})

const data = (): string => join(folder, 'taximeter.db')

/** Runs a command in this process, with what it may touch handed in. */
const run = async (make: typeof alertsCommand, argv: readonly string[], config = '') => {
  const path = join(folder, 'taximeter.yaml')
  writeFileSync(path, config)
  const ran = { out: '', err: '', code: 0 }
  const io: Io = {
    out: (text) => void (ran.out += text),
    err: (text) => void (ran.err += text),
    input: Readable.from([]),
    environment: { TAXIMETER_CONFIG: path, TAXIMETER_DATA: data(), TAXIMETER_PORT: '0' },
    now: () => now,
    isTerminal: false,
    stop: new AbortController().signal,
    onReload: () => () => {},
    setExitCode: (code) => void (ran.code = code),
  }
  await make(io)
    .exitOverride()
    .parseAsync([...argv], { from: 'user' })
  return ran
}

/** Ten days of three calls an hour, and a loop today. */
const fill = async (): Promise<void> => {
  const store = await sqliteStore({ path: data(), durability: 'normal' })
  const book = createPriceBook(bookJson)
  const intake = createIntake({ store, book: () => book, now: () => now })
  const call = {
    kind: 'llm',
    provider: 'openai',
    model: 'gpt-4.1',
    usage: { input: 100_000, output: 10_000 },
    durationMs: 900,
    agent: 'support-bot',
    task: 'refund',
    release: '7',
  }
  const id = (index: number) => `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`
  const calls = Array.from({ length: 720 }, (_, index) => ({
    ...call,
    id: id(index),
    at: now - 10 * day + index * 20 * 60_000,
    run: `r-${index}`,
  }))
  const loop = Array.from({ length: 9 }, (_, index) => ({
    ...call,
    id: id(1_000 + index),
    at: now - hour + index,
    run: 'loop',
    promptHash: 'f'.repeat(32),
  }))
  const results = await intake.admit([...calls, ...loop], { source: 'sdk' })
  expect(results.every(({ outcome }) => outcome === 'accepted')).toBe(true)
  await store.close()
}

describe('taximeter alerts', () => {
  test('shows what is firing, then what was, and what was told with another', async () => {
    await fill()
    const store = await sqliteStore({ path: data() })
    const alerts = sqliteAlerts({ path: data() })
    const common = { key: '[]', severity: 'warning', segment: { task: 'refund' }, value: '3', threshold: '2', query: '' } as const
    await alerts.write({
      alerts: [
        {
          ...common,
          id: 'a',
          rule: 'old',
          state: 'resolved',
          message: 'It was too much.',
          startedAt: now - day,
          firedAt: now - day,
          resolvedAt: now - hour,
        },
        { ...common, id: 'b', rule: 'new', state: 'firing', message: 'It is too much.', startedAt: now - hour, firedAt: now - hour },
        { ...common, id: 'c', rule: 'same', state: 'firing', message: 'So it is.', startedAt: now - 2 * hour, firedAt: now, partOf: 'b' },
      ],
      dropped: [],
      deliveries: [],
      forgetBefore: 0,
    })
    await alerts.close()
    await store.close()
    const { out } = await run(alertsCommand, [])
    const cells = out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))
    expect(cells.slice(2, 5)).toEqual([
      ['firing', 'warning', 'new'],
      ['firing (told with another)', 'warning', 'same'],
      ['resolved', 'warning', 'old'],
    ])
    expect(JSON.parse((await run(alertsCommand, ['--json', '--limit', '1'])).out)).toMatchObject([{ rule: 'new', state: 'firing' }])
  })

  test('says so when nothing was found, and when there is no ledger', async () => {
    await expect(run(alertsCommand, [])).rejects.toThrow('NOT_FOUND: There is no ledger at')
    await fill()
    expect((await run(alertsCommand, [])).out).toBe('No rule has found anything.\n')
  })
})

describe('taximeter alerts test', () => {
  const hook = (): string => {
    const { port } = receiver.address() as AddressInfo
    return `notifiers:\n  - {name: hook, type: webhook, private: true, secret: canary-secret, url: "http://127.0.0.1:${port}/canary"}\n`
  }

  test('every notifier gets a message that says what it is', async () => {
    const { out, code, err } = await run(alertsCommand, ['test'], hook())
    expect([out, code]).toEqual(['✓ log: taken\n✓ hook: taken\n', 0])
    expect(received[0]).toContain('This is a test of taximeter’s alerts: nothing is wrong')
    expect(err).toContain('This is a test of taximeter’s alerts')
  })

  test('one that does not take it is named, with its reason and none of its secrets', async () => {
    status = 500
    const { out, err, code } = await run(alertsCommand, ['test', '--notifier', 'hook'], hook())
    expect([out, code]).toEqual(['✗ hook: answered 500\n', 1])
    expect(out + err).not.toContain('canary')
  })

  test('a notifier that is not there is a mistake', async () => {
    await expect(run(alertsCommand, ['test', '--notifier', 'pager'], hook())).rejects.toThrow(
      'There is no notifier "pager". There are log, hook.',
    )
  })
})

describe('taximeter alerts preview', () => {
  const rules = `defaultAlerts: none
alerts:
  - {name: loop, kind: repeat, floorUsd: 0}
  - {name: dear-hour, kind: threshold, measure: cost, window: 1h, above: 1}
  - {name: never, kind: threshold, measure: cost, window: 1h, above: 1000}
`
  test('says of every rule when it would have fired', async () => {
    await fill()
    const { out } = await run(alertsCommand, ['preview', '--last', '7d'], rules)
    expect(out).toMatch(/^loop: would have fired once\n {2}2026-11-22 12:00Z {2}run “loop”/m)
    expect(out).toMatch(/^dear-hour: would have fired once\n/m)
    expect(out).toMatch(/^never: would not have fired$/m)
    const json = JSON.parse((await run(alertsCommand, ['preview', '--last', '7d', '--rule', 'never', '--json'], rules)).out)
    expect(json).toMatchObject([{ rule: 'never', isComplete: true, fired: [] }])
  })

  test('a rule or a span that does not exist is a mistake', async () => {
    await fill()
    const unknown = run(alertsCommand, ['preview', '--rule', 'x'], rules)
    await expect(unknown).rejects.toThrow('There is no rule "x". There are loop, dear-hour, never.')
    await expect(run(alertsCommand, ['preview', '--last', 'long'], rules)).rejects.toThrow('--last should be a span up to 90d')
  })
})

describe('taximeter doctor', () => {
  test('counts the nine points and says what to add', async () => {
    await fill()
    const { out } = await run(doctorCommand, [], 'budgets: [{name: month, limit: $500, per: month}]\n')
    expect(out).toContain('Progress: 8/9\n')
    expect(out).toContain('✓ Calls belong to runs: 100 % of')
    expect(out).toMatch(/· Tools have costs: .*\n {4}add {2}await run\.tool\(/)
  })

  test('a rule that cannot be read is told, and hides nothing else', async () => {
    const { out, code } = await run(
      doctorCommand,
      [],
      'defaultAlerts: none\nalerts: [{name: x, kind: threshold, measure: spend, above: 1}]\n',
    )
    expect(out).toMatch(/✗ alerts: .*taximeter\.yaml.*measure.* should be a measure/)
    expect(out).toContain('· An alert watches the dearest runs (p95)')
    expect(code).toBe(1)
  })
})

test('taximeter report --forecast says what the month and the budgets come to', async () => {
  await fill()
  const { out } = await run(reportCommand, ['--forecast'], 'budgets: [{name: month, limit: $500, per: month}]\n')
  expect(out).toMatch(/^month +\$\d+\.\d\d +\$\d+\.\d\d +\$\d+\.\d\d – \$\d+\.\d\d +2026-12-01 00:00Z$/m)
  expect(out).toMatch(/^month +all +\$500\.00 +\$\d+\.\d\d +\$\d+\.\d\d +.* it lasts$/m)
  const json = JSON.parse((await run(reportCommand, ['--forecast', '--json'])).out)
  expect(json.total.map(({ period }: { period: string }) => period)).toEqual(['day', 'week', 'month'])
})
