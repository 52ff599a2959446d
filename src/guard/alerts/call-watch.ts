import { amountOf } from '../../core/charge.ts'
import type { CallEntry, ModelCall } from '../../core/event.ts'
import { formatUsd } from '../../core/money.ts'
import { grouped, readableUsd } from '../../core/readable.ts'
import { totalTokensOf } from '../../core/usage.ts'
import { startOf } from '../../core/window.ts'
import type { Finding } from './alert-states.ts'
import { filterMatches } from './filter-matches.ts'
import { filtersOf, queryOf, segmentOf, segmentText, spanText } from './finding-text.ts'
import type { Condition, Rule } from './rule.ts'

/** Prompts whose repetitions are counted at once; past this the longest unseen are forgotten. */
const promptsMax = 50_000
/** Findings of one rule that wait for the next round. */
const findingsMax = 1_000

/**
 * Watches single calls as they are counted, for the rules that no question can answer: one call too large, one prompt too often.
 * What it finds holds for one round and once per hour; the next round of the engine takes it.
 */
export const createCallWatch = (rules: readonly Rule[], zone: string) => {
  const found = new Map<string, Map<string, Finding>>()
  const prompts = new Map<string, { times: number[]; cost: bigint }>()

  const add = (rule: Rule, finding: Finding): void => {
    const findings = found.get(rule.name) ?? new Map<string, Finding>()
    found.set(rule.name, findings)
    if (findings.size < findingsMax) findings.set(JSON.stringify([finding.segment, finding.window]), finding)
  }

  const seenBefore = (key: string, at: number, windowMs: number, cost: bigint): { times: number; cost: bigint } => {
    const known = prompts.get(key) ?? { times: [], cost: 0n }
    prompts.delete(key)
    known.times = [...known.times.filter((time) => time > at - windowMs), at].slice(-1_000)
    known.cost = known.times.length === 1 ? cost : known.cost + cost
    prompts.set(key, known)
    if (prompts.size > promptsMax) prompts.delete(prompts.keys().next().value ?? '')
    return { times: known.times.length, cost: known.cost }
  }

  return {
    observe(entry: CallEntry): void {
      const { event } = entry
      if (event.kind !== 'llm') return
      for (const rule of rules) {
        if (!rule.where.every((filter) => filterMatches(filter, entry))) continue
        if (rule.condition.kind === 'request') largeRequest(rule, rule.condition, entry, event, zone, add)
        if (rule.condition.kind === 'repeat' && event.promptHash !== undefined) {
          const within = rule.condition.within === 'run' ? event.run : event.agent
          if (within === undefined) continue
          const { times, cost } = seenBefore(
            `${rule.name} ${within} ${event.promptHash}`,
            event.at,
            rule.condition.windowMs,
            amountOf(entry.charge),
          )
          if (times >= rule.condition.times && Number(formatUsd(cost)) >= rule.floorUsd)
            add(rule, repeatedPrompt(rule.condition, event, times, cost, zone))
        }
      }
    },
    /** What was found since the last time. */
    take(rule: Rule): readonly Finding[] {
      const findings = [...(found.get(rule.name)?.values() ?? [])]
      found.delete(rule.name)
      return findings
    },
    watches: (rule: Rule): boolean => rule.condition.kind === 'request' || rule.condition.kind === 'repeat',
  }
}

const largeRequest = (
  rule: Rule,
  { tokensAbove }: Extract<Condition, { kind: 'request' }>,
  { charge }: CallEntry,
  event: ModelCall,
  zone: string,
  add: (rule: Rule, finding: Finding) => void,
): void => {
  const tokens = totalTokensOf(event.usage)
  if (tokens <= tokensAbove || Number(formatUsd(amountOf(charge))) < rule.floorUsd) return
  const segment = segmentOf(
    rule.by,
    Object.fromEntries(rule.by.map((name) => [name, (event as unknown as Readonly<Record<string, string | undefined>>)[name]])),
  )
  const hour = startOf('hour', event.at, zone)
  add(rule, {
    segment,
    value: String(tokens),
    threshold: String(tokensAbove),
    message: `${segmentText(segment)}: one call used ${grouped(String(tokens))} tokens and cost ${readableUsd(amountOf(charge))}; ${grouped(String(tokensAbove))} is the limit for a single call.`,
    query: queryOf({ measures: ['tokens', 'cost'], by: ['model'], where: filtersOf(segment), from: hour, to: hour + 3_600_000, zone }),
    window: String(hour),
  })
}

const repeatedPrompt = (
  { within, windowMs }: Extract<Condition, { kind: 'repeat' }>,
  event: ModelCall,
  times: number,
  cost: bigint,
  zone: string,
): Finding => {
  const segment = {
    [within]: (within === 'run' ? event.run : event.agent) ?? '',
    ...(event.task !== undefined && within === 'run' && { task: event.task }),
  }
  return {
    segment,
    value: String(times),
    threshold: String(times),
    message: `${segmentText(segment)}: the same prompt was sent ${times} times to ${event.model} within the ${spanText(windowMs)} (${readableUsd(cost)}). A loop, or an answer worth caching.`,
    query: queryOf({
      measures: ['calls', 'cost'],
      by: ['step'],
      where: filtersOf(segment),
      from: event.at - windowMs,
      to: event.at + 1,
      zone,
    }),
    window: within === 'run' ? (event.run ?? '') : String(startOf('day', event.at, zone)),
  }
}
