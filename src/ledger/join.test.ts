import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallEntry } from '../core/event.ts'
import { entryLists } from './contract/arbitraries.ts'
import { modelCall, toolCall } from './contract/samples.ts'
import { joinOf } from './join.ts'

describe('of several reports of a call', () => {
  const small = { input: 1 }
  const large = { input: 9 }
  const cases: readonly [string, CallEntry, CallEntry][] = [
    ['the gateway is believed before the SDK', modelCall({ source: 'gateway', usage: small }), modelCall({ source: 'sdk', usage: large })],
    ['the SDK is believed before an exporter', modelCall({ source: 'sdk', usage: small }), modelCall({ source: 'otlp', usage: large })],
    [
      'an exporter is believed before a log file',
      modelCall({ source: 'otlp', usage: small }),
      modelCall({ source: 'import', usage: large }),
    ],
    [
      'of two from log files the larger is the later',
      modelCall({ source: 'import', usage: large }),
      modelCall({ source: 'import', usage: small }),
    ],
    ['of two from one SDK the first id holds', modelCall({ usage: small }), modelCall({ usage: large })],
    [
      'who knows the usage is believed before who does not',
      modelCall({ source: 'import' }),
      modelCall({ source: 'gateway', quality: 'missing', usage: {} }),
    ],
  ]
  test.each(cases)('%s', (_name, believed, other) => {
    for (const reports of [
      [believed, other],
      [other, believed],
    ])
      expect(joinOf(reports)).toBe(believed)
  })

  test('the id of a joined entry says that it was made by a rule, and from which reports', () => {
    const [gateway, sdk, none] = [modelCall({ source: 'gateway' }), modelCall({ agent: 'a' }), modelCall({ source: 'import' })]
    const { event, corrects } = joinOf([gateway, sdk])
    expect(event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(corrects).toBe(gateway.event.id)
    expect(joinOf([none, sdk, gateway]).event.id).toBe(event.id)
    expect(joinOf([gateway, modelCall({ agent: 'a' })]).event.id).not.toBe(event.id)
  })

  test('tags are filled in one by one, up to as many as a call may have', () => {
    const tags = (from: number, count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${from + index}`, 'v']))
    const joined = joinOf([
      modelCall({ source: 'gateway', tags: { k0: 'mine' } }),
      modelCall({ tags: tags(0, 10) }),
      modelCall({ source: 'import', tags: tags(5, 16) }),
    ])
    expect(Object.keys(joined.event.tags ?? {}).length).toBe(16)
    expect(joined.event.tags?.k0).toBe('mine')
  })

  test('a tool fills nothing into a model call', () => {
    const call = modelCall({ source: 'gateway' })
    expect(joinOf([call, toolCall({ agent: 'a' })])).toBe(call)
  })

  test('no order matters', () => {
    const reports = entryLists(8).map((entries) => entries.filter((entry) => entry.event.kind === 'llm') as CallEntry[])
    const shuffled = reports
      .filter(({ length }) => length > 1)
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })))
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(joinOf(other)).toEqual(joinOf(one))
      }),
    )
  })
})
