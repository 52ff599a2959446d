import { describe, expect, test } from 'vitest'
import { eventOfTool, type ToolOptions } from './tool-call.ts'

const costOf = (options: ToolOptions<{ pages: number }>, result: { pages: number } | undefined = { pages: 3 }) => {
  const warnings: string[] = []
  const call = eventOfTool('t', options, { id: 'i', at: 0, attribution: {}, warn: (_, message) => warnings.push(message) })
  return { cost: call.ended(result as { pages: number }).costUsd, warnings }
}

describe('what a tool costs', () => {
  test.each<[string, ToolOptions<{ pages: number }>, string | undefined]>([
    ['its cost', { costUsd: '0.005' }, '0.005000000000'],
    ['its cost as the result tells it', { costUsd: ({ pages }) => `0.0${pages}` }, '0.030000000000'],
    ['a price per call', { price: { perCall: '0.01' } }, '0.010000000000'],
    ['a price per unit, counted by the result', { price: { perUnit: '0.001' }, units: ({ pages }) => pages }, '0.003000000000'],
    ['both, with a count that is given', { price: { perCall: '0.01', perUnit: '0.001' }, units: 4 }, '0.014000000000'],
    ['nothing said', {}, undefined],
    ['a cost that is withheld, then the price', { costUsd: () => undefined, price: { perCall: '1' } }, '1.000000000000'],
  ])('%s', (_, options, expected) => {
    expect(costOf(options)).toEqual({ cost: expected, warnings: [] })
  })

  test.each<[string, ToolOptions<{ pages: number }>]>([
    ['a cost that is no money', { costUsd: 'cheap' }],
    ['a negative cost', { costUsd: '-1' }],
    ['units that are not counted', { price: { perUnit: '1' } }],
    [
      'a function that throws',
      {
        costUsd: () => {
          throw new Error('no')
        },
      },
    ],
  ])('%s leaves the call unpriced, with a warning', (_, options) => {
    const { cost, warnings } = costOf(options)
    expect(cost).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })

  test('a call that failed costs the same, and says what kind of error it was but not what it said', () => {
    const call = eventOfTool('t', { costUsd: '0.01' }, { id: 'i', at: 0, attribution: {}, warn: () => undefined })
    const event = call.failed(new RangeError('the secret prompt'))
    expect(event).toMatchObject({ status: 'error', error: 'RangeError', costUsd: '0.010000000000' })
    expect(JSON.stringify(event)).not.toContain('secret')
    expect(call.failed('the secret prompt').error).toBe('error')
    expect(call.failed(Object.assign(new Error('x'), { code: 'ENOENT' })).error).toBe('ENOENT')
  })
})
