import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Of the space that new objects are made in; V8 keeps two of them. */
const enoughBytes = 8 * 1_048_576

/**
 * Lets the young generation of this thread grow with its work, and no further than is worth it.
 *
 * A server at rest has no use for it. Under load a small one is full before the calls under way have ended: what belongs to them is
 * taken for old, and collecting what is old was 30 % of a busy gateway's processor. V8 would go to 64 MB, which does no better
 * (bench/gateway). The size cannot be set once a thread runs; how fast it grows can be.
 */
export const holdYoungGeneration = (): void => {
  let isGrowing: boolean | undefined
  const adjust = (): void => {
    const size = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0
    const shouldGrow = size < enoughBytes
    if (shouldGrow === isGrowing) return
    isGrowing = shouldGrow
    setFlagsFromString(`--semi-space-growth-factor=${shouldGrow ? 2 : 1}`)
  }
  adjust()
  new PerformanceObserver(adjust).observe({ entryTypes: ['gc'] })
}
