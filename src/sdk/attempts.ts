/** Failed calls that a retry may follow, at most; the oldest are forgotten first. */
export const failedCallsMax = 1_000
/** A call with the same prompt this long after a failure is a new one, not a retry. */
export const retryWindowMs = 120_000

/**
 * Which try of a call this is. Some clients say so in a header; the others (LangChain, the AI SDK) repeat the request after a
 * failure, so that the same prompt to the same model soon after one is its next try.
 */
export interface Attempts {
  next(key: string | undefined, said: string | undefined): number
  ended(key: string | undefined, attempt: number, isFailure: boolean): void
}

export const createAttempts = (now: () => number): Attempts => {
  const failed = new Map<string, { readonly attempt: number; readonly at: number }>()
  return {
    next(key, said) {
      const number = said === undefined || !/^\d{1,3}$/.test(said) ? 0 : Number(said)
      if (number > 0 || key === undefined) return number
      const before = failed.get(key)
      return before === undefined || now() - before.at > retryWindowMs ? 0 : Math.min(before.attempt + 1, 999)
    },
    ended(key, attempt, isFailure) {
      if (key === undefined) return
      failed.delete(key)
      if (!isFailure) return
      const [oldest] = failed.keys()
      if (failed.size >= failedCallsMax && oldest !== undefined) failed.delete(oldest)
      failed.set(key, { attempt, at: now() })
    },
  }
}
