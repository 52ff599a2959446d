import { describe, expect, test } from 'vitest'
import { createAttempts, failedCallsMax, retryWindowMs } from './attempts.ts'

describe('the number of an attempt', () => {
  test('is what the client says, where it says so', () => {
    const attempts = createAttempts(() => 0)
    expect(attempts.next('p', '2')).toBe(2)
    expect(attempts.next('p', 'many')).toBe(0)
    expect(attempts.next(undefined, undefined)).toBe(0)
  })

  test('counts on after failures of the same prompt, until it succeeds', () => {
    const attempts = createAttempts(() => 0)
    attempts.ended('p', 0, true)
    expect(attempts.next('q', undefined)).toBe(0)
    expect(attempts.next('p', '0')).toBe(1)
    attempts.ended('p', 1, true)
    expect(attempts.next('p', undefined)).toBe(2)
    attempts.ended('p', 2, false)
    expect(attempts.next('p', undefined)).toBe(0)
  })

  test('begins anew after a while', () => {
    let now = 0
    const attempts = createAttempts(() => now)
    attempts.ended('p', 0, true)
    now = retryWindowMs
    expect(attempts.next('p', undefined)).toBe(1)
    now += 1
    expect(attempts.next('p', undefined)).toBe(0)
  })

  test('forgets the oldest failures past its limit', () => {
    const attempts = createAttempts(() => 0)
    for (let id = 0; id <= failedCallsMax; id++) attempts.ended(String(id), 0, true)
    expect(attempts.next('0', undefined)).toBe(0)
    expect(attempts.next('1', undefined)).toBe(1)
  })
})
