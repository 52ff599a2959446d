import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { loadConfig } from '../config/load-config.ts'
import { memoryAlerts } from '../ledger/alert-store.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import { alertingOf, pace, startAlerting } from './alerting.ts'
import { createLog } from './log.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-alerting-'))
afterAll(() => rmSync(folder, { recursive: true }))

const read = (yaml: string) => {
  const path = join(folder, 'taximeter.yaml')
  writeFileSync(path, yaml)
  return alertingOf(
    loadConfig({ path, isOptional: false, environment: {} }),
    createLog('silent', () => {}),
    () => 0,
  )
}

describe('a mistake is told with its line, what was expected and what came', () => {
  const rule = (fields: string): string => `alerts:\n  - {name: first, kind: burn}\n  - {name: second, ${fields}}\n`

  test.each<[string, string, string]>([
    [
      'an unknown measure',
      rule('kind: threshold, measure: spend, above: 1'),
      'taximeter.yaml:3:46: alerts[1].measure should be a measure: cost, llmCost, toolCost,',
    ],
    ['a kind that does not exist', rule('kind: magic'), 'taximeter.yaml:3:26: alerts[1].kind should be threshold, change, burn'],
    [
      'a name twice',
      rule('kind: burn, name: first').replace('name: second, ', ''),
      'alerts[1].name should be a name of its own, got "first"',
    ],
    [
      'a notifier that does not exist',
      rule('kind: burn, notify: [pager]'),
      'alerts[1].notify should be the name of a notifier (log), got "pager"',
    ],
    ['a break-down of what has none', rule('kind: coverage, by: agent'), 'alerts[1].by should be one of '],
    ['a filter of what has its own', rule('kind: burn, where: "agent:a"'), 'alerts[1].where should be one of '],
    [
      'a silence of a rule that does not exist',
      'silences:\n  - {rule: nobody, until: "2027-01-01T00:00:00Z"}\n',
      'taximeter.yaml:2:12: silences[0].rule should be the name of a rule (budget-share, ',
    ],
    [
      'a silence of an attribute that does not exist',
      'silences: [{segment: {colour: red}, until: "2027-01-01T00:00:00Z"}]',
      'silences[0].segment should be attributes such as agent, task or budget, got "colour"',
    ],
    [
      'a silence that ends before it begins',
      'silences: [{from: "2027-01-02", until: "2027-01-01"}]',
      'silences[0] should be {rule?, segment?, from?, until}',
    ],
    [
      'a notifier of an unknown type',
      'notifiers:\n  - {name: x, type: pigeon}',
      'taximeter.yaml:2:21: notifiers[0].type should be one of log,',
    ],
    [
      'a notifier with the name of the log',
      'notifiers: [{name: log, type: log}]',
      'notifiers[0].name should be a name of its own, got "log" again',
    ],
  ])('%s', (_, yaml, complaint) => {
    expect(() => read(yaml)).toThrow(complaint)
  })
})

test('silences that overlap, and one that is within another, are silences like others: none can name another', () => {
  const { silences } = read(
    'silences:\n  - {rule: budget-share, until: "2027-01-01T00:00:00Z"}\n  - {rule: budget-share, segment: {budget: month}, until: "2027-02-01T00:00:00Z"}\n',
  )
  expect(silences.map(({ rule }) => rule)).toEqual(['budget-share', 'budget-share'])
})

describe('the pace of rounds', () => {
  afterEach(() => void vi.useRealTimers())

  test('what a receiver did not take is sent again when it is due, and waits for no round', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'], now: Date.parse('2026-11-22T12:00:00Z') })
    const alertStore = memoryAlerts()
    const store = memoryStore()
    const log = createLog('silent', () => {})
    const path = join(folder, 'taximeter.yaml')
    // Nobody listens on port 9.
    writeFileSync(path, 'notifiers: [{name: gone, type: webhook, url: "http://127.0.0.1:9/", private: true}]\ndefaultAlerts: none\n')
    const loaded = loadConfig({ path, isOptional: false, environment: {} })
    await alertStore.write({
      alerts: [
        {
          id: 'a',
          rule: 'r',
          key: '[]',
          state: 'resolved',
          severity: 'info',
          message: '',
          segment: {},
          value: '',
          threshold: '',
          query: '',
          startedAt: Date.now(),
          resolvedAt: Date.now(),
        },
      ],
      dropped: [],
      deliveries: [{ alert: 'a', transition: 'resolved', notifier: 'gone', attempts: 0, nextAt: Date.now() }],
      forgetBefore: 0,
    })
    const alerts = await startAlerting({ loaded, alertStore, store, budgets: { status: () => [] }, log, now: Date.now })
    const failures = (): number => alerts.counters().notifiers.gone?.failures ?? 0
    // The first tick makes a round. The next one of those is a minute away; the pause after one failure is four seconds at most.
    for (const expected of [1, 2]) {
      vi.advanceTimersByTime(pace.roundMs)
      await vi.waitFor(() => expect(failures()).toBe(expected))
    }
    expect(alerts.counters().rounds).toBe(1)
    await alerts.close()
  })
})
