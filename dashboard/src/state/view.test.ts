import { describe, expect, it } from 'vitest'
import { dayMs, hourMs } from './buckets.ts'
import { type Period, parsePeriod, previousOf, rangeOf, searchOfPeriod } from './period.ts'
import { carried, filterText, mergeSearch, parseFilter, parseSearch, searchText, viewOf, whereWith, whereWithout } from './view.ts'

describe('the address', () => {
  it('text to parameters and back is the same address', () => {
    const text = '?last=24h&tz=Europe/Berlin&where=task:refund&where=-model:a,b&by=team'
    expect(searchText(parseSearch(text))).toBe(text)
  })

  it('names that no page knows and empty values are dropped', () => {
    expect(parseSearch('?evil=1&by=&last=7d&__proto__=x')).toEqual({ last: '7d' })
  })

  it('a patch sets and takes away', () => {
    expect(mergeSearch({ last: '7d', by: 'team' }, { by: undefined, q: 'x', where: [] })).toEqual({ last: '7d', q: 'x' })
  })

  it('period, zone and filters go along to the next page, the rest stays', () => {
    expect(carried({ last: '7d', tz: 'UTC', where: ['a:b'], sort: 'cost', after: 'x' })).toEqual({ last: '7d', tz: 'UTC', where: ['a:b'] })
  })

  it('what cannot be understood is said, and the default is shown', () => {
    const view = viewOf({ last: 'forever', tz: 'Mars/Olympus', where: ['nonsense'] }, 'UTC')
    expect(view.complaints).toHaveLength(3)
    expect(view.period).toEqual({ kind: 'last', span: '7d', ms: 7 * dayMs })
    expect(view.zone).toBe('UTC')
    expect(viewOf({ from: '2026-02-01', to: '2026-01-01' }, 'UTC').complaints[0]).toContain('ends before it begins')
  })
})

describe('filters', () => {
  it.each(['task:refund', '-model:gpt-4.1,gpt-5', 'team:', 'tag.plan:pro', 'user:a%2Cb', 'task:100%25'])(
    '%s is read and written the same',
    (text) => {
      const filter = parseFilter(text)
      expect(filter && filterText(filter)).toBe(text)
    },
  )

  it('"none" is a value of its own', () => {
    expect(parseFilter('team:')).toEqual({ by: 'team', values: [null], isNot: false })
  })

  it('a click narrows one attribute and keeps the others', () => {
    const { filters } = viewOf({ where: ['task:refund', 'model:a'] }, 'UTC')
    expect(whereWith(filters, 'model', 'b,c')).toEqual(['task:refund', 'model:b%2Cc'])
    expect(whereWithout(filters, 0)).toEqual(['model:a'])
  })
})

describe('periods', () => {
  const now = Date.parse('2026-11-22T14:30:00Z')
  const period = (search: { last?: string; from?: string; to?: string }): Period => {
    const parsed = parsePeriod(search)
    if (typeof parsed === 'string') throw new Error(parsed)
    return parsed
  }

  it('today begins at midnight of the zone and is compared with yesterday until the same time', () => {
    const today = period({ last: 'today' })
    expect(rangeOf(today, now, 'Europe/Berlin')).toEqual({ from: Date.parse('2026-11-21T23:00:00Z'), to: now })
    expect(previousOf(today, now, 'Europe/Berlin')).toEqual({ from: Date.parse('2026-11-20T23:00:00Z'), to: now - dayMs })
  })

  it('a span is compared with the span before', () => {
    expect(previousOf(period({ last: '24h' }), now, 'UTC')).toEqual({ from: now - 48 * hourMs, to: now - 24 * hourMs })
  })

  it('an address names a period and the period names the address', () => {
    const between = period({ from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' })
    expect(searchOfPeriod(between)).toEqual({ last: undefined, from: '2026-11-20T00:00:00.000Z', to: '2026-11-21T00:00:00.000Z' })
    expect(searchOfPeriod(period({ last: 'today' }))).toEqual({ last: 'today', from: undefined, to: undefined })
  })
})
