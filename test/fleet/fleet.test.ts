import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BookJson } from '../../src/core/book-json.ts'
import { createPriceBook } from '../../src/core/price-book.ts'
import { dayMs, type FleetPlan, fleetEvents, hourMs } from './fleet-events.ts'
import { watchFleet } from './fleet-watch.ts'

// A Monday.
const begin = Date.parse('2026-09-07T00:00:00Z')
const quietWeeks = 3
const at = (day: number, hour: number): number => begin + quietWeeks * 7 * dayMs + day * dayMs + hour * hourMs

const loopAt = at(0, 14)
const mistakeAt = at(1, 10)
const releaseAt = at(2, 9)
const surge = { from: at(3, 12), to: at(3, 15) }
const end = at(4, 12)

const plan: FleetPlan = {
  from: begin,
  to: end,
  seed: 3,
  // Releases are everyday: only one of them makes a prompt grow.
  releaseOf: (agent, time) => {
    if (agent === 'writer') return 'w-1'
    if (agent === 'reviewer') return time < begin + 9 * dayMs ? 'r-1' : 'r-2'
    return time < begin + 12 * dayMs ? 's-1' : time < releaseAt ? 's-2' : 's-3'
  },
  injections: [
    { isIn: (work, time) => work.task === 'order-status' && time >= releaseAt, prompt: 2.5 },
    { isIn: (work, time) => work.task === 'draft' && time >= surge.from && time < surge.to, traffic: 6 },
  ],
  loops: [{ at: loopAt, task: 'refund', calls: 150, everyMs: 15_000 }],
}

const rates = (input: number, output: number) => ({ input: String(input), output: String(output) })
/** From one instant on somebody has written one model's rates ten times too high. */
const bookJson: BookJson = {
  version: 'fleet',
  providers: {
    acme: {
      name: 'Acme',
      models: {
        large: { periods: [{ rates: rates(8, 30) }] },
        medium: {
          periods: [{ rates: rates(4, 16) }, { from: `${new Date(mistakeAt).toISOString().slice(0, 16)}Z`, rates: rates(40, 160) }],
        },
        small: { periods: [{ rates: rates(5, 20) }] },
      },
    },
  },
}
const book = createPriceBook(bookJson)

let fleet: Awaited<ReturnType<typeof watchFleet>>
beforeAll(async () => {
  fleet = await watchFleet(fleetEvents(plan), { book: () => book, dailyUsd: '800' })
})
afterAll(() => fleet.close())

const minute = 60_000
const quietEnd = at(0, 0)
/** What was told to begin between two instants. */
const firedIn = (from: number, to: number) =>
  fleet.told.filter((told) => told.transition === 'firing' && told.at >= from && told.at < to).map(({ alert }) => alert)

/** Plays on, and every few hours the process dies and another takes over. */
const playThrough = async (to: number): Promise<void> => {
  for (let next = fleet.now(); next < to; ) {
    next = Math.min(to, next + 7 * hourMs)
    await fleet.play(next, 15 * minute)
    await fleet.restart()
  }
}

describe('a fleet with the default rules', { timeout: 120_000 }, () => {
  test('is quiet for three quiet weeks', async () => {
    // Just before an hour is full both it and the one before it are seen in whole.
    await fleet.play(quietEnd, 2 * hourMs)
    expect(fleet.told.map(({ alert }) => alert.message)).toEqual([])
    expect((await fleet.alerts()).map(({ message }) => message)).toEqual([])
  })

  test('a loop is told once: the run that goes round', async () => {
    await playThrough(mistakeAt)
    const [loop, ...others] = firedIn(quietEnd, mistakeAt)
    expect(others).toEqual([])
    expect(loop).toMatchObject({ rule: 'repeated-prompt', cause: 'calls', segment: { run: 'run-loop', task: 'refund', agent: 'support' } })
    expect(loop?.message).toMatch(/the same prompt was sent \d+ times to large .* A loop/)
  })

  test('a mistake in a price is told once: the price, and of which model', async () => {
    await playThrough(releaseAt)
    const [mistake, ...others] = firedIn(mistakeAt, releaseAt)
    expect(others).toEqual([])
    expect(mistake).toMatchObject({ cause: 'price', model: 'medium' })
    expect(mistake?.message).toMatch(/A run costs .* instead of .*: \+\d+ % from prices \(medium\)/)
  })

  test('a prompt that grows with a release is told once: the prompt, and which release', async () => {
    await playThrough(surge.from)
    const [growth, ...others] = firedIn(releaseAt, surge.from)
    expect(others).toEqual([])
    expect(growth).toMatchObject({ cause: 'prompt', model: 'large', segment: { task: 'order-status' } })
    expect(growth?.message).toMatch(/from prompt tokens \(large\)/)
    expect(growth?.message).toMatch(/release s-3/)
  })

  test('a surge of traffic is told once: as traffic, at the same cost of a run', async () => {
    await playThrough(end)
    const [rise, ...others] = firedIn(surge.from, end)
    expect(others).toEqual([])
    expect(rise).toMatchObject({ cause: 'traffic', segment: { task: 'draft' } })
    expect(rise?.message).toMatch(/This is traffic: \d+ runs where about [\d.]+ are usual; a run costs \$[\d.]+, about as before/)
    expect(rise?.message).not.toMatch(/regression|price|prompt/)
  })

  test('nothing failed on the way, and what other rules saw of the same incidents is kept as part of them', async () => {
    expect(fleet.failures).toEqual([])
    const alerts = await fleet.alerts()
    const told = new Set(fleet.told.map(({ alert }) => alert.id))
    expect(told.size).toBe(4)
    for (const alert of alerts.filter(({ id }) => !told.has(id))) expect(told).toContain(alert.partOf)
    expect(alerts.some(({ rule, cause }) => rule === 'unusual-hour' && cause === 'calls')).toBe(true)
  })
})
