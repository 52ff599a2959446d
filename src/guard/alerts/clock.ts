/** A clock that is set back by no more than this is waited for: no alert ends, no window begins anew. */
const waitedForMs = 3_600_000

/**
 * Time that goes forward. A clock that is set back a little stands still here until it is reached again; one that is set back
 * further was wrong before, and is followed: alerts must not sleep until a future that was a mistake. `begin` is the latest
 * instant that is known to have been.
 */
export const createClock = (now: () => number, begin: number): { now(): number } => {
  let latest = begin
  return {
    now() {
      const shown = now()
      latest = shown >= latest || latest - shown > waitedForMs ? shown : latest
      return latest
    },
  }
}
