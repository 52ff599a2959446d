import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AlertRecord } from '../../ledger/alert-store.ts'
import { type Finding, stepRule } from './alert-states.ts'
import { parseRule } from './rule.ts'

const minute = 60_000
const rule = (forSpan?: string) => parseRule({ name: 'r', kind: 'unpriced', ...(forSpan && { for: forSpan }) }, 'rules[0]')
const finding = (name: string, window?: string): Finding => ({
  segment: { agent: name },
  value: '2',
  threshold: '1',
  message: `${name} is too much`,
  query: '',
  ...(window && { window }),
})

/** Plays rounds against what a store would keep; returns what was told, in order. */
const play = (rounds: readonly { readonly at: number; readonly findings: readonly Finding[] }[], held = rule()) => {
  const store = new Map<string, AlertRecord>()
  const told: string[] = []
  for (const { at, findings } of rounds) {
    const step = stepRule(held, [...store.values()], findings, at)
    for (const id of step.dropped) store.delete(id)
    for (const alert of step.changed) store.set(alert.id, alert)
    for (const { alert, transition } of step.told) told.push(`${at / minute} ${alert.segment.agent} ${transition}`)
  }
  return told
}
const at = (minutes: number, ...findings: readonly Finding[]) => ({ at: minutes * minute, findings })

describe('stepRule', () => {
  test('fires once while it holds, and is resolved once after it no longer does', () => {
    expect(play([at(0, finding('a')), at(1, finding('a')), at(2, finding('a')), at(3), at(9), at(10)])).toEqual([
      '0 a firing',
      '9 a resolved',
    ])
  })

  test('a crossing of one window has the same id whenever it is looked at, and that of another window another', () => {
    const idOf = (minutes: number, window: string) => stepRule(rule(), [], [finding('a', window)], minutes * minute).changed[0]?.id
    expect(idOf(5, 'monday')).toBe(idOf(0, 'monday'))
    expect(idOf(0, 'tuesday')).not.toBe(idOf(0, 'monday'))
  })

  test('a short gap is not an end', () => {
    expect(play([at(0, finding('a')), at(1), at(3, finding('a')), at(4), at(8, finding('a'))])).toEqual(['0 a firing'])
  })

  test('has to hold as long as the rule says, and what does not is forgotten', () => {
    expect(play([at(0, finding('a')), at(4, finding('a')), at(5, finding('a'))], rule('5m'))).toEqual(['5 a firing'])
    expect(play([at(0, finding('a')), at(4), at(5, finding('a')), at(9, finding('a'))], rule('5m'))).toEqual([])
  })

  test('a window is told once, however often it is crossed, and the next one again', () => {
    const monday = finding('a', 'monday')
    expect(play([at(0, monday), at(1), at(10), at(20, monday), at(60, monday), at(90, finding('a', 'tuesday'))])).toEqual([
      '0 a firing',
      '10 a resolved',
      '90 a firing',
    ])
  })

  test('a window that ends while the alert is firing is resolved, and the next one fires', () => {
    expect(play([at(0, finding('a', 'monday')), at(1, finding('a', 'tuesday')), at(2, finding('a', 'tuesday'))])).toEqual([
      '0 a firing',
      '1 a resolved',
      '1 a firing',
    ])
  })

  test('an alert that came and went keeps quiet for a while, so that a value on its threshold does not flap', () => {
    const quiet = 30
    expect(play([at(0, finding('a')), at(1), at(6), at(7, finding('a')), at(6 + quiet, finding('a'))])).toEqual([
      '0 a firing',
      '6 a resolved',
      `${6 + quiet} a firing`,
    ])
  })

  test('segments are alerts of their own', () => {
    expect(play([at(0, finding('a')), at(1, finding('a'), finding('b'))])).toEqual(['0 a firing', '1 b firing'])
  })

  test('whatever comes in whatever order, and a round twice (a restart), no alert is told twice in a row and none resolves that did not fire', () => {
    const round = fc.record({
      wait: fc.integer({ min: 1, max: 40 }),
      names: fc.subarray(['a', 'b', 'c']),
      twice: fc.boolean(),
      windowed: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(round, { maxLength: 40 }), fc.constantFrom(undefined, '5m', '20m'), (rounds, held) => {
        let now = 0
        const played = rounds.flatMap(({ wait, names, twice }) => {
          now += wait
          const once = at(now, ...names.map((name) => finding(name)))
          return twice ? [once, once] : [once]
        })
        const last = new Map<string, string>()
        for (const line of play(played, rule(held))) {
          const [, name = '', transition = ''] = line.split(' ')
          expect(transition).toBe(last.get(name) === 'firing' ? 'resolved' : 'firing')
          last.set(name, transition)
        }
      }),
    )
  })

  test('in one window no segment is told to fire twice', () => {
    const round = fc.record({ wait: fc.integer({ min: 1, max: 60 }), holds: fc.boolean() })
    fc.assert(
      fc.property(fc.array(round, { maxLength: 60 }), (rounds) => {
        let now = 0
        const windowOf = () => `w${Math.floor(now / 240)}`
        const played = rounds.map(({ wait, holds }) => {
          now += wait
          return at(now, ...(holds ? [finding('a', windowOf())] : []))
        })
        const fired = play(played).filter((line) => line.endsWith('firing'))
        const windows = fired.map((line) => Math.floor(Number(line.split(' ')[0]) / 240))
        expect(new Set(windows).size).toBe(windows.length)
      }),
    )
  })
})
