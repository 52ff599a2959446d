import { expect, test } from 'vitest'
import { segmentFilters } from './segment-filters.ts'

test('only what calls have becomes a filter', () => {
  expect(segmentFilters({ budget: 'research', team: 'a,b', share: '80 %', 'tag.plan': 'pro' })).toEqual(['team:a%2Cb', 'tag.plan:pro'])
})
