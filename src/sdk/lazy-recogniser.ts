import type { Recognised } from './recognise.ts'
import type { Warn } from './warning.ts'

/**
 * The dialects, loaded beside the program that makes a tracker and not before it: they are half of the SDK's code. Until they are
 * there, some milliseconds after the first tracker is made, `loading` is what a request waits for.
 */
export interface LazyRecogniser {
  readonly loading: Promise<void> | undefined
  find(url: URL): Recognised | undefined
}

export const createLazyRecogniser = (hosts: Readonly<Record<string, string>> | undefined, warn: Warn): LazyRecogniser => {
  let find: LazyRecogniser['find'] = () => undefined
  let loading: Promise<void> | undefined = import('./recognise.ts')
    .then(({ createRecogniser }) => {
      find = createRecogniser(hosts)
    })
    .catch((error: unknown) => {
      warn(
        'metering-failed',
        `Nothing is metered, since the dialects could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
      )
    })
    .finally(() => {
      loading = undefined
    })
  return {
    get loading() {
      return loading
    },
    find: (url) => find(url),
  }
}
