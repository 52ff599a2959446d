import { expect, test } from 'vitest'
import { localHours } from './hours.ts'

const hour = 3_600_000
const day = 24 * hour

/** Two days of Berlin around midnight of one, each hour with the number that its clocks show, plus a hundred on the second day. */
const twoDays = (first: string) => {
  const from = Date.parse(first)
  const until = from + 2 * day
  const local = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', day: 'numeric', hour: '2-digit', hourCycle: 'h23' })
  const shown = (at: number): { readonly day: string; readonly hour: number } => {
    const parts = Object.fromEntries(local.formatToParts(at).map(({ type, value }) => [type, value]))
    return { day: parts.day ?? '', hour: Number(parts.hour) }
  }
  const hourly = Array.from({ length: 48 }, (_, index) => {
    const at = shown(from + index * hour)
    return at.hour + (at.day === shown(from).day ? 0 : 100)
  })
  return localHours({ from, until, segments: new Map([['[]', { hourly, grain: 1 }]]) }, 'Europe/Berlin').get('[]')?.hourly ?? []
}
const upTo = (end: number, more = 0): readonly number[] => Array.from({ length: end }, (_, index) => index + more)

test('of a day with 23 hours the one that is skipped is as it was the day before', () => {
  const hours = twoDays('2026-03-27T23:00:00Z')
  expect(hours.slice(0, 24)).toEqual(upTo(24))
  expect(hours.slice(24, 48)).toEqual([100, 101, 2, ...upTo(21, 103)])
})

test('of a day with 25 hours the one that is shown twice counts once, and every other stands at its place', () => {
  const hours = twoDays('2026-10-24T22:00:00Z')
  expect(hours.slice(0, 24)).toEqual(upTo(24))
  expect(hours.slice(24)).toEqual(upTo(23, 100))
})
