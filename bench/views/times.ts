import type { Store } from '../../src/ledger/store.ts'
import type { Asked } from './questions.ts'

export interface Timed {
  readonly asked: Asked
  /** From the shortest to the longest, in ms. */
  readonly times: readonly number[]
}

/** Puts every question some times, one after the other. */
export const timesOf = async (store: Store, questions: readonly Asked[], repeats: number): Promise<readonly Timed[]> => {
  const found: Timed[] = []
  for (const asked of questions) {
    const times: number[] = []
    for (let repeat = 0; repeat < repeats; repeat++) {
      const start = performance.now()
      await asked.ask(store)
      times.push(performance.now() - start)
    }
    found.push({ asked, times: times.sort((left, right) => left - right) })
  }
  return found
}

/** By nearest rank. */
export const at = (share: number, sorted: readonly number[]): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
