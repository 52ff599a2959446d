import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const main = join(import.meta.dirname, 'main.ts')

let folder: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-cli-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the command line in a process of its own, in the test's folder, to its end. */
const taximeter = (
  argv: readonly string[],
  { input = '', environment = {} }: { input?: string; environment?: Record<string, string> } = {},
): Promise<Finished> => {
  const child = spawn(process.execPath, [main, ...argv], { cwd: folder, env: { ...process.env, ...environment } })
  children.push(child)
  return new Promise((resolve) => {
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.end(input)
  })
}

/** Starts a server on a free port and waits until it says where it listens. */
const serve = (
  argv: readonly string[] = [],
): Promise<{ readonly url: string; readonly child: ChildProcess; readonly ended: Promise<number | null>; readonly log: () => string }> => {
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', ...argv], { cwd: folder })
  children.push(child)
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  let out = ''
  let err = ''
  child.stderr.on('data', (chunk) => (err += chunk))
  return new Promise((resolve, reject) => {
    child.on('close', () => reject(new Error(`The server ended: ${err}`)))
    child.stdout.on('data', (chunk) => {
      out += chunk
      const url = /listens on (\S+)/.exec(out)?.[1]
      if (url !== undefined) resolve({ url, child, ended, log: () => err })
    })
  })
}

