import { hashOf } from '../../core/text-hash.ts'

/** Prompts seen once that are remembered; past this the longest unseen are forgotten. */
const onceMax = 65_536
/** A prompt has this many places, of which the oldest gives way. */
const ways = 4
/** Prompts seen again that are remembered. */
const repeatedMax = 50_000
/** Uses of one prompt that are kept. The list is changed in place: to copy it for every repeat cost 8 % of a gateway's processor (bench/gateway). */
const usesMax = 1_000

/** What is known of prompts that were sent: which, when, and what that cost. */
export interface PromptMemory {
  /** Notes one more use of a prompt. Tells of those within `windowMs`, this one included. `at`: UTC milliseconds. */
  use(key: string, at: number, windowMs: number, cost: bigint): { readonly times: number; readonly cost: bigint }
}

interface Repeated {
  readonly uses: { readonly at: number; readonly cost: bigint }[]
  cost: bigint
}

/**
 * Nearly every prompt is sent once. These lie in tables of numbers, 24 bytes each, which the collector does not look at; as objects
 * they were half of what lived in a busy gateway. A prompt is known by a number of 47 bits: among 65,536, one in two billion is
 * taken for another.
 */
export const createPromptMemory = (): PromptMemory => {
  const prints = new Float64Array(onceMax)
  const times = new Float64Array(onceMax)
  const costs = new BigInt64Array(onceMax)
  const repeated = new Map<number, Repeated>()

  /** Where a prompt that was seen once stands; otherwise the place that it may take. */
  const placeOf = (print: number): number => {
    const first = (print % (onceMax / ways)) * ways
    let oldest = first
    for (let place = first; place < first + ways; place++) {
      if (prints[place] === print) return place
      if ((times[place] ?? 0) < (times[oldest] ?? 0)) oldest = place
    }
    return oldest
  }

  const useAgain = (print: number, prompt: Repeated, at: number, windowMs: number, cost: bigint) => {
    const { uses } = prompt
    for (let oldest = uses[0]; oldest !== undefined && (uses.length >= usesMax || oldest.at <= at - windowMs); oldest = uses[0]) {
      uses.shift()
      prompt.cost -= oldest.cost
    }
    uses.push({ at, cost })
    prompt.cost += cost
    repeated.delete(print)
    repeated.set(print, prompt)
    return { times: uses.length, cost: prompt.cost }
  }

  return {
    use(key, at, windowMs, cost) {
      // Zero is an empty place.
      const print = hashOf(key) + 1
      const known = repeated.get(print)
      if (known !== undefined) return useAgain(print, known, at, windowMs, cost)
      const place = placeOf(print)
      if (prints[place] === print) {
        prints[place] = 0
        const before = { at: times[place] ?? 0, cost: costs[place] ?? 0n }
        times[place] = 0
        if (repeated.size >= repeatedMax) forgetOldest(repeated, repeatedMax / 10)
        return useAgain(print, { uses: [before], cost: before.cost }, at, windowMs, cost)
      }
      prints[place] = print
      times[place] = at
      costs[place] = cost
      return { times: 1, cost }
    },
  }
}

/** Many at once: finding the first of a map passes over all that were deleted before it. */
const forgetOldest = (map: Map<number, unknown>, count: number): void => {
  let left = count
  for (const key of map.keys()) {
    if (left <= 0) return
    map.delete(key)
    left -= 1
  }
}
