import type { Spool, Waiting } from './spool.ts'

/** Where no folder is given, events wait for the ledger in memory: up to a limit, and only as long as the process lives. */
export const createMemorySpool = (eventsMax: number): Spool => {
  let kept: Waiting[] = []
  return {
    keep(events) {
      if (kept.length + events.length > eventsMax) return Promise.resolve(false)
      kept.push(...events)
      return Promise.resolve(true)
    },
    async replay(take) {
      while (kept.length > 0) {
        const batch = kept.slice(0, 500)
        await take(batch)
        kept = kept.slice(batch.length)
      }
    },
    bytes: 0,
    get isEmpty() {
      return kept.length === 0
    },
    close: () => Promise.resolve(),
  }
}
