import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LeaseStore } from '../ledger/lease-store.ts'
import { memoryLeases } from '../ledger/memory/memory-leases.ts'
import { sqliteLeases } from '../ledger/sqlite/leases.ts'
import { createDurableBook } from './durable-book.ts'
import { type BookDriver, describeReservationBook } from './reservation-book.contract.ts'

const start = Date.parse('2026-11-22T12:00:00Z')
let holders = 0
const bookOn = (leases: LeaseStore, now = start) => createDurableBook({ leases, holder: `process-${holders++}`, now })

const driverOn = (openLeases: () => LeaseStore, dispose: () => Promise<void>): BookDriver => ({
  create: () => bookOn(openLeases()),
  reopen: (now) => bookOn(openLeases(), now),
  dispose,
})

describeReservationBook('a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'taximeter-leases-'))
  return driverOn(
    () => sqliteLeases({ path: join(folder, 'ledger.db') }),
    () => rm(folder, { recursive: true }),
  )
})

describeReservationBook('leases in memory', async () => {
  const leases = memoryLeases()
  return driverOn(
    () => leases,
    async () => undefined,
  )
})

describe('what is written', () => {
  const counting = () => {
    const leases = memoryLeases()
    const writes: number[] = []
    let failure: Error | undefined
    return {
      writes,
      fail: (error: Error | undefined) => void (failure = error),
      leases: {
        ...leases,
        write: async (changes) => {
          if (failure !== undefined) throw failure
          writes.push(changes.leases.length)
          await leases.write(changes)
        },
      } satisfies LeaseStore,
    }
  }
  const claims = [{ key: 'a', amount: 10n, limit: 1_000_000n, isSoft: false }]

  test('calls that come and go under a cover write nothing', async () => {
    const { leases, writes } = counting()
    const book = await bookOn(leases)
    await book.reserve({ id: 'first', claims, now: start, expiresAt: start + 60_000 })
    expect(writes).toHaveLength(1)
    book.release('first', start)
    for (let index = 0; index < 1_000; index++) {
      const verdict = book.reserve({ id: `${index}`, claims, now: start, expiresAt: start + 60_000 })
      expect(verdict).not.toBeInstanceOf(Promise)
      book.release(`${index}`, start)
    }
    expect(writes).toHaveLength(1)
  })

  test('those who wait in one turn of the event loop share one write', async () => {
    const { leases, writes } = counting()
    const book = await bookOn(leases)
    await Promise.all(
      Array.from({ length: 500 }, (_, index) => book.reserve({ id: `${index}`, claims, now: start, expiresAt: start + 60_000 })),
    )
    expect(writes).toHaveLength(1)
  })

  test('five hundred calls in flight one after the other take a handful of writes', async () => {
    const { leases, writes } = counting()
    const book = await bookOn(leases)
    for (let index = 0; index < 500; index++) await book.reserve({ id: `${index}`, claims, now: start, expiresAt: start + 60_000 })
    expect(writes.length).toBeLessThan(20)
  })

  test('a cover is renewed for calls that outlast it, and shrinks to what is in flight', async () => {
    const { leases } = counting()
    const book = await bookOn(leases)
    for (let index = 0; index < 100; index++) await book.reserve({ id: `${index}`, claims, now: start, expiresAt: start + 60_000 })
    for (let index = 0; index < 100; index++) book.release(`${index}`, start)
    const later = start + 70_000
    await book.reserve({ id: 'later', claims, now: later, expiresAt: later + 60_000 })
    const kept = await leases.load(later)
    expect(kept.leases.map(({ amount }) => amount)).toEqual([15n])
    expect(kept.leases[0]?.expiresAt).toBeGreaterThanOrEqual(later + 60_000)
  })

  test('a write that fails grants nothing and holds nothing', async () => {
    const { leases, fail } = counting()
    const book = await bookOn(leases)
    fail(new Error('disk full'))
    await expect(book.reserve({ id: '1', claims, now: start, expiresAt: start + 60_000 })).rejects.toThrow('disk full')
    await expect(book.mark('80%', start)).rejects.toThrow('disk full')
    expect(book.read('a', start).held).toBe(0n)
    fail(undefined)
    expect(await book.reserve({ id: '1', claims, now: start, expiresAt: start + 60_000 })).toMatchObject({ isGranted: true })
    expect(await book.mark('80%', start)).toBe(true)
  })
})
