import { arrayOf, countOf, createTally, detailOf, flag, type Json, mainCountOf, objectOf, put, remainderOf, type Tally } from './counts.ts'
import type { UsageReport } from './dialect.ts'
import { reportOf } from './report.ts'
import { nameOf } from './words.ts'

/** One sampling's counts; those of an answer are the sum over its iterations. */
interface Counts {
  input: number
  cacheRead: number
  write5m: number
  write1h: number
  output: number
}

export interface Settled {
  /** The model that took over when the one asked for declined. */
  readonly servedBy: string | undefined
  readonly also: UsageReport['also']
}

/**
 * Settles a usage object of Anthropic, iterations included.
 *
 * An iteration `compaction` is billed and in no other field; an `advisor_message` is billed at the rate of its own model and in no
 * other field. A `fallback_message` is what the top level says, but for how its cache writes divide, which is the declined attempt's
 * there; an attempt that was declined is billed at its own model's rates if it had begun its answer, and not at all before
 * (platform.claude.com/docs/en/build-with-claude/refusals-and-fallback). All other iterations sum to the top level, but for input
 * where there is an advisor (the top level has the first one's alone), and but for clients that sum the top level over several
 * calls and keep the last one's iterations: so each field is the larger of the two, except beside a compaction, where Anthropic says
 * to sum the iterations (platform.claude.com/docs/en/build-with-claude/compaction, "Understanding usage").
 */
export const putAnthropicUsage = (tally: Tally, usage: Json): Settled => {
  const top = topCounts(tally, usage)
  const iterations = arrayOf(usage.iterations)
    .map(objectOf)
    .filter((iteration) => iteration !== undefined)
  const fallback = iterations.findLast((iteration) => iteration.type === 'fallback_message')
  const counts = iterations.length === 0 ? top : withIterations(tally, top, iterations, fallback)
  const thinking = detailOf(tally, objectOf(usage.output_tokens_details)?.thinking_tokens)
  put(tally, 'input', counts.input)
  put(tally, 'cache_read', counts.cacheRead)
  put(tally, 'cache_write_5m', counts.write5m)
  put(tally, 'cache_write_1h', counts.write1h)
  put(tally, 'reasoning', thinking)
  put(tally, 'output', remainderOf(tally, counts.output, thinking, 'details-exceed-total'))
  put(tally, 'web_search', detailOf(tally, objectOf(usage.server_tool_use)?.web_search_requests))
  return { servedBy: nameOf(fallback?.model), also: [...declined(iterations, fallback), ...advisors(iterations)] }
}

const topCounts = (tally: Tally, usage: Json): Counts => {
  const input = mainCountOf(tally, usage.input_tokens) ?? 0
  const output = mainCountOf(tally, usage.output_tokens) ?? 0
  return { input, output, ...cacheCounts(tally, usage) }
}

/**
 * Writes to a cache divide by lifetime. The total is what counts: without a division, or for what exceeds it, the lifetime is the
 * default of five minutes, unless all that was divided is of one hour. A stream's last word has the total alone.
 */
const cacheCounts = (tally: Tally, usage: Json): Pick<Counts, 'cacheRead' | 'write5m' | 'write1h'> => {
  const cacheRead = detailOf(tally, usage.cache_read_input_tokens)
  const split = objectOf(usage.cache_creation)
  const split1h = detailOf(tally, split?.ephemeral_1h_input_tokens)
  const split5m = detailOf(tally, split?.ephemeral_5m_input_tokens)
  const total = countOf(tally, usage.cache_creation_input_tokens) ?? split5m + split1h
  if (total >= split5m + split1h) {
    const rest = total - split5m - split1h
    return split1h > 0 && split5m === 0
      ? { cacheRead, write5m: 0, write1h: split1h + rest }
      : { cacheRead, write5m: split5m + rest, write1h: split1h }
  }
  flag(tally, 'details-exceed-total')
  const write1h = Math.min(split1h, total)
  return { cacheRead, write1h, write5m: total - write1h }
}

