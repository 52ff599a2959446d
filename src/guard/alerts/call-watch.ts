import type { Cause } from '../../analysis/explain.ts'
import { amountOf } from '../../core/charge.ts'
import type { CallEntry, ModelCall } from '../../core/event.ts'
import { formatUsd } from '../../core/money.ts'
import { grouped, readableUsd } from '../../core/readable.ts'
import { completionUnits } from '../../core/units.ts'
import { totalTokensOf } from '../../core/usage.ts'
import { startOf } from '../../core/window.ts'
import type { Finding } from './alert-states.ts'
import { filterMatches } from './filter-matches.ts'
import { filtersOf, queryOf, segmentOf, segmentText, spanText } from './finding-text.ts'
import { createPromptMemory, type PromptMemory } from './prompt-memory.ts'
import type { Condition, Rule } from './rule.ts'

/** Agents and models whose usual size is known at once. */
const usualMax = 10_000
/** Findings of one rule that wait for the next round. */
const findingsMax = 1_000
/** An imported call of long ago is history, and no news. */
const newsMs = 6 * 3_600_000
/** Calls before it is known what is usual. */
const usualCallsMin = 20
/** How much of what is usual the newest call makes, once many are known. */
const usualWeight = 0.02

/**
 * Watches single calls as they are counted, for the rules that no question can answer: one call too large, one prompt too often.
 * What it finds holds for one round and once per window; the next round of the engine takes it.
 */
export interface CallWatch {
  observe(entry: CallEntry): void
  watches(rule: Rule): boolean
  /** What was found and not taken yet. */
  found(rule: Rule): readonly Finding[]
  /** These are kept elsewhere by now. */
  taken(rule: Rule, findings: readonly Finding[]): void
  /** Goes on from another watch: what it found, and what it knows of prompts and sizes. */
  inherit(from: CallWatch): void
  readonly known: Known
}

interface Known {
  readonly found: Map<string, Map<string, Finding>>
  prompts: PromptMemory
  readonly usual: Map<string, { calls: number; tokens: number }>
}

export const createCallWatch = (rules: readonly Rule[], zone: string, now: () => number): CallWatch => {
  const known: Known = { found: new Map(), prompts: createPromptMemory(), usual: new Map() }

  const add = (rule: Rule, finding: Finding): void => {
    const findings = known.found.get(rule.name) ?? new Map<string, Finding>()
    known.found.set(rule.name, findings)
    if (findings.size < findingsMax) findings.set(nameOf(finding), finding)
  }

  const watchedRules = rules.filter(isWatched)
  return {
    known,
    observe(entry) {
      const { event } = entry
      if (event.kind !== 'llm' || watchedRules.length === 0 || event.at < now() - newsMs) return
      const usual = usualTokens(known.usual, event)
      for (const rule of watchedRules) {
        if (!rule.where.every((filter) => filterMatches(filter, entry))) continue
        const { condition } = rule
        if (condition.kind === 'request') {
          const finding = largeRequest(rule, condition, entry, event, usual, zone)
          if (finding !== undefined) add(rule, finding)
        } else if (condition.kind === 'repeat') {
          const within = condition.within === 'run' ? event.run : event.agent
          if (within === undefined || event.promptHash === undefined) continue
          const key = `${rule.name} ${within} ${event.promptHash}`
          const { times, cost } = known.prompts.use(key, event.at, condition.windowMs, amountOf(entry.charge))
          if (times >= condition.times && Number(formatUsd(cost)) >= rule.floorUsd)
            add(rule, repeatedPrompt(condition, event, times, cost, zone))
        }
      }
    },
    watches: isWatched,
    found: (rule) => [...(known.found.get(rule.name)?.values() ?? [])],
    taken(rule, findings) {
      const waiting = known.found.get(rule.name)
      for (const finding of findings) waiting?.delete(nameOf(finding))
    },
    inherit(from) {
      for (const [name, findings] of from.known.found) known.found.set(name, findings)
      known.prompts = from.known.prompts
      for (const [key, usual] of from.known.usual) known.usual.set(key, usual)
    },
  }
}

