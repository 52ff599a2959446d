import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse as parseYaml, stringify as yamlText } from 'yaml'
import { type Listening, listen } from '../../src/cli/listen.ts'
import { createLog } from '../../src/cli/log.ts'
import { type Wired, wire } from '../../src/cli/wire.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { freePort, programPath, type Running, run, start, until } from './programs.ts'

const programs = {
  prometheus: programPath('prometheus'),
  promtool: programPath('promtool'),
  alertmanager: programPath('prometheus-alertmanager', 'alertmanager'),
}
const missing = Object.entries(programs).flatMap(([name, path]) => (path === undefined ? [name] : []))
const isCi = process.env.CI === 'true'
if (missing.length > 0 && !isCi)
  console.warn(`test/prometheus is skipped: ${missing.join(', ')} not found. On Debian: apt-get install prometheus prometheus-alertmanager`)

const deploy = resolve(import.meta.dirname, '../../deploy')

describe.skipIf(missing.length > 0 && !isCi)('a real Prometheus and Alertmanager', { timeout: 60_000 }, () => {
  let folder: string
  let wired: Wired
  let server: Listening
  let hook: Server
  let heard: string[]
  let prometheus: Running
  let alertmanager: Running
  let prometheusUrl: string
  let alertmanagerUrl: string

  beforeAll(async () => {
    expect(missing, 'programs that are not installed').toEqual([])
    folder = mkdtempSync(join(tmpdir(), 'taximeter-prometheus-'))
    heard = []
    hook = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += chunk))
      request.on('end', () => {
        heard.push(`${request.url} ${body}`)
        response.writeHead(200).end()
      })
    })
    await new Promise<void>((done) => hook.listen(0, '127.0.0.1', done))
    const [prometheusPort, alertmanagerPort] = [await freePort(), await freePort()]
    prometheusUrl = `http://127.0.0.1:${prometheusPort}`
    alertmanagerUrl = `http://127.0.0.1:${alertmanagerPort}`
    await startServer()
    alertmanager = startAlertmanager(alertmanagerPort)
    prometheus = startPrometheus(prometheusPort, alertmanagerPort)
    await play()
  })

  afterAll(async () => {
    await Promise.all([prometheus?.stop(), alertmanager?.stop()])
    await server?.close()
    await wired?.close()
    hook?.close()
    rmSync(folder, { recursive: true })
  })

  /** taximeter as it is started, with a budget that is about to be spent and Alertmanager as one of those who are told. */
  const startServer = async (): Promise<void> => {
    const path = join(folder, 'taximeter.yaml')
    const config = {
      data: join(folder, 'taximeter.db'),
      dailyBudgetUsd: '0',
      budgets: [{ name: 'month', limit: '$10', per: 'month', onExceed: 'warn' }],
      alerts: [{ name: 'busy-agent', kind: 'threshold', measure: 'calls', window: '1h', above: 2, by: 'agent', floorUsd: 0 }],
      notifiers: [{ name: 'am', type: 'alertmanager', url: alertmanagerUrl, private: true }],
    }
    writeFileSync(path, yamlText(config))
    wired = await wire(loadConfig({ path, isOptional: false, environment: {} }), { log: createLog('silent', () => {}), now: Date.now })
    server = await listen(wired.server, { host: '127.0.0.1', port: 0, hasKeys: false })
  }

  /** The example as it is, but that everything goes to the test's receiver and at once. */
  const startAlertmanager = (port: number): Running => {
    const example = parseYaml(readFileSync(join(deploy, 'alertmanager/alertmanager.yml'), 'utf8'))
    const receiver = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`
    for (const each of example.receivers)
      for (const webhook of each.webhook_configs ?? []) webhook.url = webhook.url.replace('http://127.0.0.1:9099', receiver)
    const config = join(folder, 'alertmanager.yml')
    writeFileSync(config, yamlText({ ...example, route: { ...example.route, group_wait: '0s', group_interval: '1s' } }))
    return start(programs.alertmanager ?? '', [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ])
  }

  /** The configuration as it is, but for addresses, a quicker pace and shorter holds. */
  const startPrometheus = (port: number, alertmanagerPort: number): Running => {
    const example = readFileSync(join(deploy, 'prometheus/prometheus.yml'), 'utf8')
    writeFileSync(
      join(folder, 'prometheus.yml'),
      example
        .replaceAll('127.0.0.1:4141', new URL(server.url).host)
        .replaceAll('127.0.0.1:9093', `127.0.0.1:${alertmanagerPort}`)
        .replaceAll('15s', '1s'),
    )
    cpSync(join(deploy, 'prometheus/recording.rules.yml'), join(folder, 'recording.rules.yml'))
    const alerts = readFileSync(join(deploy, 'prometheus/alerts.rules.yml'), 'utf8')
    writeFileSync(join(folder, 'alerts.rules.yml'), alerts.replace(/^(\s+for): \w+$/gm, '$1: 1s'))
    return start(programs.prometheus ?? '', [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ])
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

  interface Sample {
    readonly metric: Readonly<Record<string, string>>
    readonly value: readonly [number, string]
  }
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`${prometheusUrl}/api/v1/${path}`)
    const body = (await response.json()) as { status: string; data: unknown; error?: string }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }
  const query = async (expr: string): Promise<readonly Sample[]> =>
    ((await api(`query?query=${encodeURIComponent(expr)}`)) as { result: readonly Sample[] }).result
  /** The samples of an expression once there are some. */
  const answered = (expr: string) =>
    until(`${expr} has a value`, async () => {
      const samples = await query(expr)
      return samples.length > 0 ? samples : undefined
    })

  test('the target is up, and ai_token_input_total answers', async () => {
    expect((await answered('up{job="taximeter"} == 1')).length).toBe(1)
    const [tokens] = await answered('ai_token_input_total{model="gpt-4.1"} > 0')
    expect(tokens?.value[1]).toBe('3000000')
    const [cents] = await answered('ai_inference_cost_cents_total{model="gpt-4.1"}')
    expect(Number(cents?.value[1])).toBe(900)
    const [runs] = await answered('agent_run_total{status="ok",stop_reason="completed",release="7"} > 0')
    expect(runs?.value[1]).toBe('3')
  })

  test('every rule is loaded, is well, and records what it should', async () => {
    const { groups } = (await until('every rule has been evaluated', async () => {
      const found = (await api('rules')) as { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
      return found.groups.length > 0 && found.groups.every((group) => group.rules.every(({ health }) => health !== 'unknown'))
        ? found
        : undefined
    })) as { groups: readonly { rules: readonly { name: string; health: string; lastError?: string }[] }[] }
    const rules = groups.flatMap((group) => group.rules)
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    const written = readdirSync(join(deploy, 'prometheus'))
      .filter((name) => name.endsWith('.rules.yml'))
      .map((name) => readFileSync(join(deploy, 'prometheus', name), 'utf8'))
      .join('\n')
    expect(rules.length).toBe([...written.matchAll(/^\s+- (?:record|alert): /gm)].length)
    const [ratio] = await answered('budget:taximeter_budget_spent:ratio{budget="month"} > 0')
    expect(Number(ratio?.value[1])).toBeCloseTo(0.903, 6)
  })

  test('an alert on a budget goes through Alertmanager to its receiver', async () => {
    const told = await until('the receiver heard of the budget', async () => heard.find((each) => each.includes('"TaximeterBudgetLow"')))
    expect(told).toMatch(/^\/team /)
    expect(told).toContain('Four fifths of budget month are spent')
    expect(told).toContain('90.3% of it is spent.')
    // The lower threshold is passed too, and is not worth a message of its own.
    await answered('ALERTS{alertname="TaximeterBudgetHalf",alertstate="firing"}')
    expect(heard.join('\n')).not.toContain('TaximeterBudgetHalf')
    expect(
      await until('the receiver heard of the model', async () => heard.find((each) => each.includes('Model acme-1 has no price'))),
    ).toBeTruthy()
  })

  test("an alert of taximeter's own rules goes there too", async () => {
    const told = await until('the receiver heard of the agent', async () => heard.find((each) => each.includes('"busy-agent"')))
    expect(told).toContain('"source":"taximeter"')
    expect(told).toContain('"agent":"support-bot"')
    expect(told).toMatch(/agent “support-bot”: calls was 7 in the last hour, above 2\./)
  })

  test('every panel of every dashboard asks what Prometheus understands', async () => {
    const expressions = readdirSync(join(deploy, 'grafana/dashboards')).flatMap((name) => {
      const { panels } = JSON.parse(readFileSync(join(deploy, 'grafana/dashboards', name), 'utf8')) as {
        panels: { targets: { expr: string }[] }[]
      }
      return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    })
    expect(expressions.length).toBeGreaterThan(40)
    for (const expr of expressions) await query(expr.replaceAll('$__rate_interval', '1m').replace(/\$(instance|release|budget)/g, '.*'))
    const spend = expressions.find((expr) => expr.includes('taximeter_budget_limit_usd') && expr.includes('reserved')) ?? ''
    const [left] = await query(spend.replace(/\$(instance|budget)/g, '.*'))
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
      if (/rate|p95|forecast/.test(question)) await query(question)
      else expect((await answered(question)).length, question).toBeGreaterThan(0)
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
