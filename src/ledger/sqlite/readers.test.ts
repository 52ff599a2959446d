import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import type { Question } from '../../core/question.ts'
import { startDirect } from './service.ts'
import { openStore } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'taximeter-readers-'))
afterAll(() => rmSync(folder, { recursive: true }))

const question: Question = { measures: ['cost'], by: [], where: [], from: 0, to: 1, zone: 'UTC' }

test('many questions at once, the first ones of a ledger, are all answered', async () => {
  const store = await openStore({ path: join(folder, 'ledger.db'), durability: 'normal' }, (options) => startDirect(options))
  const answers = await Promise.all(Array.from({ length: 8 }, () => store.ask(question)))
  expect(answers.map(({ totals }) => totals.cost)).toEqual(Array(8).fill('0.000000000000'))
  await store.close()
})

test('a thread that has nothing to read for a while is let go, and the next question has another', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const started: { isClosed: boolean }[] = []
  const store = await openStore({ path: join(folder, 'resting.db'), durability: 'normal' }, async (options) => {
    const thread = await startDirect(options)
    if (options.role === 'writer') return thread
    const seen = { isClosed: false }
    started.push(seen)
    const close = async (): Promise<void> => {
      seen.isClosed = true
      await thread.close()
    }
    return { ...thread, close }
  })
  try {
    await Promise.all([store.ask(question), store.ask(question)])
    vi.advanceTimersByTime(29_999)
    await store.ask(question)
    expect(started).toEqual([{ isClosed: false }, { isClosed: false }])
    await vi.advanceTimersByTimeAsync(1)
    expect(started.filter(({ isClosed }) => isClosed)).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(started.filter(({ isClosed }) => isClosed)).toHaveLength(2)
    expect((await store.ask(question)).totals.cost).toBe('0.000000000000')
    expect(started).toHaveLength(3)
  } finally {
    vi.useRealTimers()
    await store.close()
  }
  expect(started.every(({ isClosed }) => isClosed)).toBe(true)
})