const isWatched = ({ condition }: Rule): boolean => condition.kind === 'request' || condition.kind === 'repeat'
const nameOf = ({ segment, window }: Finding): string => JSON.stringify([segment, window])

/** What an agent's calls to a model usually use, before this one; undefined while too few are known. */
const usualTokens = (usual: Known['usual'], event: ModelCall): number | undefined => {
  const key = `${event.agent ?? ''}\n${event.model}`
  const before = usual.get(key) ?? { calls: 0, tokens: 0 }
  const tokens = totalTokensOf(event.usage)
  const weight = Math.max(usualWeight, 1 / (before.calls + 1))
  // One wild call must not become usual at once.
  const bounded = before.calls < usualCallsMin ? tokens : Math.min(tokens, before.tokens * 4)
  usual.delete(key)
  usual.set(key, { calls: before.calls + 1, tokens: before.tokens + weight * (bounded - before.tokens) })
  if (usual.size > usualMax) usual.delete(usual.keys().next().value ?? '')
  return before.calls < usualCallsMin ? undefined : before.tokens
}

const largeRequest = (
  rule: Rule,
  { tokensAbove, timesUsual }: Extract<Condition, { kind: 'request' }>,
  { charge }: CallEntry,
  event: ModelCall,
  usual: number | undefined,
  zone: string,
): Finding | undefined => {
  const tokens = totalTokensOf(event.usage)
  if (tokens <= tokensAbove || Number(formatUsd(amountOf(charge))) < rule.floorUsd) return undefined
  if (timesUsual > 0 && (usual === undefined || tokens < usual * timesUsual)) return undefined
  const segment = segmentOf(
    rule.by,
    Object.fromEntries(rule.by.map((name) => [name, (event as unknown as Readonly<Record<string, string | undefined>>)[name]])),
  )
  const day = startOf('day', event.at, zone)
  const against = timesUsual > 0 && usual !== undefined ? ` (about ${grouped(String(Math.round(usual)))} are usual)` : ''
  const cause: Cause = completionTokensOf(event) * 2 > tokens ? 'output' : 'prompt'
  return {
    segment,
    value: String(tokens),
    threshold: String(tokensAbove),
    message: `${segmentText(segment)}: one call used ${grouped(String(tokens))} tokens${against} and cost ${readableUsd(amountOf(charge))}; ${grouped(String(tokensAbove))} is the limit for a single call.`,
    query: queryOf({
      measures: ['tokens', 'cost'],
      by: ['model'],
      where: filtersOf(segment),
      from: event.at - 3_600_000,
      to: event.at + 1,
      zone,
    }),
    window: String(day),
    why: async () => ({ cause, model: event.model, sentence: '' }),
  }
}

const completionTokensOf = ({ usage }: ModelCall): number => completionUnits.reduce((sum, unit) => sum + (usage[unit] ?? 0), 0)

const repeatedPrompt = (
  { within, windowMs, times: timesMin }: Extract<Condition, { kind: 'repeat' }>,
  event: ModelCall,
  times: number,
  cost: bigint,
  zone: string,
): Finding => {
  const { run, agent, task } = event
  const segment =
    within === 'run'
      ? { run: run ?? '', ...(task !== undefined && { task }), ...(agent !== undefined && { agent }) }
      : { agent: agent ?? '' }
  return {
    segment,
    value: String(times),
    threshold: String(timesMin),
    message: `${segmentText(segment)}: the same prompt was sent ${times} times to ${event.model} within the ${spanText(windowMs)} (${readableUsd(cost)}). A loop, or an answer worth caching.`,
    query: queryOf({
      measures: ['calls', 'cost'],
      by: ['step'],
      where: filtersOf(segment),
      from: event.at - windowMs,
      to: event.at + 1,
      zone,
    }),
    window: within === 'run' ? (run ?? '') : String(startOf('day', event.at, zone)),
    // A run that goes round makes more calls than a run does; the money is theirs.
    why: async () => ({ cause: 'calls', sentence: '' }),
  }
}
