import { expect, test } from 'vitest'
import type { AlertRecord, Delivery } from '../../ledger/alert-store.ts'
import type { Notice } from '../notifiers/notifier.ts'
import { attemptsMax, createDeliveries } from './deliveries.ts'

const begin = Date.parse('2026-11-22T12:00:00Z')
const minute = 60_000

const alert: AlertRecord = {
  id: 'a',
  rule: 'r',
  key: '[]',
  state: 'resolved',
  severity: 'warning',
  message: 'It is too much.',
  segment: {},
  value: '3',
  threshold: '2',
  query: '',
  startedAt: begin,
  firedAt: begin,
  resolvedAt: begin + minute,
}
const owed = (transition: Delivery['transition'], more: Partial<Delivery> = {}): Delivery => ({
  alert: 'a',
  transition,
  notifier: 'test',
  attempts: 0,
  nextAt: begin,
  ...more,
})

/** A receiver that is away until it is said to be there, and pauses that are as long as they can be. */
const receiver = (deliveries: readonly Delivery[]) => {
  const state = { isAway: true, tries: 0, heard: [] as string[], written: [] as Delivery[], errors: [] as unknown[] }
  const sending = createDeliveries({
    notifiers: () => [
      {
        name: 'test',
        send: async ({ transition }) => {
          state.tries += 1
          if (state.isAway) throw new Error('The receiver is away.')
          state.heard.push(transition)
        },
        close: async () => {},
      },
    ],
    store: { write: async (changes) => void state.written.push(...changes.deliveries) },
    random: () => 1,
    now: () => begin,
    owed: deliveries,
    alertOf: () => alert,
    holdingFor: () => [],
    onError: (error) => void state.errors.push(error),
  })
  return { state, sending }
}

test('the beginning is told before the end, also when both have waited', async () => {
  const { state, sending } = receiver([owed('resolved'), owed('firing')])
  state.isAway = false
  await sending.send(begin)
  expect(state.heard).toEqual(['firing', 'resolved'])
})

test('pauses grow up to a quarter of an hour, and then it is given up', async () => {
  const { state, sending } = receiver([owed('firing')])
  const tries: number[] = []
  for (let second = 0; state.written.at(-1)?.outcome === undefined; second++) {
    const before = state.tries
    await sending.send(begin + second * 1_000)
    if (state.tries > before) tries.push(second)
  }
  expect(tries).toEqual([0, 2, 6, 14, 30, 62, 126, 254, 510, 1_022, 1_922, 2_822])
  expect(tries.length).toBe(attemptsMax)
  expect(state.written.at(-1)).toMatchObject({ attempts: attemptsMax, outcome: 'given-up' })
  expect(sending.counters()).toEqual({ test: { delivered: 0, failures: attemptsMax, givenUp: 1, waiting: 0 } })
})

test('what waits for its next attempt does not wait for a future that a wrong clock has written', async () => {
  const { state, sending } = receiver([owed('firing', { attempts: 3, nextAt: begin + 24 * 60 * minute })])
  state.isAway = false
  await sending.send(begin)
  expect(state.heard).toEqual(['firing'])
})

test('a receiver that forgets is reminded of what holds, until it has ended; one that does not forget is told once', async () => {
  const heard: Record<string, string[]> = { forgets: [], keeps: [] }
  const firing: AlertRecord = { ...alert, state: 'firing' }
  let holding: readonly AlertRecord[] = [firing, { ...firing, id: 'b', key: '["b"]' }]
  let isAway = false
  const notifier = (name: string, remindMs?: number) => ({
    name,
    ...(remindMs !== undefined && { remindMs }),
    send: async ({ alerts }: Notice) => {
      if (isAway) throw new Error('The receiver is away.')
      heard[name]?.push(alerts.map(({ id }) => id).join(' '))
    },
    close: async () => {},
  })
  const sending = createDeliveries({
    notifiers: () => [notifier('forgets', minute), notifier('keeps')],
    store: { write: async () => {} },
    random: () => 1,
    now: () => begin,
    owed: [
      owed('firing', { notifier: 'forgets' }),
      owed('firing', { notifier: 'keeps' }),
      // Not told yet: it waits for its turn and is no reminder.
      owed('firing', { alert: 'b', notifier: 'forgets', nextAt: begin + 10 * minute }),
    ],
    alertOf: (id) => holding.find((each) => each.id === id),
    holdingFor: () => holding,
    onError: () => {},
  })
  await sending.send(begin)
  await sending.send(begin + minute / 2)
  expect(heard).toEqual({ forgets: ['a', 'a'], keeps: ['a'] })
  await sending.send(begin + minute)
  isAway = true
  await sending.send(begin + 2 * minute)
  isAway = false
  await sending.send(begin + 3 * minute)
  holding = []
  await sending.send(begin + 4 * minute)
  expect(heard).toEqual({ forgets: ['a', 'a', 'a', 'a'], keeps: ['a'] })
})

test('a failure says whose it is', async () => {
  const { state, sending } = receiver([owed('firing')])
  await sending.send(begin)
  expect(state.errors).toMatchObject([{ message: 'Notifier "test": The receiver is away.' }])
})
