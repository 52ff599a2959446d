import type { CallEntry } from '../../core/event.ts'
import type { AlertRecord } from '../../ledger/alert-store.ts'
import type { EntryFilter, EntryPage, Page } from '../../ledger/store.ts'
import { type Finding, keyOf, stepRule } from './alert-states.ts'
import { createCallWatch } from './call-watch.ts'
import { findingsOf } from './conditions.ts'
import { createEvidence, type Evidence, type EvidenceSources } from './evidence.ts'
import { askHours, historyMs, hourMs, hoursUntil, localHours, type UtcHours } from './hours.ts'
import type { Rule } from './rule.ts'

/** What a rule would have told in a period. */
export interface Preview {
  readonly rule: string
  readonly from: number
  /** How far it was tried; before the end of the period where a limit was reached. */
  readonly to: number
  readonly isComplete: boolean
  readonly stepMs: number
  readonly fired: readonly PreviewedAlert[]
}

export interface PreviewedAlert {
  readonly at: number
  /** Absent: it would still be firing. */
  readonly resolvedAt?: number
  readonly segment: Readonly<Record<string, string>>
  readonly message: string
  readonly cause?: string
}

export interface PreviewOptions {
  readonly from: number
  readonly to: number
  /** How often the rule is looked at; a rule of a long window is looked at fifty times per window at most. */
  readonly stepMs: number
  /** Single calls, for rules that watch them. */
  readonly entries: (filter: EntryFilter, page: Page) => Promise<EntryPage>
  readonly onProgress?: (done: number, of: number) => void
  readonly signal?: AbortSignal
}

/** Looks of one preview. */
export const stepsMax = 1_000
/** Alerts of one preview; a rule that fires more often has to be changed, and that is seen by then. */
export const firedMax = 100
/** Single calls of one preview. */
export const entriesMax = 200_000
const entriesPage = 1_000
const looksPerWindow = 50

/** When a rule would have fired, had it been there: evaluated step by step on what the ledger holds, with the states of the engine. */
export const previewRule = (rule: Rule, sources: EvidenceSources, options: PreviewOptions): Promise<Preview> => {
  const tape = createTape(rule, options)
  return rule.condition.kind === 'request' || rule.condition.kind === 'repeat'
    ? replayCalls(rule, sources, options, tape)
    : replaySteps(rule, sources, options, tape)
}

type Tape = ReturnType<typeof createTape>

/** The alerts of one rule as time goes by, in memory. */
const createTape = (rule: Rule, { from, to, signal }: PreviewOptions) => {
  const records = new Map<string, AlertRecord>()
  const fired = new Map<string, PreviewedAlert>()
  return {
    async play(now: number, findings: readonly Finding[]): Promise<void> {
      signal?.throwIfAborted()
      const step = stepRule(rule, [...records.values()], findings, now)
      for (const id of step.dropped) records.delete(id)
      for (const alert of step.changed) records.set(alert.id, alert)
      for (const { alert, transition } of step.told) {
        const before = fired.get(alert.id)
        if (transition === 'resolved' && before !== undefined) fired.set(alert.id, { ...before, resolvedAt: now })
        if (transition === 'firing') fired.set(alert.id, await previewed(alert, findings, now))
      }
    },
    isFull: (): boolean => fired.size >= firedMax,
    preview: (until: number, stepMs: number): Preview => ({
      rule: rule.name,
      from,
      to: until,
      isComplete: until >= to,
      stepMs,
      fired: [...fired.values()].slice(0, firedMax),
    }),
  }
}

const previewed = async (alert: AlertRecord, findings: readonly Finding[], at: number): Promise<PreviewedAlert> => {
  const why = await findings.find(({ segment }) => keyOf(segment) === alert.key)?.why?.([])
  const sentence = why === undefined || why.sentence === '' ? '' : ` ${why.sentence}`
  return { at, segment: alert.segment, message: `${alert.message}${sentence}`, ...(why !== undefined && { cause: why.cause }) }
}

const replaySteps = async (rule: Rule, sources: EvidenceSources, options: PreviewOptions, tape: Tape): Promise<Preview> => {
  const { from, to } = options
  const stepMs = stepOf(rule, options)
  const evidenceAt = previewEvidence(rule, sources, from, to)
  const steps = Math.min(stepsMax, Math.ceil((to - from) / stepMs))
  let at = from
  for (let step = 1; step <= steps && !tape.isFull(); step++) {
    at = Math.min(to, from + step * stepMs)
    // A moment before the step is full, so that the hour that ends with it is looked at in whole.
    await tape.play(at - 1, await findingsOf(rule, evidenceAt(at - 1)))
    options.onProgress?.(step, steps)
  }
  return tape.preview(at, stepMs)
}

const stepOf = ({ condition }: Rule, { from, to, stepMs }: PreviewOptions): number => {
  const windowMs = 'windowMs' in condition ? condition.windowMs : 0
  const perWindow = windowMs / looksPerWindow
  return Math.max(stepMs, perWindow < hourMs ? 0 : Math.ceil(perWindow / hourMs) * hourMs, Math.ceil((to - from) / stepsMax))
}

/** As the engine's, but that the hours of all steps are read at once. */
const previewEvidence = (rule: Rule, sources: EvidenceSources, from: number, to: number): ((now: number) => Evidence) => {
  const { at: evidenceAt } = createEvidence(sources)
  let all: Promise<UtcHours> | undefined
  const hours: Evidence['hours'] = async (of, until) => {
    const offset = ((until % hourMs) + hourMs) % hourMs
    const whole = (at: number): number => Math.floor((at - offset) / hourMs) * hourMs + offset
    all ??= askHours(sources.ask, of, whole(from) - historyMs, whole(to) + hourMs, sources.zone)
    return localHours(hoursUntil(await all, until), sources.zone)
  }
  return (now) => ({ ...evidenceAt(now), ...(rule.condition.kind === 'baseline' && { hours }) })
}

/** Rules that watch single calls are shown each of them again, in order. */
const replayCalls = async (rule: Rule, sources: EvidenceSources, options: PreviewOptions, tape: Tape): Promise<Preview> => {
  const { from, to, stepMs } = options
  let now = from
  const watch = createCallWatch([rule], sources.zone, () => now)
  const lookUntil = async (at: number): Promise<void> => {
    while (now + stepMs <= at) {
      now += stepMs
      const found = watch.found(rule)
      await tape.play(now, found)
      watch.taken(rule, found)
    }
  }
  let after: string | undefined
  let seen = 0
  do {
    const page: EntryPage = await options.entries(
      { where: rule.where, from, to },
      { limit: entriesPage, ...(after !== undefined && { after }) },
    )
    for (const entry of page.entries as readonly CallEntry[]) {
      await lookUntil(entry.event.at)
      watch.observe(entry)
    }
    seen += page.entries.length
    after = page.next
    options.onProgress?.(Math.min(now, to) - from, to - from)
  } while (after !== undefined && seen < entriesMax && !tape.isFull())
  if (after === undefined) await lookUntil(to)
  return tape.preview(after === undefined ? to : now, stepMs)
}
