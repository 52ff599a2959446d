import type { Family } from './metric-family.ts'
import type { MetricName } from './metric-list.ts'
import type { RunCostHistogram } from './run-cost-histogram.ts'
import { type RunFigures, type RunTallyOptions, unknownValue } from './run-tally.ts'

/** Every pair of status and stop reason that a run of our SDK ends with, so that their first one is a step up from zero. */
const endings = [
  ['ok', 'completed'],
  ['error', 'max_steps'],
  ['error', 'tool_error'],
  ['error', 'llm_error'],
  ['error', 'step_error'],
  ['error', 'budget_exceeded'],
  ['cancelled', 'cancelled'],
] as const

/** Releases whose series were begun, by their raw names, which callers make up. */
const begunMax = 10_000

/** Moves the metrics of runs when the figures of one change. */
export const createRunCounters = (family: (name: MetricName) => Family, histogram: RunCostHistogram): RunTallyOptions['onChange'] => {
  const begun = new Set<string>()
  const begin = (release: string): void => {
    if (begun.has(release)) return
    if (begun.size >= begunMax) begun.clear()
    begun.add(release)
    for (const [status, stopReason] of endings) family('agent_run_total').series(status, stopReason, release)
    family('agent_budget_breach_total').series(release)
    histogram.touch(release)
  }
  const countEnd = ({ isEnded, status, stopReason, release }: RunFigures, sign: 1n | -1n): void => {
    if (isEnded) family('agent_run_total').series(status, stopReason, release).truth += sign
  }
  const countCost = ({ isEnded, cost, release }: RunFigures, sign: 1 | -1): void => {
    if (isEnded) histogram.add(release, cost, sign)
  }
  const countBreach = ({ hasBreached, release }: RunFigures, sign: 1n | -1n): void => {
    if (hasBreached) family('agent_budget_breach_total').series(release).truth += sign
  }

  begin(unknownValue)
  return (before, after) => {
    begin(after.release)
    if (before !== undefined) {
      countEnd(before, -1n)
      countCost(before, -1)
      countBreach(before, -1n)
    }
    countEnd(after, 1n)
    countCost(after, 1)
    countBreach(after, 1n)
  }
}
