/**
 * Begins the program anew in the same process, once, with what only a process that starts can be told.
 *
 * The C library of Linux keeps a heap of its own for each of the first dozen threads, and what one has let go is of no use to the
 * others: 25 of 215 MB of a busy gateway (bench/gateway). With `MALLOC_ARENA_MAX` set already it is left as it is, and so is a
 * process that a parent talks to, whose channel would be lost.
 */
export const restartWithOneArena = (): void => {
  if (process.platform !== 'linux' || process.env.MALLOC_ARENA_MAX !== undefined || process.connected) return
  try {
    process.execve?.(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
      ...process.env,
      MALLOC_ARENA_MAX: '1',
    })
  } catch {
    // Not allowed (`--permission`): it runs all the same, with more memory.
  }
}
