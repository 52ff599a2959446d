import { describe, expect, test } from 'vitest'
import { parseQuestion } from '../core/question.ts'
import { comparedOf, previousOf } from './previous-period.ts'

const now = Date.parse('2026-11-22T12:00:00Z')
const previous = (from: string, to: string, tz = 'UTC') => {
  const { from: start, to: end } = previousOf(parseQuestion({ from, to, tz }, now))
  return [new Date(start).toISOString(), new Date(end).toISOString()]
}

describe('the period before', () => {
  test.each([
    ['an hour is compared with the hour before', '2026-11-22T10:00:00Z', '2026-11-22T11:00:00Z', 'UTC', '2026-11-22T09:00:00.000Z'],
    ['a month with the month before, though it is shorter', '2026-03-01', '2026-04-01', 'UTC', '2026-02-01T00:00:00.000Z'],
    ['a quarter with the quarter before', '2026-04-01', '2026-07-01', 'UTC', '2026-01-01T00:00:00.000Z'],
    ['a week with the week before', '2026-11-16', '2026-11-23', 'UTC', '2026-11-09T00:00:00.000Z'],
    [
      'a day of 25 hours with the day of 24 before it',
      '2026-10-25T00:00:00+02:00',
      '2026-10-26T00:00:00+01:00',
      'Europe/Berlin',
      '2026-10-23T22:00:00.000Z',
    ],
    [
      'the week of the change of clocks with seven days',
      '2026-10-25T00:00:00+02:00',
      '2026-11-01T00:00:00+01:00',
      'Europe/Berlin',
      '2026-10-17T22:00:00.000Z',
    ],
    [
      'a day that is not the zone’s with as many hours',
      '2026-10-25T00:00:00Z',
      '2026-10-26T00:00:00Z',
      'Europe/Berlin',
      '2026-10-24T00:00:00.000Z',
    ],
  ])('%s', (_, from, to, tz, expected) => {
    expect(previous(from, to, tz)).toEqual([expected, new Date(from).toISOString()])
  })

  test('another release is compared in the same period', () => {
    const question = parseQuestion({ from: '2026-11-01', to: '2026-11-08', where: ['task:refund', 'release:2'] }, now)
    expect(comparedOf(question, 'release:1', now)).toEqual({
      ...question,
      where: [
        { by: 'task', values: ['refund'] },
        { by: 'release', values: ['1'] },
      ],
    })
  })

  test('a period may be named instead', () => {
    const question = parseQuestion({ measure: 'calls', by: 'agent', last: '7d' }, now)
    const compared = comparedOf(question, '2026-01-01..2026-01-08T12:00:00Z', now)
    expect(compared).toEqual({ ...question, from: Date.parse('2026-01-01'), to: Date.parse('2026-01-08T12:00:00Z') })
    for (const text of ['', '..', 'a..b', '2026-01-01', '2026-01-01..2026-01-02..2026-01-03', '2026-01-02..2026-01-01'])
      expect(() => comparedOf(question, text, now)).toThrow(/BAD_QUESTION/)
  })
})
