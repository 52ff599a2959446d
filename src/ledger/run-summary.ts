import { type AttributeName, attributeNames } from '../core/attribution.ts'
import { amountOf } from '../core/charge.ts'
import type { CallEntry, RunRecord, UsageEvent } from '../core/event.ts'
import { picoUsd } from '../core/money.ts'
import { completionTokensOf, promptTokensOf } from '../core/usage.ts'
import type { RunSummary } from './store.ts'

export const runAttributes = attributeNames.filter(
  (name): name is Exclude<AttributeName, 'run' | 'step'> => name !== 'run' && name !== 'step',
)

/**
 * One run from its records and its counted calls; undefined when there is neither.
 *
 * It does not depend on the order in which they came or on how often. The run lasts from the earliest to the latest of them. Its
 * attributes, parent and budget are those of its start record, else of its end record, else (attributes only) of the earliest
 * call that names them; status and stop reason are those of the latest end record.
 */
export const runSummaryOf = (run: string, records: readonly RunRecord[], calls: readonly CallEntry[]): RunSummary | undefined => {
  const told = [...records].sort((left, right) => phaseOrder(left) - phaseOrder(right) || byTime(left, right))
  const made = calls.map(({ event }) => event).sort(byTime)
  const times = [...told, ...made].map(({ at }) => at)
  if (times.length === 0) return undefined
  const ends = told.filter(({ phase }) => phase === 'end').reverse()
  const attributes: Partial<Record<AttributeName, string>> = {}
  for (const name of runAttributes) {
    const value = (told.find((event) => event[name] !== undefined) ?? made.find((event) => event[name] !== undefined))?.[name]
    if (value !== undefined) attributes[name] = value
  }
  const parent = told.find((event) => event.parent !== undefined)?.parent
  const budget = told.find((event) => event.budget !== undefined)?.budget
  const status = ends.find((event) => event.status !== undefined)?.status
  const stopReason = ends.find((event) => event.stopReason !== undefined)?.stopReason
  return {
    ...attributes,
    run,
    ...(parent !== undefined && { parent }),
    startedAt: times.reduce((least, at) => Math.min(least, at)),
    endedAt: times.reduce((most, at) => Math.max(most, at)),
    isOpen: ends.length === 0,
    ...(status !== undefined && { status }),
    ...(stopReason !== undefined && { stopReason }),
    ...(budget !== undefined && { budget }),
    ...totalsOf(calls),
  }
}

const phaseOrder = (record: RunRecord): number => (record.phase === 'start' ? 0 : 1)

export const byTime = (left: UsageEvent, right: UsageEvent): number => left.at - right.at || (left.id < right.id ? -1 : 1)

const totalsOf = (calls: readonly CallEntry[]) => {
  let llmCost = 0n
  let toolCost = 0n
  const counts = { llmCalls: 0, toolCalls: 0, retries: 0, errors: 0, promptTokens: 0, completionTokens: 0, unpricedCalls: 0 }
  for (const { event, charge } of calls) {
    if (event.kind === 'llm') {
      counts.llmCalls += 1
      llmCost += amountOf(charge)
      counts.promptTokens += promptTokensOf(event.usage)
      counts.completionTokens += completionTokensOf(event.usage)
    } else {
      counts.toolCalls += 1
      toolCost += amountOf(charge)
    }
    if (event.attempt > 0) counts.retries += 1
    if (event.status === 'error') counts.errors += 1
    if (charge.basis === 'unpriced') counts.unpricedCalls += 1
  }
  return { llmCost: picoUsd(llmCost), toolCost: picoUsd(toolCost), ...counts }
}
