import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from './load-config.ts'
import { environmentNameOf, settingNames } from './settings.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const load = (yaml: string, environment: Record<string, string> = {}) => {
  const path = join(folder, 'taximeter.yaml')
  writeFileSync(path, yaml)
  return loadConfig({ path, isOptional: false, environment })
}

describe('loadConfig', () => {
  test('without a file every setting has its default', () => {
    const { config, file } = loadConfig({ path: join(folder, 'none.yaml'), isOptional: true, environment: {} })
    expect(file).toBeUndefined()
    expect(config).toMatchObject({ host: '127.0.0.1', port: 4141, data: './taximeter.db', dailyBudgetUsd: '5', budgets: [] })
  })

  test('a file that was asked for by name has to exist', () => {
    expect(() => loadConfig({ path: join(folder, 'none.yaml'), isOptional: false, environment: {} })).toThrow(
      /BAD_CONFIG: The configuration file .*none\.yaml cannot be read/,
    )
  })

  test('the environment overrides the file, and the origin of each setting is known', () => {
    const { config, origins } = load('port: 5000\nzone: Europe/Berlin\n', { TAXIMETER_PORT: '6000' })
    expect(config).toMatchObject({ port: 6000, zone: 'Europe/Berlin' })
    expect(origins).toMatchObject({ port: 'environment', zone: 'file', host: 'default' })
  })

  test('every setting has its own name in the environment', () => {
    expect(new Set(settingNames.map(environmentNameOf)).size).toBe(settingNames.length)
    expect(environmentNameOf('bodyBytesMax')).toBe('TAXIMETER_BODY_BYTES_MAX')
  })

  test('a list can come from the environment as JSON', () => {
    expect(load('', { TAXIMETER_BUDGETS: '[{"name":"all","limit":"$5"}]' }).config.budgets).toEqual([{ name: 'all', limit: '$5' }])
  })

  test('an alias that stands twice is no cycle; a cycle in the environment is refused by its name', () => {
    const segment = { agent: 'a' }
    expect(load('silences: [{segment: &a {agent: a}}, {segment: *a}]\n').config.silences).toEqual([{ segment }, { segment }])
    expect(() => load('', { TAXIMETER_SILENCES: '[&a [*a]]' })).toThrow('TAXIMETER_SILENCES: What stands here contains itself.')
  })

  test('a secret can come from a file that the file or the environment names', () => {
    writeFileSync(join(folder, 'secret'), 'a-secret-of-many-characters\n')
    expect(load('hashKey_file: secret\n').config.hashKey).toBe('a-secret-of-many-characters')
    expect(load('upstreams:\n  - {name: x, key_file: secret}\n').config.upstreams).toEqual([
      { name: 'x', key: 'a-secret-of-many-characters' },
    ])
    expect(load('', { TAXIMETER_HASH_KEY_FILE: join(folder, 'secret') }).config.hashKey).toBe('a-secret-of-many-characters')
  })

  test.each([
    ['a wrong value is shown with its line', 'host: 127.0.0.1\nport: 99999\n', /taximeter\.yaml:2:7: "port": .*got 99999/],
    ['an unknown setting lists those that exist', 'prot: 1\n', /taximeter\.yaml:1:7: "prot" is not a setting\. Use host, port/],
    ['broken YAML is shown with its line', 'a: 1\nb: [1,\n', /taximeter\.yaml:3:1: /],
    ['a key that stands twice is refused', 'port: 1\nport: 2\n', /taximeter\.yaml:2:1: .*unique/],
    ['a list instead of settings is refused', '- port\n', /should hold settings/],
    ['the place inside a list is found', 'budgets:\n  - name: a\n  - 5\n', /taximeter\.yaml:3:5: "budgets\[1\]"/],
    ['a list that contains itself is refused', 'silences: &all\n  - *all\n', /taximeter\.yaml:2:5: What stands here contains itself\./],
    [
      'a silence that refers to itself is refused',
      'silences:\n  - &one {rule: unpriced, segment: *one, until: "2027-01-01T00:00:00Z"}\n',
      /taximeter\.yaml:2:36: What stands here contains itself\./,
    ],
    [
      'a secret file that is missing is named',
      'upstreams:\n  - key_file: nowhere\n',
      /taximeter\.yaml:2:15: The file .*nowhere cannot be read \(ENOENT\)/,
    ],
  ])('%s', (_, yaml, complaint) => {
    expect(() => load(yaml)).toThrow(complaint)
  })

  test('a secret is never shown in a complaint', () => {
    expect(() => load('hashKey: hunter2\n')).toThrow(/not shown/)
    expect(() => load('hashKey: hunter2\n')).not.toThrow(/hunter2/)
  })

  test('the reference names every setting and its environment variable, and no other', () => {
    const reference = readFileSync(new URL('../../docs/reference/configuration.md', import.meta.url), 'utf8')
    const documented = [...reference.matchAll(/^\| `(\w+)` \| `(TAXIMETER_\w+)`/gm)].map(([, name, variable]) => [name, variable])
    expect(documented).toEqual(settingNames.map((name) => [name, environmentNameOf(name)]))
  })
})
