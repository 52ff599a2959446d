import { expect, it } from 'vitest'
import { createEventIds } from './event-ids.ts'

it('ids are UUIDs of version 7 that sort by time and are never made twice', () => {
  let at = Date.UTC(2026, 10, 22)
  const next = createEventIds(() => at)
  const ids = Array.from({ length: 10_000 }, (_, index) => {
    if (index % 100 === 0) at += 1
    return next()
  })
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const times = ids.map((id) => id.slice(0, 13))
  expect(times.toSorted()).toEqual(times)
  expect(Number.parseInt((ids[0] ?? '').slice(0, 13).replace('-', ''), 16)).toBe(Date.UTC(2026, 10, 22) + 1)
})
