import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { BookJson } from '../core/book-json.ts'
import { parseUsd } from '../core/money.ts'
import { createPriceBook } from '../core/price-book.ts'
import { createIntake } from '../intake/intake.ts'
import { memoryStore } from '../ledger/memory/memory-store.ts'
import type { Store } from '../ledger/store.ts'
import { createReadings, readingsAskedOf } from './readings.ts'

const book = createPriceBook({
  version: 'test',
  providers: { acme: { name: 'Acme', models: { one: { periods: [{ rates: { input: '2', output: '8' } }] } } } },
} satisfies BookJson)
const day = 86_400_000
const noon = Date.parse('2026-11-21T12:00:00Z')

let store: Store
let next: number
beforeEach(() => {
  store = memoryStore()
  next = 0
})

/** Runs of a task with one call each, or with one that is made again. */
const play = async (at: number, task: string, runs: number, input: number, release?: string, attempts: readonly number[] = [0]) => {
  const intake = createIntake({ store, book: () => book, now: () => noon + 2 * day })
  const results = await intake.admit(
    Array.from({ length: runs * attempts.length }, (_, index) => {
      next += 1
      return {
        id: `019ab000-0000-7000-8000-${String(next).padStart(12, '0')}`,
        attempt: attempts[index % attempts.length],
        at,
        kind: 'llm',
        provider: 'acme',
        model: 'one',
        usage: { input, output: 100 },
        task,
        run: `run-${next - (index % attempts.length)}`,
        ...(release !== undefined && { release }),
      }
    }),
  )
  expect(results.every(({ outcome }) => outcome === 'accepted')).toBe(true)
}

/** Calls outside of runs. */
const playLoose = async (at: number, task: string, calls: number) => {
  const intake = createIntake({ store, book: () => book, now: () => noon + 2 * day })
  await intake.admit(
    Array.from({ length: calls }, (_, index) => ({
      id: `019ab111-0000-7000-8000-${String(index).padStart(12, '0')}`,
      at,
      kind: 'llm',
      provider: 'acme',
      model: 'one',
      usage: { input: 1_000, output: 100 },
      task,
    })),
  )
}

const period = { from: noon + day / 2, to: noon + (3 * day) / 2, zone: 'UTC' }
const read = () => createReadings(store)(period)

