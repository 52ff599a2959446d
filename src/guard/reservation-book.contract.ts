import { afterEach, describe, expect, test } from 'vitest'
import type { BudgetWindow } from '../core/budget.ts'
import type { Claim, ReservationBook } from './reservation-book.ts'

export interface BookDriver {
  /** A fresh book with nothing in it. */
  create(): Promise<ReservationBook>
  /**
   * What whoever comes next finds after the last book made was left as by `kill -9` (or, with `end`, was ended). Absent: the
   * driver keeps nothing, and says why.
   */
  readonly reopen: ((now: number) => Promise<ReservationBook>) | { readonly keepsNothing: string }
  dispose?(): Promise<void>
}

const start = Date.parse('2026-11-22T12:00:00Z')
const total: BudgetWindow = { kind: 'total' }
const day: BudgetWindow = { kind: 'calendar', interval: 'day', zone: 'UTC' }
const leaseMs = 60_000
const claim = (key: string, amount: bigint, limit = 100n, isSoft = false): Claim => ({ key, amount, limit, isSoft })

/** What every reservation book must do, whatever is underneath. */
export const describeReservationBook = (name: string, makeDriver: () => Promise<BookDriver>): void => {
  describe(`the reservation book in ${name}`, () => {
    const drivers: BookDriver[] = []
    const books: ReservationBook[] = []
    const driverOf = async (): Promise<BookDriver> => {
      const driver = await makeDriver()
      drivers.push(driver)
      return driver
    }
    const kept = (book: ReservationBook): ReservationBook => {
      books.push(book)
      return book
    }
    const create = async (...keys: string[]): Promise<ReservationBook> => kept(opened(await (await driverOf()).create(), keys))
    afterEach(async () => {
      for (const book of books.splice(0)) await book.end(start).catch(() => undefined)
      for (const driver of drivers.splice(0)) await driver.dispose?.()
    })

    describeReserving(create)
    describeSpending(create)
    describeExpiry(create)
    describeMarks(create)
    describeRestart(async () => {
      const driver = await driverOf()
      return { ...driver, book: kept(await driver.create()), kept }
    })
  })
}

type Create = (...keys: string[]) => Promise<ReservationBook>

const opened = (book: ReservationBook, keys: readonly string[], window: BudgetWindow = total): ReservationBook => {
  for (const key of keys) book.open({ key, window }, [], start)
  return book
}

const reserve = (book: ReservationBook, id: string, claims: readonly Claim[], now = start, expiresAt = now + leaseMs) =>
  book.reserve({ id, claims, now, expiresAt })

