import { describe, expect, test } from 'vitest'
import { parseEventId } from '../core/event-id.ts'
import { createUuidV7 } from './uuid-v7.ts'

describe('UUID version 7', () => {
  test('has the version, the variant and the time in their places', () => {
    const id = createUuidV7(() => Date.UTC(2026, 10, 22, 10))()
    expect(parseEventId(id)).toBe(id)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(Date.UTC(2026, 10, 22, 10))
  })

  test('rises strictly through a burst of one millisecond, past the counter, and when the clock steps back', () => {
    let now = 1_000
    const next = createUuidV7(() => now)
    const ids = Array.from({ length: 10_000 }, next)
    now = 500
    ids.push(next(), next())
    now = 5_000
    ids.push(next())
    expect(ids).toEqual([...ids].sort())
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('two makers with the same clock do not make the same id', () => {
    const [left, right] = [createUuidV7(() => 1), createUuidV7(() => 1)]
    const ids = Array.from({ length: 1_000 }, () => [left(), right()]).flat()
    expect(new Set(ids).size).toBe(2_000)
  })
})
