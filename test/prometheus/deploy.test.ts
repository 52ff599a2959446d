import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments, parse as parseYaml } from 'yaml'
import { settle } from '../../src/cli/settled.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { metricList } from '../../src/server/metric-list.ts'

const deploy = resolve(import.meta.dirname, '../../deploy')
const read = (path: string): string => readFileSync(join(deploy, path), 'utf8')

interface RuleGroup {
  readonly name: string
  readonly rules: readonly {
    readonly record?: string
    readonly alert?: string
    readonly expr: string
    readonly annotations?: object
    readonly labels?: object
  }[]
}
const groupsOf = (path: string): readonly RuleGroup[] => parseYaml(read(path)).groups
const rules = ['prometheus/recording.rules.yml', 'prometheus/alerts.rules.yml'].flatMap(groupsOf).flatMap((group) => group.rules)
const ruleTests = readdirSync(join(deploy, 'prometheus'))
  .filter((name) => name.endsWith('.test.yml'))
  .map((name) => `prometheus/${name}`)
const recorded = rules.flatMap(({ record }) => (record === undefined ? [] : [record]))

const histograms = Object.entries(metricList).flatMap(([name, { type }]) =>
  type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
)
/** Prometheus' own, besides ours. */
const known = new Set([...histograms, ...recorded, 'up', 'ALERTS'])
const named = (expr: string): readonly string[] => {
  const bare = expr
    .replace(/\{[^}]*\}|"[^"]*"/g, '')
    .replace(/\b(?:by|on|ignoring|without|group_left|group_right|offset)\b\s*(?:\([^)]*\))?/g, ' ')
  return [...bare.matchAll(/\b[a-z][a-z0-9_]*(?::[a-z0-9_]+)*\b/gi)].map(([name]) => name).filter((name) => /_|:|^up$|^ALERTS$/.test(name))
}
const functions = new Set(['histogram_quantile', 'clamp_min', 'avg_over_time', 'rate_interval', '__rate_interval', 'label_values'])
const unknown = (expr: string): readonly string[] => named(expr).filter((name) => !known.has(name) && !functions.has(name))

describe('Prometheus rules', () => {
  test.each(rules.map((rule) => [rule.record ?? rule.alert ?? '', rule.expr]))('%s asks for metrics that exist', (_, expr) => {
    expect(unknown(expr)).toEqual([])
  })

  test('every rule is named in a test for promtool', () => {
    const tests = ruleTests.map(read).join('\n')
    for (const rule of rules) expect(tests).toContain(rule.record ?? `alertname: ${rule.alert}`)
  })

  test('every alert fires in one of its tests and is quiet in another, and says what and how much', () => {
    const cases = ruleTests
      .flatMap(
        (path) => parseYaml(read(path)).tests as { alert_rule_test?: { alertname: string; exp_alerts: { exp_labels: object }[] }[] }[],
      )
      .flatMap((each) => each.alert_rule_test ?? [])
    for (const { alert, annotations, labels = {} } of rules.filter((rule) => rule.alert !== undefined)) {
      const fired = cases.filter(({ alertname }) => alertname === alert).map(({ exp_alerts }) => exp_alerts)
      // Several rules of one name are told apart by their labels.
      expect(fired.flat().map(({ exp_labels }) => exp_labels)).toContainEqual(expect.objectContaining(labels))
      expect(fired.map(({ length }) => length)).toContain(0)
      expect(Object.keys(annotations ?? {}), alert).toEqual(['summary', 'description'])
    }
  })
})

