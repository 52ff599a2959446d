import type { Io } from './io.ts'

/** How far a long work is, rewritten in place on a terminal's standard error; nothing where nobody looks. */
export const progressOn = (io: Pick<Io, 'err' | 'isTerminal' | 'now'>, what: string) => {
  let shownAt = Number.NEGATIVE_INFINITY
  let isShown = false
  return {
    at(count: number, of?: number): void {
      if (!io.isTerminal || io.now() - shownAt < 100) return
      shownAt = io.now()
      isShown = true
      io.err(`\r\u001b[K${what} ${count}${of === undefined ? '' : ` of ${of} (${Math.floor((count * 100) / of)} %)`}`)
    },
    end(): void {
      if (isShown) io.err('\r\u001b[K')
    },
  }
}
