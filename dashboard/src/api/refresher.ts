/** Asks again for what is on screen when the ledger has moved on. */
export interface Refresher {
  /** Something changed; soon is soon enough. */
  stir(): void
  close(): void
}

export interface RefresherOptions {
  /** Resolves when everything on screen is fresh. */
  refresh(): Promise<unknown>
  readonly pauseMsMin?: number
  readonly pauseMsMax?: number
  readonly idleMs?: number
}

/**
 * At most one refresh at a time, and between two a pause of ten times what the last one took: a page that is being watched never
 * has a slow server work for it more than a tenth of the time. Without news it asks once a minute, because "the last hour" moves.
 */
export const createRefresher = ({ refresh, pauseMsMin = 2_000, pauseMsMax = 60_000, idleMs = 60_000 }: RefresherOptions): Refresher => {
  let timer: ReturnType<typeof setTimeout> | undefined
  let pauseMs = pauseMsMin
  let isRunning = false
  let isStirred = false
  let isClosed = false

  const schedule = (ms: number): void => {
    clearTimeout(timer)
    if (!isClosed) timer = setTimeout(run, ms)
  }

  const run = async (): Promise<void> => {
    if (document.hidden) return schedule(idleMs)
    isRunning = true
    isStirred = false
    const startedAt = performance.now()
    // A refresh that fails has told its own queries so; the next one is due all the same.
    await refresh().catch(() => undefined)
    isRunning = false
    pauseMs = Math.min(pauseMsMax, Math.max(pauseMsMin, 10 * (performance.now() - startedAt)))
    schedule(isStirred ? pauseMs : idleMs)
  }

  const wake = (): void => {
    if (!document.hidden) schedule(0)
  }
  document.addEventListener('visibilitychange', wake)
  schedule(idleMs)

  return {
    stir() {
      if (isStirred) return
      isStirred = true
      if (!isRunning) schedule(pauseMs)
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', wake)
    },
  }
}
