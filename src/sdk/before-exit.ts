const flushes = new Set<() => Promise<boolean>>()

const onBeforeExit = (): void => {
  for (const flush of flushes) {
    flush()
      .catch(() => false)
      // A second try would empty the event loop again and bring the process back here for ever.
      .then((isSent) => isSent || flushes.delete(flush))
  }
}

/**
 * Has queued events sent when the process has nothing else left to do, all trackers through one listener. Each flush gives up at
 * the first failure, so that a dead server does not hold the exit up. Returns how to leave.
 */
export const flushBeforeExit = (flush: () => Promise<boolean>): (() => void) => {
  if (!process.listeners('beforeExit').includes(onBeforeExit)) process.on('beforeExit', onBeforeExit)
  flushes.add(flush)
  return () => {
    flushes.delete(flush)
    if (flushes.size === 0) process.off('beforeExit', onBeforeExit)
  }
}
