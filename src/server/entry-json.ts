import { attributeNames } from '../core/attribution.ts'
import type { Charge, Line } from '../core/charge.ts'
import type { Call, CallEntry, RunRecord } from '../core/event.ts'
import { formatUsd, type Multiplier } from '../core/money.ts'
import { completionTokensOf, promptTokensOf } from '../core/usage.ts'
import type { RunDetail, RunSummary } from '../ledger/store.ts'
import type { AttributionJson, CallJson, ChargeJson, LineJson, RunCallJson, RunDetailJson, RunJson, RunRecordJson } from './api.ts'

/** An entry in its outside form. */
export const callJson = ({ event, charge, corrects, reason }: Pick<CallEntry, 'event' | 'charge' | 'corrects' | 'reason'>): CallJson => {
  const base = {
    ...attributionJson(event),
    id: event.id,
    at: instant(event.at),
    source: event.source,
    status: event.status,
    attempt: event.attempt,
    ...pick(event, ['error', 'durationMs', 'callKey']),
    charge: chargeJson(charge),
    ...(corrects !== undefined && { corrects }),
    ...(reason !== undefined && { reason }),
  }
  if (event.kind === 'tool') return { ...base, kind: 'tool', tool: event.tool }
  return {
    ...base,
    kind: 'llm',
    provider: event.provider,
    model: event.model,
    ...pick(event, ['requestedModel', 'operation', 'tier', 'speed', 'region', 'flags', 'firstByteMs', 'promptHash']),
    usage: event.usage,
    quality: event.quality,
    promptTokens: promptTokensOf(event.usage),
    completionTokens: completionTokensOf(event.usage),
  }
}

export const runRecordJson = (record: RunRecord): RunRecordJson => ({
  ...attributionJson(record),
  kind: 'run',
  id: record.id,
  at: instant(record.at),
  source: record.source,
  run: record.run,
  phase: record.phase,
  ...pick(record, ['parent', 'status', 'stopReason']),
  ...(record.budget !== undefined && { budgetUsd: formatUsd(record.budget) }),
})

export const chargeJson = (charge: Charge): ChargeJson => {
  if (charge.basis === 'unpriced') return { basis: 'unpriced', reason: charge.reason }
  return {
    basis: charge.basis,
    totalUsd: formatUsd(charge.total),
    lines: charge.lines.map(lineJson),
    ...pick(charge, ['book', 'unpricedUnits']),
    ...(charge.computed !== undefined && { computedUsd: formatUsd(charge.computed) }),
  }
}

const lineJson = (line: Line): LineJson => ({
  unit: line.unit,
  count: line.count,
  rateUsd: formatUsd(line.rate),
  per: line.per,
  ...(line.multiplier !== undefined && { multiplier: multiplierText(line.multiplier) }),
  ...(line.pricedAs !== undefined && { pricedAs: line.pricedAs }),
  totalUsd: formatUsd(line.total),
})

/** Exact: every multiplier of a book is a decimal, so its denominator is a power of ten. Anything else is shown as the fraction that it is. */
export const multiplierText = ({ numerator, denominator }: Multiplier): string => {
  const digits = denominator.toString()
  if (!/^10*$/.test(digits)) return `${numerator}/${denominator}`
  const places = digits.length - 1
  if (places === 0) return numerator.toString()
  const padded = numerator.toString().padStart(places + 1, '0')
  const fraction = padded.slice(-places).replace(/0+$/, '')
  return fraction === '' ? padded.slice(0, -places) : `${padded.slice(0, -places)}.${fraction}`
}

export const runJson = (run: RunSummary): RunJson => ({
  ...pick(run, ['run', 'parent', 'agent', 'session', 'task', 'release', 'environment', 'team', 'user', 'key']),
  run: run.run,
  startedAt: instant(run.startedAt),
  endedAt: instant(run.endedAt),
  durationMs: run.endedAt - run.startedAt,
  isOpen: run.isOpen,
  ...pick(run, ['status', 'stopReason']),
  ...(run.budget !== undefined && { budgetUsd: formatUsd(run.budget) }),
  costUsd: formatUsd(run.llmCost + run.toolCost),
  llmCostUsd: formatUsd(run.llmCost),
  toolCostUsd: formatUsd(run.toolCost),
  calls: run.llmCalls + run.toolCalls,
  llmCalls: run.llmCalls,
  toolCalls: run.toolCalls,
  retries: run.retries,
  errors: run.errors,
  tokens: run.promptTokens + run.completionTokens,
  promptTokens: run.promptTokens,
  completionTokens: run.completionTokens,
  unpricedCalls: run.unpricedCalls,
})

export const runDetailJson = (detail: RunDetail): RunDetailJson => {
  let soFar = 0n
  const calls = detail.calls.map(({ call, charge }): RunCallJson => {
    if (charge.basis !== 'unpriced') soFar += charge.total
    return { ...callJson({ event: call, charge }), costSoFarUsd: formatUsd(soFar) }
  })
  return { run: runJson(detail.summary), calls, hasMore: detail.hasMore, children: detail.children.map(runJson) }
}

const attributionJson = (event: Call | RunRecord): AttributionJson => pick(event, [...attributeNames, 'tags'])

export const instant = (at: number): string => new Date(at).toISOString()

/** The named fields that are there. */
const pick = <From extends object, Name extends keyof From>(from: From, names: readonly Name[]): Pick<From, Name> => {
  const picked: Partial<Pick<From, Name>> = {}
  for (const name of names) if (from[name] !== undefined) picked[name] = from[name]
  return picked as Pick<From, Name>
}