const describeReserving = (create: Create): void => {
  test('a claim is held until the limit is reached, and not a unit further', async () => {
    const book = await create('a')
    expect(await reserve(book, '1', [claim('a', 60n)])).toEqual({ isGranted: true, overdrawn: 0 })
    expect(await reserve(book, '2', [claim('a', 41n)])).toMatchObject({ isGranted: false, reading: { spent: 0n, held: 60n } })
    expect(await reserve(book, '3', [claim('a', 40n)])).toMatchObject({ isGranted: true })
    expect(book.read('a', start)).toEqual({ spent: 0n, held: 100n })
  })

  test('all claims are held or none is', async () => {
    const book = await create('a', 'b')
    await reserve(book, '1', [claim('b', 90n)])
    expect(await reserve(book, '2', [claim('a', 20n), claim('b', 20n)])).toMatchObject({ isGranted: false, claim: { key: 'b' } })
    expect(book.read('a', start).held).toBe(0n)
  })

  test('claims that are made at the same time do not pass each other', async () => {
    const book = await create('a')
    const verdicts = await Promise.all(Array.from({ length: 200 }, (_, index) => reserve(book, `${index}`, [claim('a', 7n)])))
    expect(verdicts.filter(({ isGranted }) => isGranted)).toHaveLength(14)
    expect(book.read('a', start).held).toBe(98n)
  })

  test('a soft claim is held past its limit and says so', async () => {
    const book = await create('a', 'b')
    expect(await reserve(book, '1', [claim('a', 150n, 100n, true), claim('b', 1n)])).toEqual({ isGranted: true, overdrawn: 1 })
    expect(book.read('a', start).held).toBe(150n)
  })

  test('a call that cannot cost anything is not refused where nothing is left', async () => {
    const book = await create('a')
    book.spend('a', start, 120n, start)
    expect(await reserve(book, '1', [claim('a', 0n)])).toMatchObject({ isGranted: true })
  })

  test('the limit is that of the claim: a raised one lets more through, a lowered one less', async () => {
    const book = await create('a')
    await reserve(book, '1', [claim('a', 90n)])
    expect(await reserve(book, '2', [claim('a', 50n, 200n)])).toMatchObject({ isGranted: true })
    expect(await reserve(book, '3', [claim('a', 1n, 100n)])).toMatchObject({ isGranted: false })
  })

  test('an id that is held already is replaced, its own amount counting as free', async () => {
    const book = await create('a', 'b')
    await reserve(book, '1', [claim('a', 80n)])
    expect(await reserve(book, '1', [claim('a', 100n), claim('b', 5n)])).toMatchObject({ isGranted: true })
    expect([book.read('a', start).held, book.read('b', start).held]).toEqual([100n, 5n])
    expect(await reserve(book, '1', [claim('a', 101n)])).toMatchObject({ isGranted: false, reading: { held: 0n } })
    expect(book.read('a', start).held).toBe(100n)
    await reserve(book, '1', [claim('b', 6n)])
    expect([book.read('a', start).held, book.read('b', start).held]).toEqual([0n, 6n])
  })

  test('of a reservation that is replaced, only what is still held of it needs no room', async () => {
    const book = await create()
    const claim = { key: 'a', limit: 100n, isSoft: false }
    await book.reserve({ id: 'x', claims: [{ ...claim, amount: 60n }], now: start, expiresAt: start + 1_000 })
    book.open({ key: 'a', window: { kind: 'total' } }, [{ at: start, amount: 70n }], start)
    const again = (kept: bigint, amount: bigint) =>
      book.reserve({ id: 'x', claims: [{ ...claim, kept, amount }], now: start, expiresAt: start + 1_000 })
    expect((await again(40n, 60n)).isGranted).toBe(false)
    expect((await again(40n, 40n)).isGranted).toBe(true)
    expect((await again(0n, 30n)).isGranted).toBe(true)
    expect((await again(40n, 40n)).isGranted).toBe(false)
  })

  test('holding less than before is never refused, however far the allowance is overspent', async () => {
    const book = await create('a')
    await reserve(book, '1', [claim('a', 80n)])
    book.spend('a', start, 500n, start)
    expect(await reserve(book, '1', [claim('a', 81n)])).toMatchObject({ isGranted: false })
    expect(await reserve(book, '1', [claim('a', 30n)])).toMatchObject({ isGranted: true })
    expect(book.read('a', start).held).toBe(30n)
  })

  test('what is released can be held again; releasing twice, or what was never held, changes nothing', async () => {
    const book = await create('a')
    await reserve(book, '1', [claim('a', 100n)])
    expect(book.release('1', start)).toBe(true)
    expect(book.release('1', start)).toBe(false)
    expect(book.release('never', start)).toBe(false)
    expect(book.read('a', start).held).toBe(0n)
  })

  test('a hold is narrowed and never widened', async () => {
    const book = await create('a', 'b')
    await reserve(book, '1', [claim('a', 50n), claim('b', 50n)])
    book.narrow('1', [20n, 70n])
    book.narrow('never', [1n])
    expect([book.read('a', start).held, book.read('b', start).held]).toEqual([20n, 50n])
    book.release('1', start)
    expect([book.read('a', start).held, book.read('b', start).held]).toEqual([0n, 0n])
  })
}

const describeSpending = (create: Create): void => {
  test('what is spent takes room, and what is taken back gives it', async () => {
    const book = await create('a')
    book.spend('a', start, 70n, start)
    expect(await reserve(book, '1', [claim('a', 31n)])).toMatchObject({ isGranted: false, reading: { spent: 70n, held: 0n } })
    book.spend('a', start, -70n, start)
    expect(await reserve(book, '1', [claim('a', 31n)])).toMatchObject({ isGranted: true })
  })

  test('an allowance is seeded once', async () => {
    const book = await create()
    book.open({ key: 'a', window: total }, [{ at: start, amount: 30n }], start)
    book.open({ key: 'a', window: total }, [{ at: start, amount: 30n }], start)
    expect([book.isOpen('a'), book.isOpen('b'), book.read('a', start).spent]).toEqual([true, false, 30n])
  })

  test('closing an allowance forgets what was spent and keeps what is held', async () => {
    const book = await create('a')
    book.spend('a', start, 30n, start)
    await reserve(book, '1', [claim('a', 10n)])
    book.close('a')
    expect([book.isOpen('a'), book.read('a', start)]).toEqual([false, { spent: 0n, held: 10n }])
    book.spend('a', start, 30n, start)
    expect(book.read('a', start).spent).toBe(0n)
  })

  test('a calendar window begins anew at its end; what is in flight stays held', async () => {
    const book = await create()
    const midnight = Date.parse('2026-11-23T00:00:00Z')
    book.open({ key: 'a', window: day }, [], start)
    book.spend('a', start, 95n, start)
    await reserve(book, '1', [claim('a', 5n)], midnight - 1)
    expect(await reserve(book, '2', [claim('a', 1n)], midnight - 1)).toMatchObject({ isGranted: false })
    expect(book.instantBelow('a', 0n, midnight - 1)).toBe(midnight)
    expect(book.read('a', midnight)).toEqual({ spent: 0n, held: 5n })
    expect(await reserve(book, '2', [claim('a', 95n)], midnight)).toMatchObject({ isGranted: true })
  })
}

