import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isUnit } from '../core/units.ts'
import { usageFlags } from '../core/usage.ts'
import { dialects } from './dialects.ts'

const page = readFileSync(new URL('../../docs/reference/dialects.md', import.meta.url), 'utf8')

test('the reference names every dialect of the list, and no other', () => {
  const named = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]).filter((name) => name !== undefined)
  const rows = named.slice(0, dialects.length)
  expect([...rows].sort()).toEqual(dialects.map((dialect) => dialect.name).sort())
  for (const name of named) expect(dialects.some((dialect) => dialect.name === name)).toBe(true)
})

test('the reference names every flag that a reader sets, and no unit that is none', () => {
  for (const flag of usageFlags) if (flag !== 'unpriced-variant') expect(page).toContain(`\`${flag}\``)
  for (const [, name = ''] of page.matchAll(/`((?:input|output|cache)_[a-z0-9_]+|web_search|file_search|search_unit)`/g)) {
    if (!/_tokens$|_details$|^(?:input|output)_tokens/.test(name)) expect(isUnit(name)).toBe(true)
  }
})

test('names are one each, and every usage has a place', () => {
  expect(new Set(dialects.map((dialect) => dialect.name)).size).toBe(dialects.length)
  for (const { usagePath } of dialects) expect(usagePath.length).toBeLessThanOrEqual(2)
})
