import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { notifierTypes } from '../notifiers/notifiers.ts'
import { defaultRules } from './default-rules.ts'
import { commonFields, fieldsOf, parseRule, ruleKinds } from './rule.ts'

const page = readFileSync(new URL('../../../docs/reference/alerts.md', import.meta.url), 'utf8')

test('the reference has every kind of rule with its fields and defaults, and no other', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*?) \| /gm)].map(([, kind, fields]) => [kind, fields])
  const expected = ruleKinds.map((kind) => [
    kind,
    Object.entries(fieldsOf(kind))
      .map(([name, usual]) => `\`${name}\` ${usual}`)
      .join(' · ') || '–',
  ])
  expect(rows).toEqual(expected)
})

test('the reference names the fields that every rule has, and every notifier', () => {
  const common = /## Every rule\n\n([\s\S]*?)\n\n/.exec(page)?.[1] ?? ''
  expect([...common.matchAll(/(?:^|· )`(\w+)`|\n`(\w+)`/g)].map(([, first, second]) => first ?? second)).toEqual([...commonFields])
  for (const type of Object.keys(notifierTypes)) expect(page).toContain(`\`${type}\``)
})

test('the default rules are those that the reference shows', () => {
  const [, yaml = ''] = /```yaml\n(defaultAlerts: none[\s\S]*?)```/.exec(page) ?? []
  const shown = (parseYaml(yaml) as { alerts: unknown[] }).alerts.map((rule) => parseRule(rule, 'shown'))
  expect(shown).toEqual(defaultRules(0.2083 * 24))
})