describe('readings', () => {
  test('a day of many retries does not look like a change of prices on the day after', async () => {
    await play(noon, 'refund', 20, 1_000, undefined, [0, 1])
    await play(noon + day, 'refund', 20, 2_000)
    const { readings } = await read()
    expect(readings.find(({ segment }) => segment.task === undefined)?.parts).toEqual([
      { name: 'retries', amountUsd: '-0.056000000000' },
      { name: 'prompt · one', amountUsd: '0.040000000000' },
    ])
  })

  test('a surge is traffic, a growing prompt is unit cost; each part is told and the parts sum to the change', async () => {
    await play(noon, 'refund', 20, 1_000)
    await play(noon, 'search', 20, 1_000)
    await play(noon + day, 'refund', 20, 2_000)
    await play(noon + day, 'search', 60, 1_000)
    const { readings } = await read()
    expect(readings.map(({ kind, segment }) => [segment.task, kind])).toEqual([
      [undefined, 'both'],
      ['search', 'traffic'],
      ['refund', 'unit-cost'],
    ])
    const refund = readings.find(({ segment }) => segment.task === 'refund')
    expect(refund?.sentence).toContain('from prompt tokens (one)')
    expect(refund?.parts).toEqual([{ name: 'prompt · one', amountUsd: '0.040000000000' }])
    for (const { parts, segment } of readings) {
      const where = segment.task === undefined ? [] : [{ by: 'task' as const, values: [segment.task] }]
      const [after, before] = await Promise.all([
        store.ask({ measures: ['cost'], by: [], where, ...period }),
        store.ask({ measures: ['cost'], by: [], where, ...period, from: period.from - day, to: period.from }),
      ])
      expect(parts.reduce((sum, part) => sum + (parseUsd(part.amountUsd) ?? 0n), 0n)).toBe(
        (parseUsd(String(after.totals.cost)) ?? 0n) - (parseUsd(String(before.totals.cost)) ?? 0n),
      )
    }
  })

  test('the segment that got dearer is critical and says why, the others are ok', async () => {
    await play(noon, 'refund', 20, 1_000)
    await play(noon, 'search', 20, 1_000)
    await play(noon + day, 'refund', 20, 4_000)
    await play(noon + day, 'search', 20, 1_000)
    const { segments } = await read()
    expect(segments.map(({ segment, status }) => [segment.task, status])).toEqual(
      expect.arrayContaining([
        ['refund', 'critical'],
        ['search', 'ok'],
      ]),
    )
    expect(segments.find(({ segment }) => segment.task === 'refund')?.reason).toMatch(/^Cost per run rose 214 %/)
  })

  test('filters narrow what is read, and another period or another release can be what it is compared with', async () => {
    await play(noon - day, 'refund', 5, 1_000)
    await play(noon, 'refund', 20, 1_000)
    await play(noon, 'search', 20, 1_000)
    await play(noon + day, 'refund', 40, 1_000, 'new')
    await play(noon + day, 'refund', 10, 3_000, 'old')
    const readAsked = async (text: Parameters<typeof readingsAskedOf>[0]) =>
      createReadings(store)(readingsAskedOf({ from: '2026-11-22T00:00:00Z', to: '2026-11-23T00:00:00Z', ...text }, noon))
    const narrowed = await readAsked({ where: ['task:refund', 'release:new'] })
    expect(narrowed.segments.map(({ segment, runs }) => [segment.task, runs])).toEqual([['refund', 40]])
    expect(narrowed.readings[0]?.sentence).toBe('Cost is $0.112; there was none in the period before.')
    expect(new URLSearchParams(narrowed.readings[1]?.query).getAll('where')).toEqual(['task:refund', 'release:new', 'task:refund'])
    const older = await readAsked({ where: ['task:refund'], compare: '2026-11-20..2026-11-21' })
    expect(older.readings[0]?.sentence).toContain('in the period 2026-11-20 to 2026-11-21 to $0.18')
    const releases = await readAsked({ where: ['release:new'], compare: 'release:old' })
    expect(releases.readings[0]?.sentence).toBe(
      'Cost rose 65 % against release old ($0.068 → $0.112). Traffic accounts for +300 %: runs went from 10 to 40 (+300 %). A run costs $0.0028 instead of $0.0068 (−59 %): −235 % from prompt tokens (one).',
    )
    await expect(readAsked({ compare: 'release:old' })).rejects.toThrow(/add where=release:<name>/)
    await expect(readAsked({ compare: 'yesterday' })).rejects.toThrow(/"compare" should be "previous" or a period/)
  })

  test('what is spent outside of runs is told by the call, and is not taken for the cost of a run', async () => {
    await play(noon, 'search', 20, 1_000)
    await play(noon + day, 'search', 20, 1_000)
    const intake = createIntake({ store, book: () => book, now: () => noon + 2 * day })
    const alone = Array.from({ length: 40 }, (_, index) => ({
      id: `019ab111-0000-7000-8000-${String(index).padStart(12, '0')}`,
      at: noon + (index < 10 ? 0 : day),
      kind: 'llm',
      provider: 'acme',
      model: 'one',
      usage: { input: 4_000, output: 100 },
      task: 'chat',
    }))
    await intake.admit(alone)
    const { readings } = await read()
    expect(readings.map(({ sentence }) => sentence)).toEqual([
      'Cost rose 122 % against the period before ($0.144 → $0.32). Traffic accounts for +67 %: calls went from 30 to 50 (+67 %). A call costs $0.0064 instead of $0.0048 (+33 %): +56 % from prompt tokens (one).',
      'Cost of “chat” rose 200 % against the period before ($0.088 → $0.264). Traffic accounts for +200 %: calls went from 10 to 30 (+200 %).',
    ])
  })

  test('with more tasks than can be told one by one the whole is explained, and the largest are shown', async () => {
    const intake = createIntake({ store, book: () => book, now: () => noon + 2 * day })
    const calls = Array.from({ length: 10_100 }, (_, index) => ({
      id: `019ab222-0000-7000-8000-${String(index).padStart(12, '0')}`,
      at: noon + day,
      kind: 'llm',
      provider: 'acme',
      model: 'one',
      usage: { input: 1_000 + index, cache_read: 1, cache_write_5m: 1, output: 100, reasoning: 1 },
      task: `task-${index}`,
      run: `run-${index}`,
    }))
    for (let start = 0; start < calls.length; start += 5_000) await intake.admit(calls.slice(start, start + 5_000))
    const { segments, readings } = await read()
    expect(segments).toHaveLength(200)
    expect(segments[0]?.segment.task).toBe('task-10099')
    expect(readings.map(({ sentence }) => sentence)).toEqual([
      expect.stringMatching(/^Cost is \$\d+\.\d\d; there was none in the period before\.$/),
      ...Array.from({ length: 6 }, (_, index) =>
        expect.stringMatching(new RegExp(`^Cost of “task-${10_099 - index}” is \\$[\\d.]+; there was none in the period before\\.$`)),
      ),
    ])
  })

  test('the tasks that get a sentence are those that change most when each is looked at alone', async () => {
    const changes = fc.array(
      fc.record({
        before: fc.integer({ min: 0, max: 30 }),
        after: fc.integer({ min: 0, max: 30 }),
        grown: fc.integer({ min: 0, max: 200 }),
      }),
      { minLength: 1, maxLength: 9 },
    )
    await fc.assert(
      fc.asyncProperty(changes, fc.boolean(), async (list, isLoose) => {
        store = memoryStore()
        for (const [index, { before, after, grown }] of list.entries()) {
          await play(noon, `task-${index}`, before, 1_000)
          await play(noon + day, `task-${index}`, after, 1_000 + grown)
        }
        if (isLoose) await playLoose(noon + day, 'loose', 7)
        const told = (await read()).readings.filter(({ segment }) => 'task' in segment)
        const names = [...list.map((_, index) => `task-${index}`), ...(isLoose ? ['loose'] : [])]
        const alone = await Promise.all(
          names.map(async (task) => {
            const { readings } = await createReadings(store)({ ...period, where: [{ by: 'task', values: [task] }] })
            const whole = readings.find(({ segment }) => !('task' in segment))
            return { task, kind: whole?.kind, parts: whole?.parts ?? [] }
          }),
        )
        const sizeOf = ({ parts }: { readonly parts: readonly { readonly amountUsd: string }[] }): number =>
          Math.abs(parts.reduce((sum, { amountUsd }) => sum + Number(parseUsd(amountUsd)), 0))
        const sizes = alone
          .filter(({ kind }) => kind !== 'steady')
          .map(sizeOf)
          .sort((left, right) => right - left)
          .slice(0, 6)
        expect(told.map(sizeOf)).toEqual(sizes)
        for (const { segment, kind, parts } of told) expect(alone.find(({ task }) => task === segment.task)).toMatchObject({ kind, parts })
      }),
      { numRuns: 40 },
    )
  })

  test('an empty ledger says nothing and invents nothing', async () => {
    expect(await read()).toMatchObject({
      segments: [],
      readings: [{ kind: 'steady', sentence: 'Cost is nothing, as in the period before.' }],
    })
  })
})