describe('the guide', () => {
  const page = readFileSync(join(deploy, '../docs/guides/prometheus.md'), 'utf8')

  test('has every alert, and no other', () => {
    const alerts = new Set(rules.flatMap(({ alert }) => (alert === undefined ? [] : [alert])))
    expect([...page.matchAll(/^\| `(Taximeter\w+)` \|/gm)].map(([, name]) => name).toSorted()).toEqual([...alerts].toSorted())
  })

  test('names files that are there, and asks for metrics that exist', () => {
    for (const [path] of page.matchAll(/deploy\/[\w./-]+/g)) expect(existsSync(join(deploy, '..', path)), path).toBe(true)
    for (const [, block = ''] of page.matchAll(/```promql\n([\s\S]*?)```/g))
      for (const expr of block.split('\n')) expect(unknown(expr)).toEqual([])
  })
})

interface Panel {
  readonly title: string
  readonly type: string
  readonly id: number
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource: { readonly uid: string }
  readonly fieldConfig: { readonly defaults: { readonly unit: string } }
  readonly targets: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[]
}
interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[] }
}
const dashboards = readdirSync(join(deploy, 'grafana/dashboards')).map((name): [string, Dashboard] => [
  name,
  JSON.parse(read(`grafana/dashboards/${name}`)),
])

/** As Grafana writes the variable. */
const chosenSource = '$' + '{datasource}'

describe.each(dashboards)('Grafana dashboard %s', (name, dashboard) => {
  test('has a data source that can be chosen, and every panel asks that one', () => {
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' })
    for (const panel of dashboard.panels) {
      expect(panel.datasource.uid).toBe(chosenSource)
      for (const target of panel.targets) expect(target.datasource.uid).toBe(chosenSource)
    }
    expect(dashboard.uid).toBe(`taximeter-${name.replace('.json', '')}`)
  })

  test('asks for metrics that exist, over intervals that fit the resolution', () => {
    for (const { targets, title } of dashboard.panels) {
      for (const { expr } of targets) {
        expect(unknown(expr), title).toEqual([])
        for (const [, range] of expr.matchAll(/\[([^\]]+)\]/g)) expect(['$__rate_interval', '1h', '24h'], title).toContain(range)
        const variables = [...expr.matchAll(/"\$(\w+)"/g)].map(([, variable]) => variable)
        for (const variable of variables) expect(dashboard.templating.list.map((each) => each.name)).toContain(variable)
      }
    }
  })

  test('shows dollars as dollars', () => {
    for (const { title, targets, fieldConfig, type } of dashboard.panels) {
      const isMoney = targets.some(
        ({ expr }) => /usd|cents/.test(expr) && !/_count|_breach|_ratio|_timestamp|usd_bucket.*increase/.test(expr),
      )
      if (isMoney && type !== 'heatmap') expect(fieldConfig.defaults.unit, title).toBe('currencyUSD')
    }
  })

  test('has panels that do not lie on each other', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  })
})

interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
  readonly [field: string]: unknown
}
const objects = readdirSync(join(deploy, 'kubernetes'))
  .flatMap((name) => parseAllDocuments(read(`kubernetes/${name}`)))
  .map((document) => document.toJS() as KubernetesObject)
const objectOf = <Shape>(kind: string, name = 'taximeter'): KubernetesObject & Shape => {
  const found = objects.find((each) => each.kind === kind && each.metadata.name === name)
  if (found === undefined) throw new Error(`No ${kind} ${name}.`)
  return found as KubernetesObject & Shape
}

