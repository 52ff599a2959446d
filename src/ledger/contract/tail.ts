import { describe, expect, test } from 'vitest'
import type { Followed } from '../store.ts'
import type { MakeStore } from './make-store.ts'
import { day, day0, hour, modelCall, runRecord } from './samples.ts'

export const describeTail = (make: MakeStore): void => {
  describe('the tail and the pages', () => {
    test('the tail gives every entry once, in the order of keeping, across reconnects', async () => {
      const store = await make()
      const entries = Array.from({ length: 30 }, (_, index) => (index % 10 === 9 ? runRecord('r', 'end') : modelCall({ at: day0 - index })))
      let cursor = await store.head()
      const seen: Followed[] = []
      const take = async (count: number) => {
        const stop = new AbortController()
        for await (const followed of store.follow(cursor, stop.signal)) {
          seen.push(followed)
          cursor = followed.cursor
          if (--count === 0) break
        }
        stop.abort()
      }
      await store.append(entries.slice(0, 10))
      await take(4)
      const rest = take(26)
      for (const entry of entries.slice(10)) await store.append([entry, entry])
      await rest
      expect(seen.map(({ entry }) => entry.event.id)).toEqual(entries.map(({ event }) => event.id))
      expect(cursor).toBe(await store.head())
    })

    test('the tail ends when its reader goes away or the ledger is closed', async () => {
      const store = await make()
      const stop = new AbortController()
      const read = async (signal: AbortSignal) => {
        for await (const _ of store.follow(await store.head(), signal)) throw new Error('nothing was written')
      }
      const reading = read(stop.signal)
      stop.abort()
      await reading
      const closing = read(new AbortController().signal)
      await store.head()
      await store.close()
      await closing
    })

    test('entries come from oldest to newest, page by page, filtered', async () => {
      const store = await make()
      const entries = [5, 3, 3, 9, 1].map((hours) => modelCall({ at: day0 + hours * hour, agent: hours === 9 ? 'b' : 'a' }))
      await store.append(entries)
      const sorted = [...entries].sort((left, right) => left.event.at - right.event.at || (left.event.id < right.event.id ? -1 : 1))
      const found: string[] = []
      let after: string | undefined
      do {
        const page = await store.entries(
          { where: [{ by: 'agent', values: ['a'] }], from: day0, to: day0 + day },
          { limit: 2, ...(after !== undefined && { after }) },
        )
        found.push(...page.entries.map(({ event }) => event.id))
        after = page.next
      } while (after !== undefined)
      expect(found).toEqual(sorted.slice(0, 4).map(({ event }) => event.id))
    })

    test('a closed ledger says so', async () => {
      const store = await make()
      await store.close()
      await expect(store.append([modelCall()])).rejects.toMatchObject({ code: 'LEDGER_CLOSED' })
      await expect(store.head()).rejects.toMatchObject({ code: 'LEDGER_CLOSED' })
    })
  })
}