const describeExpiry = (create: Create): void => {
  test('a hold that nobody gave back expires, is counted and leaves nothing behind', async () => {
    const book = await create('a')
    await reserve(book, '1', [claim('a', 100n)])
    expect(await reserve(book, '2', [claim('a', 1n)], start + leaseMs - 1)).toMatchObject({ isGranted: false })
    expect(await reserve(book, '2', [claim('a', 100n)], start + leaseMs)).toMatchObject({ isGranted: true })
    expect(book.release('1', start + leaseMs)).toBe(false)
    expect([book.expired(), book.read('a', start + leaseMs).held]).toEqual([1, 100n])
  })

  test('releasing at the very instant of the expiry does not give back twice', async () => {
    const book = await create('a')
    await reserve(book, '1', [claim('a', 40n)])
    await reserve(book, '2', [claim('a', 40n)], start, start + 10 * leaseMs)
    expect(book.release('1', start + leaseMs)).toBe(false)
    expect(book.read('a', start + leaseMs).held).toBe(40n)
  })
}

const describeMarks = (create: Create): void => {
  test('a mark is claimed by one of many', async () => {
    const book = await create()
    const claims = await Promise.all(Array.from({ length: 20 }, () => book.mark('80%', start)))
    expect(claims.filter(Boolean)).toHaveLength(1)
    expect(await book.mark('100%', start)).toBe(true)
  })

  test('a mark comes back when its time is over, or when it is unmarked', async () => {
    const book = await create()
    await book.mark('a', start, start + 1_000)
    expect([await book.mark('a', start + 999, start + 2_000), await book.mark('a', start + 1_000)]).toEqual([false, true])
    book.unmark('a', start + 5_000, start + 1_000)
    expect([await book.mark('a', start + 4_999), await book.mark('a', start + 5_000)]).toEqual([false, true])
  })
}

type Opened = BookDriver & { readonly book: ReservationBook; kept(book: ReservationBook): ReservationBook }

const describeRestart = (create: () => Promise<Opened>): void => {
  /** The book after a crash, or undefined where the driver has said that it keeps nothing. */
  const reopened = async ({ reopen, kept }: Opened, now = start): Promise<ReservationBook | undefined> => {
    if (typeof reopen === 'function') return kept(await reopen(now))
    expect(reopen.keepsNothing).not.toBe('')
    return undefined
  }

  test('after a crash everything granted is still held, and comes back when its lease is over', async () => {
    const driver = await create()
    opened(driver.book, ['a'])
    for (let index = 0; index < 8; index++) await reserve(driver.book, `${index}`, [claim('a', 10n)])
    driver.book.release('0', start)
    const book = await reopened(driver)
    if (book === undefined) return
    opened(book, ['a'])
    expect(book.read('a', start).held).toBeGreaterThanOrEqual(70n)
    expect(book.read('a', start).held).toBeLessThanOrEqual(100n)
    expect(book.read('a', start + leaseMs - 1).held).toBeGreaterThanOrEqual(70n)
    expect(await reserve(book, 'next', [claim('a', 31n)])).toMatchObject({ isGranted: false })
    expect(book.read('a', start + 2 * leaseMs).held).toBe(0n)
  })

  test('a lasting reservation is replaced and released under its id after a crash', async () => {
    const driver = await create()
    const lease = (amount: bigint) => ({
      id: 'lease',
      claims: [claim('a', amount)],
      now: start,
      expiresAt: start + leaseMs,
      isLasting: true,
    })
    await driver.book.reserve(lease(60n))
    await driver.book.reserve(lease(30n))
    const book = await reopened(driver)
    if (book === undefined) return
    expect(book.read('a', start).held).toBe(30n)
    expect(await book.reserve(lease(100n))).toMatchObject({ isGranted: true })
    expect(book.read('a', start).held).toBe(100n)
    expect(book.release('lease', start)).toBe(true)
    expect(book.read('a', start).held).toBe(0n)
  })

  test('after an orderly end exactly what is in flight stays held', async () => {
    const driver = await create()
    for (let index = 0; index < 8; index++) await reserve(driver.book, `${index}`, [claim('a', 10n)])
    for (let index = 1; index < 8; index++) driver.book.release(`${index}`, start)
    await driver.book.end(start)
    const book = await reopened(driver)
    if (book === undefined) return
    expect(book.read('a', start).held).toBe(10n)
  })

  test('a mark that is given free for later takes nothing along that is held now', async () => {
    const driver = await create()
    await reserve(driver.book, 'held', [claim('a', 10n)])
    await driver.book.mark('passed', start)
    driver.book.unmark('passed', start + 10 * leaseMs, start)
    // Whatever is marked next is durable after it.
    await driver.book.mark('next', start)
    const book = await reopened(driver)
    if (book === undefined) return
    expect(book.read('a', start).held).toBeGreaterThanOrEqual(10n)
    expect(await book.mark('passed', start + leaseMs)).toBe(false)
  })

  test('a mark stays claimed after a crash', async () => {
    const driver = await create()
    await driver.book.mark('ever', start)
    await driver.book.mark('today', start, start + 1_000)
    const book = await reopened(driver, start + 1)
    if (book === undefined) return
    expect([await book.mark('ever', start + 1), await book.mark('today', start + 1)]).toEqual([false, false])
    expect(await book.mark('today', start + 1_000)).toBe(true)
  })
}
