import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { unitNames, units } from '../src/core/units.ts'

const root = resolve(import.meta.dirname, '..')
const pages = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join('docs', path)),
]
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe.each(pages)('%s', (page) => {
  test('every link to a file leads to one', () => {
    const broken = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => target ?? '')
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(resolve(root, dirname(page), target)))
    expect(broken).toEqual([])
  })

  test('every path of the repository that it names exists', () => {
    const named = [...read(page).matchAll(/`((?:src|docs|prices|scripts|test|bench|deploy|dashboard)\/[\w./-]+\.\w+)`/g)].map(
      ([, path]) => path ?? '',
    )
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

test('units.md lists every unit as the code has it', () => {
  const rows = [...read('docs/reference/units.md').matchAll(/^\| `(\w+)` \| (\w+) \| (\d+) \|/gm)].map(([, name, side, per]) => [
    name,
    side,
    Number(per),
  ])
  expect(rows).toEqual(unitNames.map((name) => [name, units[name].side, units[name].per]))
})

test("the README's two commands are the ones that package.json has", () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test', 'taximeter', 'build', 'check', 'bench']))
  expect(relative(root, join(root, scripts.start?.split(' ')[1] ?? ''))).toBe('src/cli/main.ts')
})