const event = (index: number, more: Record<string, unknown> = {}) => ({
  id: `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`,
  at: Date.now(),
  kind: 'llm',
  provider: 'openai',
  model: 'gpt-4.1',
  usage: { input: 1_000, output: 500 },
  task: index % 2 === 0 ? 'refund' : 'search',
  session: 's-1',
  ...more,
})
const send = async (url: string, events: readonly unknown[]) =>
  (
    await fetch(`${url}/v1/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(events) })
  ).json()

describe('taximeter demo', () => {
  test('runs five tasks with real clients and its totals agree with the raw rows', async () => {
    const { code, out } = await taximeter(['demo', '--once'])
    expect(out).toContain('Totals agree with the 14 raw rows')
    for (const ended of ['completed', 'step_error', 'budget_exceeded']) expect(out).toMatch(new RegExp(`\\d  .*${ended}|${ended}`))
    expect(code).toBe(0)
  })
})

describe('taximeter serve', () => {
  test.runIf(process.platform === 'linux')(
    'shares one heap of the C library among its threads, in the process that was started',
    async () => {
      const { child } = await serve()
      expect(readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0')).toContain('MALLOC_ARENA_MAX=1')
    },
  )

  test('what it acknowledged is in the file after SIGTERM, and the report equals plain SQL', async () => {
    const { url, child, ended } = await serve()
    expect(await send(url, [event(1), event(2), event(3)])).toMatchObject({ counts: { accepted: 3 } })
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
    const report = JSON.parse(
      (await taximeter(['report', '--by', 'task', '--measure', 'cost,promptTokens,completionTokens', '--json'])).out,
    )
    const database = new DatabaseSync(join(folder, 'taximeter.db'), { readOnly: true })
    const rows = database
      .prepare(
        "SELECT task_type, SUM(cost) AS cost, SUM(prompt_tokens) AS prompt, SUM(completion_tokens) AS completion FROM token_usage WHERE date(timestamp) = date('now') GROUP BY task_type ORDER BY task_type",
      )
      .all()
    database.close()
    const reported = report.rows
      .map((row: Record<string, unknown>) => ({
        task_type: row.task,
        cost: Number(row.cost),
        prompt: row.promptTokens,
        completion: row.completionTokens,
      }))
      .toSorted((left: { task_type: string }, right: { task_type: string }) => (left.task_type < right.task_type ? -1 : 1))
    expect(rows.map((row) => ({ ...row, cost: expect.closeTo(Number(row.cost), 12) }))).toEqual(reported)
    // One row by hand: (1000 × 2 + 500 × 8) / 1_000_000.
    expect(reported[0]).toMatchObject({ task_type: 'refund', cost: 0.006, prompt: 1_000, completion: 500 })
  })

  test('a lowered daily threshold is warned of once, also across a restart', async () => {
    writeFileSync(join(folder, 'taximeter.yaml'), 'dailyBudgetUsd: 0.01\n')
    const warnings = (log: string) => log.split('\n').filter((line) => line.includes('Budget \\"daily\\" is spent'))
    const first = await serve()
    await send(first.url, [event(1)])
    await send(first.url, [event(2)])
    await send(first.url, [event(3), event(4)])
    first.child.kill('SIGTERM')
    await first.ended
    expect(warnings(first.log())).toHaveLength(1)
    const second = await serve()
    await send(second.url, [event(5)])
    second.child.kill('SIGTERM')
    await second.ended
    expect(warnings(second.log())).toEqual([])
  })

  test('SIGHUP puts another configuration in force, and a bad one changes nothing', async () => {
    const config = join(folder, 'taximeter.yaml')
    writeFileSync(config, 'budgets: [{name: own, scope: all, limit: $5, per: day}]\n')
    const { url, child, log } = await serve()
    const names = async () =>
      ((await (await fetch(`${url}/v1/budgets`)).json()) as { budgets: { name: string; limit: string }[] }).budgets
        .map(({ name, limit }) => `${name} ${Number(limit)}`)
        .toSorted()
    expect(await names()).toEqual(['daily 5', 'own 5'])
    writeFileSync(config, 'budgets: [{name: own, scope: all, limit: $7, per: day}]\n')
    child.kill('SIGHUP')
    await vi.waitFor(async () => expect(await names()).toEqual(['daily 5', 'own 7']))
    writeFileSync(config, 'budgets: [{name: own, scope: all, limit: lots, per: day}]\n')
    child.kill('SIGHUP')
    await vi.waitFor(() => expect(log()).toMatch(/taximeter\.yaml:1:\d+: budgets\[0\]\.limit/))
    expect(await names()).toEqual(['daily 5', 'own 7'])
  })

  test('refuses an address that others can reach while there are no keys', async () => {
    const { code, err } = await taximeter(['serve', '--host', '0.0.0.0', '--port', '0'])
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^BAD_CONFIG: To listen on 0\.0\.0\.0, which others can reach, configure client "keys" first/),
    ])
  })

  test('a port that is taken is said with what to do', async () => {
    const { url } = await serve()
    const { code, err } = await taximeter(['serve', '--port', new URL(url).port, '--data', 'other.db'])
    expect([code, err]).toEqual([1, expect.stringMatching(/^BAD_CONFIG: Port \d+ on 127\.0\.0\.1 is taken\. Choose another with --port/)])
  })

  test('a zone that does not exist is refused where it stands', async () => {
    const { code, err } = await taximeter(['serve'], { environment: { TAXIMETER_ZONE: 'Mars/Olympus' } })
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^BAD_CONFIG: TAXIMETER_ZONE: "zone": a time zone such as Europe\/Berlin or UTC; got "Mars\/Olympus"/),
    ])
  })

  test('a bad configuration is refused with its line', async () => {
    writeFileSync(join(folder, 'taximeter.yaml'), 'zone: UTC\nport: many\n')
    const { code, err } = await taximeter(['serve'])
    expect([code, err]).toEqual([1, expect.stringMatching(/^BAD_CONFIG: .*taximeter\.yaml:2:7: "port"/)])
  })
})

describe('taximeter report, runs, run, export and reprice', () => {
  const day = 86_400_000

  beforeEach(async () => {
    const { url, child, ended } = await serve()
    await send(url, [
      event(1, { run: 'r-1', release: '1', at: Date.now() - day }),
      event(2, { run: 'r-2', release: '2' }),
      event(3, { run: 'r-2', release: '2', task: '=HYPERLINK("x")' }),
      event(4, { model: 'gpt-99' }),
    ])
    child.kill('SIGTERM')
    await ended
  })

  test('a comparison shows both sides and the change', async () => {
    const { out } = await taximeter(['report', '--last', '1h', '--by', 'release', '--measure', 'cost', '--compare', 'previous'])
    expect(out).toMatch(/release\s+cost before\s+now\s+change/)
    const { previous } = JSON.parse(
      (await taximeter(['report', '--last', '12h', '--measure', 'cost', '--where', 'release:2', '--compare', 'release:1', '--json'])).out,
    )
    expect(previous.totals.cost).toBe('0.000000000000')
  })

  test('an explanation says what changed and of what the change is made', async () => {
    const { out } = await taximeter(['explain', '--last', '12h'])
    expect(out).toMatch(/^· Cost rose .* against the period before|^· Cost is \$0\.012; there was none in the period before\./)
    expect(out).toMatch(/task +runs +cost +cost per run +p95 +per hour +status +why/)
    const { readings } = JSON.parse((await taximeter(['explain', '--last', '12h', '--json'])).out)
    expect(readings[0].parts.reduce((sum: number, part: { amountUsd: string }) => sum + Number(part.amountUsd), 0)).toBeCloseTo(0.012, 12)
    expect((await taximeter(['explain', '--from', '2020-01-01', '--to', '2020-02-01'])).out).toBe(
      'No calls in this period, nor in the one before.\n',
    )
  })

  test('what is unpriced is said beside the total', async () => {
    expect((await taximeter(['report'])).out).toContain('1 unpriced (not in the total)')
  })

  test('CSV is exact and no cell is a formula', async () => {
    const { out } = await taximeter(['report', '--by', 'task', '--measure', 'cost', '--csv'])
    expect(out).toContain('"\'=HYPERLINK(""x"")",0.006000000000\r\n')
  })

  test('a run is a tree with the cost so far', async () => {
    const { out } = await taximeter(['run', 'r-2'])
    expect(out).toMatch(/run r-2 {2}\$0\.012 {2}running/)
    expect(out).toMatch(/├─ gpt-4\.1 1000 → 500 tokens {2}\$0\.006 {2}\(so far \$0\.012\)/)
    expect((await taximeter(['run', 'r-9'])).err).toMatch(/^NOT_FOUND: There is no run "r-9"/)
    expect((await taximeter(['runs'])).out).toMatch(/r-2 .*\$0\.012/)
  })

  test('an export has every counted call once', async () => {
    const lines = (await taximeter(['export', '--last', '7d'])).out.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).id).toSorted()).toEqual([1, 2, 3, 4].map((index) => event(index).id))
    expect((await taximeter(['export', '--last', '7d', '--format', 'csv'])).out.split('\r\n')).toHaveLength(6)
    expect(await taximeter(['export', '--last', '7d', '--format', 'parquet', '--output', 'calls.parquet'])).toMatchObject({
      code: 0,
      out: '',
    })
    expect(readFileSync(join(folder, 'calls.parquet')).toString('latin1')).toMatch(/^PAR1.*PAR1$/s)
  })

  test('repricing is shown first, kept with who and why, and does nothing twice', async () => {
    writeFileSync(join(folder, 'taximeter.yaml'), 'prices:\n  models:\n    openai/gpt-99: {rates: {input: "2", output: "8"}}\n')
    const from = new Date(Date.now() - 2 * day).toISOString()
    const dry = JSON.parse((await taximeter(['reprice', '--from', from, '--dry-run', '--json'])).out)
    expect(dry).toMatchObject({ changed: 1, beforeUsd: '0.000000000000', afterUsd: '0.006000000000' })
    expect((await taximeter(['reprice', '--from', from])).err).toContain('give --who and --why')
    await taximeter(['reprice', '--from', from, '--who', 'ada', '--why', 'a price at last'])
    expect(JSON.parse((await taximeter(['report', '--last', '7d', '--measure', 'cost', '--json'])).out).totals.cost).toBe('0.024000000000')
    expect((await taximeter(['reprice', '--from', from, '--who', 'ada', '--why', 'again'])).out).toContain('Nothing to correct')
  })

  test.each([
    [['--from', '2026-11-22', '--to', '2026-11-20', '--dry-run'], 1, /^BAD_QUESTION: "from" should be before "to"/],
    [['--from', 'last spring', '--dry-run'], 1, /^BAD_QUESTION: "from" should be a day/],
    [['--from', '2026-01-01', '--where', 'gpt-4.1', '--dry-run'], 1, /^BAD_QUESTION: A filter should look like/],
    [['--from', '2026-01-01', '--data', 'none.db', '--dry-run'], 1, /^NOT_FOUND: There is no ledger at none\.db/],
    [['--dry-run'], 1, /--from/],
    [['--from', '2026-01-01', '--model', 'gpt-100', '--dry-run'], 0, /^No model call matches in this period/],
  ])('repricing with %j says what is missing and changes nothing', async (argv, code, told) => {
    const before = (await taximeter(['report', '--last', '7d', '--measure', 'cost', '--json'])).out
    const finished = await taximeter(['reprice', ...argv])
    expect([finished.code, finished.out + finished.err]).toEqual([code, expect.stringMatching(told)])
    expect(JSON.parse((await taximeter(['report', '--last', '7d', '--measure', 'cost', '--json'])).out).totals).toEqual(
      JSON.parse(before).totals,
    )
  })
})

describe('taximeter quote', () => {
  const body = { model: 'gpt-4.1', object: 'chat.completion', usage: { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 } }

  test('a line is answered before the next one is sent', async () => {
    const child = spawn(process.execPath, [main, 'quote', '--jsonl'], { cwd: folder })
    children.push(child)
    const line = JSON.stringify({ provider: 'openai', body })
    const answers: unknown[] = []
    for (let turn = 0; turn < 3; turn++) {
      const answered = new Promise((resolve) => child.stdout.once('data', resolve))
      child.stdin.write(`${line}\n`)
      answers.push(JSON.parse(String(await answered)).charge.totalUsd)
    }
    expect(answers).toEqual(['0.006000000000', '0.006000000000', '0.006000000000'])
  })

  test('what has no rate is said beside what has one', async () => {
    const spoken = {
      modelVersion: 'gemini-2.5-flash',
      usageMetadata: { promptTokenCount: 8, candidatesTokenCount: 50, candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 50 }] },
    }
    const { out } = await taximeter(['quote', '--provider', 'google'], { input: JSON.stringify(spoken) })
    expect(out).toMatch(/output_audio +50 +has no rate +unpriced\ntotal +partial/)
  })

  test('answers each line in order, a bad one with a named error', async () => {
    const lines = [
      { provider: 'openai', body },
      'nonsense',
      { provider: 'openai', dialect: 'klingon', body },
      { provider: 'openai' },
      { provider: 'nobody', body },
    ]
    const { code, out } = await taximeter(['quote', '--jsonl'], {
      input: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
    })
    expect(code).toBe(0)
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { usage: { input: 1_000, output: 500 }, charge: { basis: 'computed', totalUsd: '0.006000000000' } },
      { error: { code: 'BAD_REQUEST' } },
      { error: { code: 'UNKNOWN_DIALECT' } },
      { error: { code: 'BAD_REQUEST' } },
      { charge: { basis: 'unpriced', reason: 'unknown-model' } },
    ])
  })

  test('reads one answer from standard input and shows the rates', async () => {
    const { out } = await taximeter(['quote', '--provider', 'openai'], { input: JSON.stringify(body) })
    expect(out).toMatch(/input\s+1000\s+\$2\.00 per 1000000\s+0\.002000000000/)
  })
})

describe('taximeter doctor', () => {
  test('is content with a fresh folder, and its one call costs what it costs by hand', async () => {
    const { code, out } = await taximeter(['doctor', '--json'], { environment: { TAXIMETER_PORT: '0' } })
    const { checks, facts } = JSON.parse(out)
    expect(checks.filter((check: { outcome: string }) => check.outcome !== 'ok')).toEqual([])
    expect(facts).toMatchObject({ node: process.version, 'port (environment)': '0' })
    expect(code).toBe(0)
  })

  test('is content with a discount: its one call is of the book as it comes', async () => {
    writeFileSync(join(folder, 'taximeter.yaml'), 'prices: { discounts: [{ provider: openai, multiply: 0.85 }] }\n')
    const { code, out } = await taximeter(['doctor'], { environment: { TAXIMETER_PORT: '0' } })
    expect([code, out]).toEqual([0, expect.stringContaining('✓ one call')])
  })

  test('a ledger that is none fails it, and the other checks are still made', async () => {
    writeFileSync(join(folder, 'taximeter.db'), 'this is no database, and long enough to be read as one'.repeat(20))
    const { code, out } = await taximeter(['doctor'], { environment: { TAXIMETER_PORT: '0' } })
    expect(out).toMatch(/✗ ledger: .*taximeter\.db/)
    expect(out).toContain('✓ one call')
    expect(code).toBe(1)
  })

  test('no secret is shown', async () => {
    const { out } = await taximeter(['doctor'], { environment: { TAXIMETER_HASH_KEY: 'canary-canary-canary', TAXIMETER_PORT: '0' } })
    expect(out).toContain('hashKey (environment)')
    expect(out).not.toContain('canary')
  })
})

describe('taximeter', () => {
  test('a ledger that does not exist is said, and none is made', async () => {
    const { code, err } = await taximeter(['report'])
    expect([code, err]).toEqual([1, expect.stringMatching(/^NOT_FOUND: There is no ledger at \.\/taximeter\.db/)])
  })

  test('an unknown command is said with those that exist, not with a stack', async () => {
    const { code, err } = await taximeter(['frobnicate'])
    expect([code, err]).toEqual([1, expect.stringMatching(/^BAD_REQUEST: There is no command "frobnicate"\. Use serve, .*doctor\.\n$/)])
  })

  test('a file that is not there is said, not with a stack', async () => {
    const { code, err } = await taximeter(['quote', 'answer.json'])
    expect([code, err]).toEqual([1, expect.stringMatching(/^NOT_FOUND: The answer answer\.json cannot be read: ENOENT[^\n]*\n$/)])
  })
})