describe('Kubernetes', () => {
  test('every object says what it is, once', () => {
    expect(objects.length).toBeGreaterThanOrEqual(5)
    for (const { apiVersion, kind, metadata } of objects) {
      expect(apiVersion).toMatch(/^([\w.]+\/)?v\d/)
      expect(kind).toMatch(/^[A-Z]/)
      expect(metadata.name).toMatch(/^[a-z0-9-]{1,63}$/)
    }
    expect(new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).size).toBe(objects.length)
  })

  test('the service finds the pod, the pod its volumes, and the monitor the service', () => {
    const set = objectOf<{
      spec: Record<string, never> & {
        selector: object
        template: { metadata: { labels: object }; spec: never }
        volumeClaimTemplates: { metadata: { name: string } }[]
        replicas: number
      }
    }>('StatefulSet')
    const pod = set.spec.template as unknown as {
      metadata: { labels: object }
      spec: {
        containers: { volumeMounts: { name: string }[]; ports: { name: string; containerPort: number }[] }[]
        volumes: { name: string }[]
      }
    }
    const service = objectOf<{ spec: { selector: object; ports: { name: string; targetPort: string; port: number }[] } }>('Service')
    const [container] = pod.spec.containers
    expect(service.spec.selector).toEqual(pod.metadata.labels)
    expect(set.spec.selector).toEqual({ matchLabels: pod.metadata.labels })
    expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual(container?.ports.map(({ name }) => name))
    const volumes = [...pod.spec.volumes, ...set.spec.volumeClaimTemplates.map(({ metadata }) => metadata)].map(({ name }) => name)
    for (const { name } of container?.volumeMounts ?? []) expect(volumes).toContain(name)
    expect(set.spec.replicas).toBe(1)
    const monitor = objectOf<{ spec: { selector: { matchLabels: object } } }>('ServiceMonitor')
    expect(service.metadata.labels).toMatchObject(monitor.spec.selector.matchLabels)
  })

  test('the configuration is one that taximeter takes, with the keys of the secret', () => {
    const folder = mkdtempSync(join(tmpdir(), 'taximeter-kubernetes-'))
    try {
      const { data } = objectOf<{ data: Record<string, string> }>('ConfigMap')
      const { stringData } = objectOf<{ stringData: Record<string, string> }>('Secret', 'taximeter-keys')
      mkdirSync(join(folder, 'keys'))
      for (const [name, hash] of Object.entries(stringData)) writeFileSync(join(folder, 'keys', name), hash)
      const path = join(folder, 'taximeter.yaml')
      writeFileSync(path, (data['taximeter.yaml'] ?? '').replaceAll('/etc/taximeter/keys', join(folder, 'keys')))
      const loaded = loadConfig({ path, isOptional: false, environment: {} })
      expect(settle(loaded).keyRing.isEmpty).toBe(false)
      expect(loaded.config.host).toBe('0.0.0.0')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('compose', () => {
  interface Service {
    readonly image?: string
    readonly build?: { readonly context: string; readonly dockerfile: string }
    readonly network_mode: string
    readonly command?: readonly string[]
    readonly volumes: readonly string[]
  }
  const compose = parseYaml(read('compose/docker-compose.yml')) as { services: Record<string, Service>; volumes: Record<string, null> }

  test('every volume is one that is named or a folder that is here', () => {
    for (const { volumes } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const [from = ''] = volume.split(':')
        if (from.startsWith('.')) expect(existsSync(join(deploy, 'compose', from)), from).toBe(true)
        else expect(Object.keys(compose.volumes)).toContain(from)
      }
    }
  })

  test('images have versions, the build has its file, and nothing listens on other addresses than loopback', () => {
    for (const [name, { image, build, network_mode, command = [] }] of Object.entries(compose.services)) {
      expect(network_mode).toBe('host')
      if (image !== undefined) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/)
      else expect(existsSync(join(deploy, 'compose', build?.context ?? '', build?.dockerfile ?? '')), name).toBe(true)
      for (const flag of command.filter((each) => /listen-address=./.test(each))) expect(flag).toContain('127.0.0.1')
    }
  })
})

test('Grafana is provisioned with the folder that compose mounts', () => {
  const { providers } = parseYaml(read('grafana/provisioning/dashboards/taximeter.yaml')) as { providers: { options: { path: string } }[] }
  expect(read('compose/docker-compose.yml')).toContain(`:${providers[0]?.options.path}:ro`)
  const { datasources } = parseYaml(read('grafana/provisioning/datasources/prometheus.yaml')) as {
    datasources: { url: string; type: string }[]
  }
  expect(datasources).toMatchObject([{ type: 'prometheus', url: 'http://127.0.0.1:9090' }])
})
