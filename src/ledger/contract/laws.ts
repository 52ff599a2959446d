import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sentenceOf } from '../../core/errors.ts'
import type { CallEntry, Entry } from '../../core/event.ts'
import { listOrders, type Question } from '../../core/question.ts'
import { memoryStore } from '../memory/memory-store.ts'
import type { RunFilter, RunSummary, Store } from '../store.ts'
import { entryLists, questions } from './arbitraries.ts'
import type { MakeStore } from './make-store.ts'
import { day, day0, idOf } from './samples.ts'

/** How many random ledgers each law is tried on. */
const numRuns = 40

const appendInBatches = async (store: Store, entries: readonly Entry[], size: number): Promise<void> => {
  for (let at = 0; at < entries.length; at += size) await store.append(entries.slice(at, at + size))
}

const outcomeOf = async (store: Store, question: Question): Promise<unknown> =>
  store.ask(question).catch((error: unknown) => sentenceOf(error))

const countedIn = async (store: Store): Promise<readonly CallEntry[]> =>
  (await store.entries({ where: [], from: 0, to: day0 * 2 }, { limit: 1_000 })).entries

const runsIn = async (store: Store): Promise<readonly RunSummary[]> => {
  const filter: RunFilter = { where: [], from: 0, to: day0 * 2, sort: 'costliest' }
  return (await store.runs(filter, { limit: 1_000 })).runs
}

/** Random corrections of what is counted, and of what is not. */
const corrected = (entries: readonly Entry[], picks: readonly number[]): readonly Entry[] =>
  picks.flatMap((pick, index) => {
    const target = entries[pick % entries.length]
    if (target === undefined || target.event.kind === 'run') return []
    const call = target as CallEntry
    const event = { ...call.event, id: idOf(day0, 1_000 + index), attempt: call.event.attempt + 1 } as CallEntry['event']
    return [{ event, charge: call.charge, corrects: call.event.id, reason: 'a test' }]
  })

/** Every page of every order, two at a time. */
const sessionsIn = async (store: Store, { where, from, to }: Question): Promise<readonly unknown[]> => {
  const found: unknown[] = []
  for (const sort of listOrders) {
    let after: string | undefined
    do {
      const page = await store.sessions({ where, from, to, sort }, { limit: 2, ...(after !== undefined && { after }) })
      found.push(page)
      after = page.next
    } while (after !== undefined)
  }
  return found
}

export const describeLaws = (make: MakeStore): void => {
  describe('laws', () => {
    test('every question has the answer that raw entries give', async () => {
      const picks = fc.array(fc.nat(60), { maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(
          entryLists(40),
          picks,
          fc.array(questions, { minLength: 6, maxLength: 12 }),
          fc.integer({ min: 1, max: 40 }),
          async (entries, targets, asked, size) => {
            const [store, raw] = [await make(), memoryStore()]
            const all = [...entries, ...corrected(entries, targets)]
            for (const each of [store, raw]) await appendInBatches(each, all, size)
            for (const question of asked) expect(await outcomeOf(store, question)).toEqual(await outcomeOf(raw, question))
            expect(await runsIn(store)).toEqual(await runsIn(raw))
            for (const question of asked.slice(0, 3)) expect(await sessionsIn(store, question)).toEqual(await sessionsIn(raw, question))
            expect(await countedIn(store)).toEqual(await countedIn(raw))
          },
        ),
        { numRuns },
      )
    })

    test('any order, any repetition and any cut into batches give the same ledger', async () => {
      const shuffled = entryLists(25).chain((entries) =>
        fc.tuple(
          fc.constant(entries),
          fc.shuffledSubarray([...entries, ...entries], { minLength: entries.length * 2 }),
          fc.integer({ min: 1, max: 20 }),
        ),
      )
      await fc.assert(
        fc.asyncProperty(shuffled, questions, async ([entries, again, size], question) => {
          const [one, other] = [await make(), await make()]
          await one.append(entries)
          await appendInBatches(other, again, size)
          expect(await countedIn(other)).toEqual(await countedIn(one))
          expect(await runsIn(other)).toEqual(await runsIn(one))
          expect(await outcomeOf(other, question)).toEqual(await outcomeOf(one, question))
        }),
        { numRuns },
      )
    })

    test('what entered and left the totals adds up to what is counted', async () => {
      await fc.assert(
        fc.asyncProperty(
          entryLists(25),
          fc.array(fc.nat(60), { maxLength: 4 }),
          fc.integer({ min: 1, max: 9 }),
          async (entries, targets, size) => {
            const store = await make()
            const standing = new Map<string, CallEntry>()
            const all = [...entries, ...corrected(entries, targets)]
            for (let at = 0; at < all.length; at += size) {
              for (const { counted, uncounted } of await store.append(all.slice(at, at + size))) {
                if (uncounted !== undefined) expect(standing.delete(uncounted.event.id)).toBe(true)
                if (counted !== undefined) standing.set(counted.event.id, counted)
              }
            }
            const sorted = [...standing.values()].sort(
              (left, right) => left.event.at - right.event.at || (left.event.id < right.event.id ? -1 : 1),
            )
            expect(await countedIn(store)).toEqual(sorted)
          },
        ),
        { numRuns },
      )
    })

    test('the parts of a breakdown sum to the total', async () => {
      await fc.assert(
        fc.asyncProperty(entryLists(30), questions, async (entries, question) => {
          const store = await make()
          await store.append(entries)
          const by = question.by.filter((name) => name !== 'unit')
          const asked = {
            ...question,
            by,
            where: question.where.filter((filter) => filter.by !== 'unit'),
            measures: ['calls', 'retries', 'errors', 'llmCalls'] as const,
          }
          const answer = await store.ask({ ...asked, from: day0 - 30 * day, to: day0 + 30 * day, interval: 'day' })
          for (const measure of asked.measures) {
            expect(answer.rows.reduce((sum, row) => sum + Number(row[measure]), 0)).toBe(answer.totals[measure])
          }
        }),
        { numRuns: 20 },
      )
    })
  })
}
