import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { attributeNames } from '../../src/core/attribution.ts'
import { gatewayLimits } from '../../src/gateway/limits.ts'
import { parseUpstreams, type UpstreamSettings } from '../../src/gateway/upstreams.ts'
import { keyUses } from '../../src/intake/keys.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/gateway.md'), 'utf8')
const section = (title: string): string => new RegExp(`\\n## ${title}\\n([\\s\\S]*?)(?=\\n## |$)`).exec(page)?.[1] ?? ''
const rows = (text: string): readonly (readonly string[])[] =>
  [...text.matchAll(/^\| (`.*) \|$/gm)].map(([, row]) => (row ?? '').split(' | ').map((cell) => cell.trim()))
const plain = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '')

test('the reference has the limits that the code has', () => {
  expect(Object.fromEntries(rows(section('Limits')).map(([name, value]) => [plain(name), Number(value)]))).toEqual(gatewayLimits)
})

test('the reference has the upstreams that the code has', () => {
  const listed = rows(section('Routes')).map((row) => row.map(plain))
  const expected = [...parseUpstreams([]).values()].map(({ name, provider, origin, basePath, prefix, roots, credential }) => [
    name,
    provider,
    origin === undefined ? '–' : origin + basePath,
    roots.includes('/') ? '–' : prefix,
    credential.header,
  ])
  expect(listed).toEqual(expected)
})

test('the reference has the settings of upstreams and keys that the code has', () => {
  const names: Record<keyof UpstreamSettings, true> = {
    name: true,
    url: true,
    provider: true,
    dialect: true,
    key: true,
    keyHeader: true,
    onDisconnect: true,
    private: true,
    includeUsage: true,
    timeouts: true,
  }
  expect(rows(section('Settings of an upstream')).map(([name]) => plain(name))).toEqual(Object.keys(names))
  const keys = rows(section('Settings of a key')).flatMap(([name]) => plain(name).split(' '))
  expect(keys).toEqual(['id', 'hash', 'may', 'upstreams', ...attributeNames.filter((name) => name !== 'key'), 'tags'])
  expect(section('Settings of a key')).toContain(keyUses.map((use) => `\`${use}\``).join(', '))
})
