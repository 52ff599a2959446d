import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify as yamlText } from 'yaml'
import { type Listening, listen } from '../../src/cli/listen.ts'
import { createLog } from '../../src/cli/log.ts'
import { type Wired, wire } from '../../src/cli/wire.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import {
  type Alertmanager,
  deploy,
  evaluatedRules,
  expectPrograms,
  isSkipped,
  type Prometheus,
  programs,
  type Receiver,
  startAlertmanager,
  startPrometheus,
  startReceiver,
} from './monitoring.ts'
import { run, until } from './programs.ts'

// What stands in deploy/, in the programs that it is written for. taximeter's own alerts in them: test/fleet.

describe.skipIf(isSkipped)('a real Prometheus and Alertmanager', { timeout: 60_000 }, () => {
  let folder: string
  let wired: Wired
  let server: Listening
  let receiver: Receiver
  let prometheus: Prometheus
  let alertmanager: Alertmanager

  beforeAll(async () => {
    expectPrograms()
    folder = mkdtempSync(join(tmpdir(), 'taximeter-prometheus-'))
    receiver = await startReceiver()
    await startServer()
    alertmanager = await startAlertmanager(folder, receiver.url)
    prometheus = await startPrometheus({ folder, target: server.url, alertmanager: alertmanager.url, hasShortHolds: true })
    await play()
  })

  afterAll(async () => {
    await Promise.all([prometheus?.stop(), alertmanager?.stop()])
    await server?.close()
    await wired?.close()
    receiver?.close()
    rmSync(folder, { recursive: true })
  })

  /** taximeter as it is started, with a budget that is about to be spent. */
  const startServer = async (): Promise<void> => {
    const path = join(folder, 'taximeter.yaml')
    const config = {
      data: join(folder, 'taximeter.db'),
      dailyBudgetUsd: '0',
      budgets: [{ name: 'month', limit: '$10', per: 'month', onExceed: 'warn' }],
    }
    writeFileSync(path, yamlText(config))
    wired = await wire(loadConfig({ path, isOptional: false, environment: {} }), { log: createLog('silent', () => {}), now: Date.now })
    server = await listen(wired.server, { host: '127.0.0.1', port: 0, hasKeys: false })
  }

  /** Three runs of one agent: they cost $9.03 of the ten, one call has no price. */
  const play = async (): Promise<void> => {
    const at = Date.now() - 1_000
    const id = (index: number) => `019ab000-0000-7000-8000-${String(index).padStart(12, '0')}`
    const common = { at, agent: 'support-bot', task: 'refund', release: '7' }
    const events = [1, 2, 3].flatMap((run) => [
      {
        ...common,
        id: id(run),
        kind: 'llm',
        provider: 'openai',
        model: 'gpt-4.1',
        usage: { input: 1_000_000, output: 125_000 },
        run: `r-${run}`,
      },
      { ...common, id: id(10 + run), kind: 'tool', tool: 'search', costUsd: '0.01', status: 'ok', run: `r-${run}` },
      { ...common, id: id(20 + run), kind: 'run', phase: 'end', status: 'ok', stopReason: 'completed', run: `r-${run}` },
    ])
    const unpriced = { ...common, id: id(40), kind: 'llm', provider: 'acme', model: 'acme-1', usage: { input: 10, output: 1 } }
    const response = await fetch(`${server.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([...events, unpriced]),
    })
    expect(await response.json()).toMatchObject({ counts: { accepted: 10, rejected: 0 } })
  }

  /** What somebody was told of who is named in it. */
  const heardOf = (text: string) => async () => receiver.received.find(({ body }) => body.includes(text))

  test('the target is up, and ai_token_input_total answers', async () => {
    expect((await prometheus.answered('up{job="taximeter"} == 1')).length).toBe(1)
    const [tokens] = await prometheus.answered('ai_token_input_total{model="gpt-4.1"} > 0')
    expect(tokens?.value[1]).toBe('3000000')
    const [cents] = await prometheus.answered('ai_inference_cost_cents_total{model="gpt-4.1"}')
    expect(Number(cents?.value[1])).toBe(900)
    const [runs] = await prometheus.answered('agent_run_total{status="ok",stop_reason="completed",release="7"} > 0')
    expect(runs?.value[1]).toBe('3')
  })

  test('every rule is loaded, is well, and records what it should', async () => {
    const rules = await evaluatedRules(prometheus)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    const written = readdirSync(join(deploy, 'prometheus'))
      .filter((name) => name.endsWith('.rules.yml'))
      .map((name) => readFileSync(join(deploy, 'prometheus', name), 'utf8'))
      .join('\n')
    expect(rules.length).toBe([...written.matchAll(/^\s+- (?:record|alert): /gm)].length)
    const [ratio] = await prometheus.answered('budget:taximeter_budget_spent:ratio{budget="month"} > 0')
    expect(Number(ratio?.value[1])).toBeCloseTo(0.903, 6)
  })

  test('an alert on a budget goes through Alertmanager to its receiver', async () => {
    const told = await until('the receiver heard of the budget', heardOf('"TaximeterBudgetLow"'))
    expect(told.path).toBe('/team')
    expect(told.body).toContain('Four fifths of budget month are spent')
    expect(told.body).toContain('90.3% of it is spent.')
    // The lower threshold is passed too, and is not worth a message of its own.
    await prometheus.answered('ALERTS{alertname="TaximeterBudgetHalf",alertstate="firing"}')
    expect(await heardOf('TaximeterBudgetHalf')()).toBeUndefined()
    expect(await until('the receiver heard of the model', heardOf('Model acme-1 has no price'))).toBeTruthy()
  })

  test('every panel of every dashboard asks what Prometheus understands', async () => {
    const expressions = readdirSync(join(deploy, 'grafana/dashboards')).flatMap((name) => {
      const { panels } = JSON.parse(readFileSync(join(deploy, 'grafana/dashboards', name), 'utf8')) as {
        panels: { targets: { expr: string }[] }[]
      }
      return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    })
    expect(expressions.length).toBeGreaterThan(40)
    for (const expr of expressions)
      await prometheus.query(expr.replaceAll('$__rate_interval', '1m').replace(/\$(instance|release|budget)/g, '.*'))
    const spend = expressions.find((expr) => expr.includes('taximeter_budget_limit_usd') && expr.includes('reserved')) ?? ''
    const [left] = await prometheus.query(spend.replace(/\$(instance|budget)/g, '.*'))
    expect(Number(left?.value[1])).toBeCloseTo(0.97, 6)
  })

  test('every question of the guide is answered, and its configuration is one', async () => {
    const page = readFileSync(resolve(deploy, '../docs/guides/prometheus.md'), 'utf8')
    const blocks = (language: string): string =>
      [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code).join('')
    const questions = blocks('promql').trim().split('\n')
    expect(questions.length).toBeGreaterThan(6)
    for (const question of questions) {
      // Nothing has been increasing for long enough yet, and a forecast takes six hours: those are asked, and the others answer.
      if (/rate|p95|forecast/.test(question)) await prometheus.query(question)
      else expect((await prometheus.answered(question)).length, question).toBeGreaterThan(0)
    }
    writeFileSync(join(folder, 'guide.yml'), blocks('yml'))
    expect(run(programs.promtool ?? '', ['check', 'config', join(folder, 'guide.yml')]).code).toBe(0)
  })

  test('promtool finds nothing wrong with the metrics, the configuration, the rules and their tests', async () => {
    const promtool = programs.promtool ?? ''
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(run(promtool, ['check', 'metrics'], { input: metrics })).toEqual({ code: 0, out: '' })
    const inDeploy = { cwd: join(deploy, 'prometheus') }
    expect(run(promtool, ['check', 'config', 'prometheus.yml'], inDeploy).code).toBe(0)
    expect(run(promtool, ['check', 'rules', 'recording.rules.yml', 'alerts.rules.yml'], inDeploy).code).toBe(0)
    const tested = run(promtool, ['test', 'rules', ...readdirSync(inDeploy.cwd).filter((name) => name.endsWith('.test.yml'))], inDeploy)
    expect(tested.out).not.toContain('FAILED')
    expect(tested.code).toBe(0)
  })
})
