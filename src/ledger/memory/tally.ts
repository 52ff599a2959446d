import { emptySums, type Sums } from '../../core/answer.ts'
import type { Slice } from '../../core/attribute-values.ts'
import type { Charge } from '../../core/charge.ts'
import type { CallEntry } from '../../core/event.ts'
import type { Question } from '../../core/question.ts'
import { tokenUnits } from '../../core/units.ts'
import { addCallSums, percentilesIn, percentilesOf } from '../groups.ts'
import { latencyOf } from '../latency.ts'

/** What one run cost inside one segment. */
export interface RunPart {
  llm: bigint
  tool: bigint
  tokens: bigint
}

/**
 * The sums of one group while they are made, in a form in which two groups can be added: runs by name, because a run that lies in
 * both counts once, and latencies by bin.
 */
export interface Tally {
  readonly bucket: number | undefined
  readonly key: readonly (string | null)[]
  readonly sums: Sums
  readonly runs: Map<string, RunPart>
  readonly latency: Map<number, number>
}

export const createTally = (bucket: number | undefined, key: readonly (string | null)[]): Tally => ({
  bucket,
  key,
  sums: emptySums(),
  runs: new Map(),
  latency: new Map(),
})

/** Adds those slices of a call that lie in the group: the call counts once, money and tokens are those of the slices. */
export const addCall = (tally: Tally, { event, charge }: CallEntry, slices: readonly Slice[]): void => {
  const { sums } = tally
  let cost = 0n
  for (const slice of slices) {
    cost += slice.cost
    for (const [unit, count] of slice.tokens) sums.tokens[unit] = (sums.tokens[unit] ?? 0n) + BigInt(count)
  }
  if (event.kind === 'llm') {
    sums.llmCalls += 1
    sums.llmCost += cost
    if (event.attempt > 0) sums.retryCost += cost
  } else {
    sums.toolCalls += 1
    sums.toolCost += cost
  }
  if (event.attempt > 0) sums.retries += 1
  if (event.status === 'error') sums.errors += 1
  addCoverage(sums, charge.basis, cost)
}

const addCoverage = (sums: Sums, basis: Charge['basis'], cost: bigint): void => {
  const covered = (sums.coverage[basis] ??= { calls: 0, cost: 0n })
  covered.calls += 1
  covered.cost += cost
}

export const runPartOf = (tally: Tally, run: string): RunPart => {
  let part = tally.runs.get(run)
  if (part === undefined) tally.runs.set(run, (part = { llm: 0n, tool: 0n, tokens: 0n }))
  return part
}

export const addToRun = (part: RunPart, entry: CallEntry, slices: readonly Slice[]): void => {
  for (const slice of slices) {
    if (entry.event.kind === 'llm') part.llm += slice.cost
    else part.tool += slice.cost
    for (const [unit, count] of slice.tokens) if (tokenUnits.includes(unit)) part.tokens += BigInt(count)
  }
}

/** Several groups as one. */
export const addTallies = (tallies: readonly Tally[]): Tally => {
  const sum = createTally(undefined, [])
  for (const { sums, runs, latency } of tallies) {
    addCallSums(sum.sums, sums)
    for (const [run, { llm, tool, tokens }] of runs) {
      const part = runPartOf(sum, run)
      part.llm += llm
      part.tool += tool
      part.tokens += tokens
    }
    for (const [bin, count] of latency) sum.latency.set(bin, (sum.latency.get(bin) ?? 0) + count)
  }
  return sum
}

/** The sums of a finished group: runs counted, percentiles found. */
export const finish = (tally: Tally, question: Question): Sums => {
  const sums: Sums = { ...tally.sums }
  for (const { llm, tool, tokens } of tally.runs.values()) {
    sums.runs += 1
    sums.runLlmCost += llm
    sums.runToolCost += tool
    sums.runTokens += tokens
  }
  const percentiles = percentilesIn(question)
  if (percentiles.length > 0 && tally.runs.size > 0) {
    const costs = [...tally.runs.values()].map(({ llm, tool }) => llm + tool)
    sums.runCostAt = percentilesOf(
      costs.sort((left, right) => (left < right ? -1 : left > right ? 1 : 0)),
      percentiles,
    )
  }
  if (tally.latency.size > 0) sums.latencyAt = { p50: latencyOf(tally.latency, 0.5), p95: latencyOf(tally.latency, 0.95) }
  return sums
}
