import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AlertRecord, type AlertStore, type Delivery, memoryAlerts } from './alert-store.ts'
import { sqliteAlerts } from './sqlite/alerts.ts'

let folder: string
let store: AlertStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taximeter-alerts-'))
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const alert = (id: string, more: Partial<AlertRecord> = {}): AlertRecord => ({
  id,
  rule: 'r',
  key: '[]',
  state: 'firing',
  severity: 'warning',
  message: 'Too much.',
  segment: { agent: 'a' },
  value: '2',
  threshold: '1',
  query: 'measure=cost',
  startedAt: 100,
  firedAt: 100,
  ...more,
})
const owed = (id: string, more: Partial<Delivery> = {}): Delivery => ({
  alert: id,
  transition: 'firing',
  notifier: 'log',
  attempts: 0,
  nextAt: 100,
  ...more,
})
const none = { alerts: [], deliveries: [], dropped: [], forgetBefore: 0 }

describe.each([
  ['memory', () => memoryAlerts()],
  ['sqlite', () => sqliteAlerts({ path: join(folder, 'ledger.db') })],
] as const)('alerts in %s', (_, open) => {
  beforeEach(() => {
    store = open()
  })

  test('what was written is there, and written over by id', async () => {
    await store.write({ ...none, alerts: [alert('1'), alert('2')], deliveries: [owed('1')] })
    await store.write({ ...none, alerts: [alert('1', { state: 'resolved', resolvedAt: 300 })] })
    expect(await store.load(0)).toEqual({
      alerts: expect.arrayContaining([alert('1', { state: 'resolved', resolvedAt: 300 }), alert('2')]),
      deliveries: [owed('1')],
    })
  })

  test('a delivery that is over is no longer owed', async () => {
    await store.write({ ...none, alerts: [alert('1')], deliveries: [owed('1'), owed('1', { notifier: 'slack' })] })
    await store.write({ ...none, deliveries: [owed('1', { outcome: 'delivered', attempts: 1 })] })
    expect((await store.load(0)).deliveries).toEqual([owed('1', { notifier: 'slack' })])
  })

  test('what was resolved long ago is not loaded, and is forgotten when asked', async () => {
    await store.write({ ...none, alerts: [alert('old', { state: 'resolved', resolvedAt: 200 }), alert('open')] })
    expect((await store.load(201)).alerts.map(({ id }) => id)).toEqual(['open'])
    await store.write({ ...none, forgetBefore: 201 })
    expect((await store.load(0)).alerts.map(({ id }) => id)).toEqual(['open'])
  })

  test('history is the latest first, without what never fired', async () => {
    await store.write({ ...none, alerts: [alert('1'), alert('2', { startedAt: 200 }), alert('3', { startedAt: 300, state: 'pending' })] })
    expect((await store.history(10)).map(({ id }) => id)).toEqual(['2', '1'])
    expect((await store.history(1)).map(({ id }) => id)).toEqual(['2'])
  })

  test('a pending alert that came to nothing is gone', async () => {
    await store.write({ ...none, alerts: [alert('1', { state: 'pending' })] })
    await store.write({ ...none, dropped: ['1'] })
    expect((await store.load(0)).alerts).toEqual([])
  })
})

test('alerts are in the file when it is opened again', async () => {
  const path = join(folder, 'ledger.db')
  const first = sqliteAlerts({ path })
  await first.write({ ...none, alerts: [alert('1')], deliveries: [owed('1')] })
  await first.close()
  store = sqliteAlerts({ path })
  expect(await store.load(0)).toEqual({ alerts: [alert('1')], deliveries: [owed('1')] })
})