const withIterations = (tally: Tally, top: Counts, iterations: readonly Json[], fallback: Json | undefined): Counts => {
  const messages = none()
  const compactions = none()
  let hasCompaction = false
  let hasMessages = false
  for (const iteration of iterations) {
    const isCompaction = iteration.type === 'compaction'
    if (!isCompaction && iteration.type !== 'message') continue
    if (isCompaction) hasCompaction = true
    else hasMessages = true
    addCounts(isCompaction ? compactions : messages, iterationCounts(tally, iteration))
  }
  const told = toldBy(iterations)
  const own =
    fallback !== undefined
      ? servedCounts(tally, top, iterations, fallback)
      : !hasMessages
        ? top
        : hasCompaction
          ? spread(messages, top, told)
          : larger(messages, top, told)
  if (hasCompaction && hasMessages && fallback === undefined && top.output !== messages.output) flag(tally, 'total-mismatch')
  const sum = { ...own }
  addCounts(sum, compactions)
  return sum
}

/** What the model that took over used, in one sampling or in several around its tools. */
const servedCounts = (tally: Tally, top: Counts, iterations: readonly Json[], fallback: Json): Counts => {
  const own = iterations.filter((iteration) => iteration === fallback || isAttempt(iteration, fallback.model))
  const served = none()
  for (const iteration of own) addCounts(served, iterationCounts(tally, iteration))
  return served.input + served.output === 0 ? top : spread(served, top, toldBy(own))
}

const isAttempt = ({ type, model }: Json, of: unknown): boolean => (type === 'message' || type === 'fallback_message') && model === of

const none = (): Counts => ({ input: 0, cacheRead: 0, write5m: 0, write1h: 0, output: 0 })

const iterationCounts = (tally: Tally, iteration: Json): Counts => ({
  input: detailOf(tally, iteration.input_tokens),
  output: detailOf(tally, iteration.output_tokens),
  ...cacheCounts(tally, iteration),
})

const addCounts = (sum: Counts, counts: Counts): void => {
  for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key]
}

/** What iterations leave out of the cache is as the top level says: its reads and writes, or how the writes divide. */
const spread = (messages: Counts, top: Counts, told: Told): Counts => {
  if (!told.cache) return { ...messages, cacheRead: top.cacheRead, write5m: top.write5m, write1h: top.write1h }
  if (told.lifetimes) return messages
  const written = messages.write5m + messages.write1h
  const write1h = Math.min(top.write1h, written)
  return { ...messages, write1h, write5m: written - write1h }
}

const larger = (messages: Counts, top: Counts, told: Told): Counts => {
  const writes = messages.write5m + messages.write1h > top.write5m + top.write1h ? spread(messages, top, told) : top
  return {
    input: Math.max(messages.input, top.input),
    cacheRead: Math.max(messages.cacheRead, top.cacheRead),
    output: Math.max(messages.output, top.output),
    write5m: writes.write5m,
    write1h: writes.write1h,
  }
}

/** Which fields any iteration has. */
interface Told {
  readonly cache: boolean
  readonly lifetimes: boolean
}

const toldBy = (iterations: readonly Json[]): Told => ({
  cache: iterations.some((iteration) => iteration.cache_read_input_tokens != null || iteration.cache_creation_input_tokens != null),
  lifetimes: iterations.some((iteration) => objectOf(iteration.cache_creation) !== undefined),
})

type Aside = NonNullable<UsageReport['also']>

/** Attempts of other models that were declined in the middle of their answer. */
const declined = (iterations: readonly Json[], fallback: Json | undefined): Aside =>
  fallback === undefined
    ? []
    : iterations.flatMap((iteration) => {
        const model = nameOf(iteration.model)
        const isOther = model !== undefined && model !== fallback.model && isAttempt(iteration, model)
        return isOther && Number(iteration.output_tokens) > 0 ? [aside(iteration, model)] : []
      })

const advisors = (iterations: readonly Json[]): Aside =>
  iterations
    .filter((iteration) => iteration.type === 'advisor_message')
    .map((iteration) => aside(iteration, nameOf(iteration.model) ?? unnamedAdvisor))

const aside = (iteration: Json, model: string): Aside[number] => {
  const tally = createTally()
  const { input, output, cacheRead, write5m, write1h } = topCounts(tally, iteration)
  put(tally, 'input', input)
  put(tally, 'cache_read', cacheRead)
  put(tally, 'cache_write_5m', write5m)
  put(tally, 'cache_write_1h', write1h)
  put(tally, 'output', output)
  return { ...reportOf(tally, {}), model }
}

/** An advisor whose model is not said stays visible as a model without a price. */
const unnamedAdvisor = 'unnamed-advisor'
