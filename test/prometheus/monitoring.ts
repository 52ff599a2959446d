import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { parse as parseYaml, stringify as yamlText } from 'yaml'
import { freePort, programPath, type Running, start, until } from './programs.ts'

export const deploy = resolve(import.meta.dirname, '../../deploy')

export const programs = {
  prometheus: programPath('prometheus'),
  promtool: programPath('promtool'),
  alertmanager: programPath('prometheus-alertmanager', 'alertmanager'),
}
const missing = Object.entries(programs).flatMap(([name, path]) => (path === undefined ? [name] : []))
/** In CI nothing is skipped: there a program that is missing fails the test. */
export const isSkipped = missing.length > 0 && process.env.CI !== 'true'
if (isSkipped)
  console.warn(
    `A test with Prometheus is skipped: ${missing.join(', ')} not found. On Debian: apt-get install prometheus prometheus-alertmanager`,
  )
export const expectPrograms = (): void => expect(missing, 'programs that are not installed').toEqual([])

export interface Received {
  readonly path: string
  readonly body: string
}

export interface Receiver {
  readonly url: string
  /** What was posted to it, in order. */
  readonly received: readonly Received[]
  close(): void
}

/** Takes whatever is posted to it. */
export const startReceiver = async (): Promise<Receiver> => {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    received.push({ path: request.url ?? '', body })
    response.end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

export interface AlertmanagerAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
}

export interface Alertmanager extends Running {
  readonly url: string
  /** What it holds for firing. */
  alerts(): Promise<readonly AlertmanagerAlert[]>
}

/** The example as it is, but that everything goes to the receiver and at once. */
export const startAlertmanager = async (folder: string, receiver: string): Promise<Alertmanager> => {
  const url = `http://127.0.0.1:${await freePort()}`
  const example = parseYaml(readFileSync(join(deploy, 'alertmanager/alertmanager.yml'), 'utf8'))
  for (const each of example.receivers)
    for (const webhook of each.webhook_configs ?? []) webhook.url = webhook.url.replace('http://127.0.0.1:9099', receiver)
  const config = join(folder, 'alertmanager.yml')
  writeFileSync(config, yamlText({ ...example, route: { ...example.route, group_wait: '0s', group_interval: '1s' } }))
  const running = start(programs.alertmanager ?? '', [
    `--config.file=${config}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    `--web.listen-address=${new URL(url).host}`,
    '--cluster.listen-address=',
  ])
  await until('Alertmanager is ready', async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined))
  const alerts = async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as readonly AlertmanagerAlert[]
  return { ...running, url, alerts }
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

export interface Prometheus extends Running {
  api(path: string): Promise<unknown>
  query(expr: string): Promise<readonly Sample[]>
  /** The samples of an expression once there are some. */
  answered(expr: string): Promise<readonly Sample[]>
}

export interface PrometheusOptions {
  readonly folder: string
  /** The server that it scrapes. */
  readonly target: string
  readonly alertmanager: string
  /** Rules hold for a second before they fire, in place of the minutes that they are written with. */
  readonly hasShortHolds?: boolean
}

/** The configuration as it is, but for addresses and a quicker pace. */
export const startPrometheus = async ({ folder, target, alertmanager, hasShortHolds }: PrometheusOptions): Promise<Prometheus> => {
  const port = await freePort()
  const example = readFileSync(join(deploy, 'prometheus/prometheus.yml'), 'utf8')
  writeFileSync(
    join(folder, 'prometheus.yml'),
    example
      .replaceAll('127.0.0.1:4141', new URL(target).host)
      .replaceAll('127.0.0.1:9093', new URL(alertmanager).host)
      .replaceAll('15s', '1s'),
  )
  cpSync(join(deploy, 'prometheus/recording.rules.yml'), join(folder, 'recording.rules.yml'))
  const alerts = readFileSync(join(deploy, 'prometheus/alerts.rules.yml'), 'utf8')
  writeFileSync(join(folder, 'alerts.rules.yml'), hasShortHolds ? alerts.replace(/^(\s+for): \w+$/gm, '$1: 1s') : alerts)
  const running = start(programs.prometheus ?? '', [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ])
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)
    const body = (await response.json()) as { status: string; data: unknown; error?: string }
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`)
    return body.data
  }
  const query = async (expr: string): Promise<readonly Sample[]> =>
    ((await api(`query?query=${encodeURIComponent(expr)}`)) as { result: readonly Sample[] }).result
  const answered = (expr: string) =>
    until(`${expr} has a value`, async () => {
      const samples = await query(expr)
      return samples.length > 0 ? samples : undefined
    })
  return { ...running, api, query, answered }
}

export interface RuleState {
  readonly name: string
  readonly health: string
  readonly lastError?: string
}

/** Every rule of its files, once each has been evaluated. */
export const evaluatedRules = ({ api }: Prometheus): Promise<readonly RuleState[]> =>
  until('every rule has been evaluated', async () => {
    const { groups } = (await api('rules')) as { groups: readonly { rules: readonly RuleState[] }[] }
    const rules = groups.flatMap((group) => group.rules)
    return rules.length > 0 && rules.every(({ health }) => health !== 'unknown') ? rules : undefined
  })
