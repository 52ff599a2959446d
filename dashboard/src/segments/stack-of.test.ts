import { describe, expect, it } from 'vitest'
import type { Answer, AnswerRow, QueryAnswer } from '../../../src/server/api.ts'
import { type Doubtful, doubtOf } from '../format/doubt.ts'
import { measureInfo } from '../state/measures.ts'
import { stackOf } from './stack-of.ts'

const none = { calls: 0, cost: '0.000000000000' }
const coverage = { reported: none, computed: none, partial: none, estimated: none, unpriced: none }
const answer = (rows: readonly AnswerRow[], totals: Answer['totals'], previous?: Answer): QueryAnswer => ({
  from: '2026-10-24T00:00:00.000Z',
  to: '2026-10-26T12:00:00.000Z',
  tz: 'Europe/Berlin',
  rows,
  totals,
  coverage,
  ...(previous && { previous }),
})
const days = ['2026-10-23T22:00:00.000Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z']
const row = (bucket: number, agent: string | null, cost: string): AnswerRow => ({ bucket: days[bucket], agent, cost }) as AnswerRow

const cost = measureInfo('cost')
const wholes = answer(
  days.map((bucket, index) => ({ bucket, cost: ['10.000000000001', '0', '5'][index] }) as AnswerRow),
  { cost: '15.000000000001' },
)

describe('stackOf', () => {
  it('the layers add up to the whole in every bucket, to the last digit, days with 25 hours included', () => {
    const stack = stackOf({
      by: 'agent',
      info: cost,
      interval: 'day',
      totals: answer([{ agent: 'a', cost: '9' } as AnswerRow, { agent: 'other', folded: 3, cost: '6.000000000001' } as AnswerRow], {
        cost: '15.000000000001',
      }),
      layered: answer([row(0, 'a', '7'), row(2, 'a', '2')], {}),
      whole: wholes,
    })
    expect(stack?.starts.map((start) => new Date(start).toISOString())).toEqual(days)
    expect(stack?.layers.map(({ name, values }) => [name, values])).toEqual([
      ['a', ['7', '0', '2']],
      ['3 others', ['3.000000000001', '0.000000000000', '3.000000000000']],
    ])
  })

  it('a value that is none has a layer of its own and a name', () => {
    const stack = stackOf({
      by: 'agent',
      info: cost,
      interval: 'day',
      totals: answer([{ agent: null, cost: '15' } as AnswerRow], { cost: '15' }, answer([{ agent: null, cost: '30' } as AnswerRow], {})),
      layered: answer([row(0, null, '10'), row(2, null, '5')], {}),
      whole: wholes,
    })
    expect(stack?.layers).toMatchObject([{ name: 'no agent', value: null, before: '30', values: ['10', '0', '5'] }])
  })

  it('what cannot be added up has no "others" and gaps where it is not defined', () => {
    const stack = stackOf({
      by: 'agent',
      info: measureInfo('cacheHitRate'),
      interval: 'day',
      totals: answer([{ agent: 'a', cacheHitRate: 0.5 } as AnswerRow, { agent: 'other', folded: 2, cacheHitRate: 0.1 } as AnswerRow], {}),
      layered: answer([{ bucket: days[1], agent: 'a', cacheHitRate: 0.5 } as AnswerRow], {}),
      whole: answer([], {}),
    })
    expect(stack?.layers.map(({ name, values }) => [name, values])).toEqual([['a', [null, 0.5, null]]])
  })

  it('a part that is ahead of the whole does not make the others negative', () => {
    const stack = stackOf({
      by: 'agent',
      info: cost,
      interval: 'day',
      totals: answer([{ agent: 'a', cost: '16' } as AnswerRow, { agent: 'other', folded: 1, cost: '0' } as AnswerRow], {}),
      layered: answer([row(0, 'a', '11'), row(2, 'a', '5')], {}),
      whole: wholes,
    })
    expect(stack?.layers[1]?.values).toEqual(['0.000000000000', '0.000000000000', '0.000000000000'])
  })

  it('a value by the name of "other" is not the others, and each bucket says how sure it is', () => {
    const doubtful = (bucket: number, agent: string, amount: string, unpricedCalls: number): AnswerRow =>
      ({ ...row(bucket, agent, amount), unpricedCalls }) as AnswerRow
    const stack = stackOf({
      by: 'agent',
      info: cost,
      interval: 'day',
      totals: answer(
        [
          { agent: 'a', cost: '7' } as AnswerRow,
          { agent: 'other', cost: '1' } as AnswerRow,
          { agent: 'other', folded: 2, cost: '2' } as AnswerRow,
        ],
        {},
      ),
      layered: answer([doubtful(0, 'a', '7', 2), row(0, 'other', '1'), doubtful(2, 'a', '3', 1)], {}),
      whole: answer(
        [
          { bucket: days[0], cost: '10', unpricedCalls: 5, partialCalls: 1 } as unknown as AnswerRow,
          { bucket: days[2], cost: '5', unpricedCalls: 1 } as unknown as AnswerRow,
        ],
        {},
      ),
    })
    expect(stack?.layers.map(({ name, values }) => [name, values[0]])).toEqual([
      ['a', '7'],
      ['other', '1'],
      ['2 others', '2.000000000000'],
    ])
    const marks = (doubts: readonly Doubtful[] | undefined): readonly string[] => (doubts ?? []).map((doubt) => doubtOf(doubt).sentence)
    expect(stack?.layers.map(({ doubts }) => marks(doubts))).toEqual([
      ['2 unpriced', '', '1 unpriced'],
      ['', '', ''],
      ['3 unpriced, 1 partial', '', ''],
    ])
    expect(marks(stack?.wholeDoubts)).toEqual(['5 unpriced, 1 partial', '', '1 unpriced'])
  })
})
