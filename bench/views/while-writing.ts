import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../../src/ledger/store.ts'
import { fleet } from '../ledger-calls.ts'
import type { Asked } from './questions.ts'
import { type Timed, timesOf } from './times.ts'

export interface WhileWriting {
  readonly timed: readonly Timed[]
  readonly callsPerSecond: number
  readonly failed: number
}

const callsPerSecond = 5_000
const batchCalls = 500

/** Puts questions while so many calls a second are written, after all that are there. */
export const whileWriting = async (store: Store, end: number, questions: readonly Asked[], repeats: number): Promise<WhileWriting> => {
  let isOver = false
  let written = 0
  let failed = 0
  const start = performance.now()
  const writing = (async () => {
    let batch = []
    // Calls of another seed, as many a second of the ledger's time as of the clock's.
    for (const entry of fleet({
      calls: 10_000_000,
      from: end,
      days: 10_000_000 / callsPerSecond / 86_400,
      seed: Math.floor(end + start),
    })) {
      batch.push(entry)
      if (batch.length < batchCalls) continue
      const appended = batch
      batch = []
      await store.append(appended).then(
        () => (written += appended.length),
        () => (failed += 1),
      )
      if (isOver) return
      const ahead = (written / callsPerSecond) * 1_000 - (performance.now() - start)
      if (ahead > 0) await pause(ahead)
    }
  })()
  const timed = await timesOf(store, questions, repeats)
  isOver = true
  const seconds = (performance.now() - start) / 1_000
  await writing
  return { timed, callsPerSecond: written / seconds, failed }
}
