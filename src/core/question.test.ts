import { describe, expect, test } from 'vitest'
import { parseFilter, parseQuestion, type QuestionText } from './question.ts'

const now = Date.parse('2026-11-22T12:00:00Z')

describe('parseQuestion', () => {
  test('reads every part', () => {
    expect(
      parseQuestion(
        {
          measure: 'cost,tokens.cache_read',
          by: 'agent, model',
          interval: 'hour',
          from: '2026-11-21',
          to: '2026-11-22T00:00:00+01:00',
          tz: 'Europe/Berlin',
          top: '5',
          where: ['task:refund', '-team:'],
        },
        now,
      ),
    ).toEqual({
      measures: ['cost', 'tokens.cache_read'],
      by: ['agent', 'model'],
      interval: 'hour',
      from: Date.parse('2026-11-21T00:00:00Z'),
      to: Date.parse('2026-11-21T23:00:00Z'),
      zone: 'Europe/Berlin',
      top: 5,
      where: [
        { by: 'task', values: ['refund'] },
        { by: 'team', values: [null], isNot: true },
      ],
    })
  })

  test('without anything it asks what the last day cost, the present instant included', () => {
    expect(parseQuestion({}, now)).toEqual({ measures: ['cost'], by: [], where: [], from: now + 1 - 86_400_000, to: now + 1, zone: 'UTC' })
  })

  test('a span looks back from now', () => {
    expect(parseQuestion({ last: '7d' }, now)).toMatchObject({ from: now - 7 * 86_400_000, to: now + 1 })
  })

  test.each<[string, QuestionText, string]>([
    ['an unknown measure', { measure: 'spend' }, '"spend" is not a measure. Use cost, '],
    ['an unknown unit', { measure: 'tokens.fish' }, '"tokens.fish" is not a measure.'],
    ['an unknown attribute', { by: 'colour' }, '"colour" is not a breakdown. Use agent, '],
    ['an attribute twice', { by: 'agent,agent' }, '"by" names an attribute twice'],
    ['too many attributes', { by: 'agent,task,model,team' }, 'at most 3 attributes, got 4'],
    ['an unknown interval', { interval: 'fortnight' }, '"fortnight" is not an interval. Use minute, '],
    ['an unknown zone', { tz: 'Nowhere/Else' }, '"Nowhere/Else" is not a time zone'],
    ['a period that ends before it begins', { from: '2026-02-01', to: '2026-01-01' }, '"from" should be before "to"'],
    ['an instant without a zone', { from: '2026-02-01T00:00' }, 'an instant with its zone'],
    ['a span that is none', { last: 'forever' }, 'a span such as 1h'],
    ['a span and a period', { last: '1h', from: '2026-01-01' }, 'not both'],
    ['nobody at the top', { top: '0' }, 'from 1 to 1000'],
    ['an injection', { where: ["agent' OR 1=1 --:x"] }, 'A filter should look like task:refund'],
  ])('%s is refused with what to do', (_, text, complaint) => {
    expect(() => parseQuestion(text, now)).toThrow(complaint)
    expect(() => parseQuestion(text, now)).toThrow(/^BAD_QUESTION: .*\.$/s)
  })
})

describe('parseFilter', () => {
  test('values are percent-decoded, so that a comma or a colon can be part of one', () => {
    expect(parseFilter('tag.plan:a%2Cb,c:d,50%')).toEqual({ by: 'tag.plan', values: ['a,b', 'c:d', '50%'] })
  })

  test('at most a hundred values', () => {
    expect(parseFilter(`user:${Array(100).fill('u').join(',')}`).values).toHaveLength(100)
    expect(() => parseFilter(`user:${Array(101).fill('u').join(',')}`)).toThrow('at most 100 values, got 101')
  })
})
