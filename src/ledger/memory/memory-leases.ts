import type { Lease, LeaseStore, Mark } from '../lease-store.ts'

/** Leases for a ledger in memory, and for tests: two books on the same value are as two processes on one file. */
export const memoryLeases = (): LeaseStore => {
  const leases = new Map<string, Lease>()
  const marks = new Map<string, Mark>()
  return {
    load: async (now) => ({
      leases: [...leases.values()].filter(({ expiresAt }) => expiresAt > now),
      marks: [...marks.values()].filter(({ until }) => until === undefined || until > now),
    }),
    write: async (changes) => {
      for (const [key, { holder, expiresAt }] of leases) if (expiresAt <= changes.now || changes.ended.includes(holder)) leases.delete(key)
      for (const lease of changes.leases) leases.set(`${lease.holder}\n${lease.allowance}`, lease)
      for (const [name, { until }] of marks) if (until !== undefined && until <= changes.now) marks.delete(name)
      for (const mark of changes.marks) marks.set(mark.name, mark)
    },
    close: async () => undefined,
  }
}
