import type { Ask } from '../../analysis/spending.ts'
import type { BudgetStatus } from '../../core/budget.ts'
import type { Filter, Question } from '../../core/question.ts'
import { type AskRows, askTogether } from './ask-together.ts'
import { askHours, type Hours, type HoursOf, historyMs, localHours, type UtcHours, withNewHours } from './hours.ts'

/** What single runs of a period cost, in dollars, the newest first, at most a thousand. */
export type RunCosts = (where: readonly Filter[], from: number, to: number) => Promise<readonly number[]>

/** What conditions look at. All of it can be put to any instant of the past, so that a rule can be tried on what has been. */
export interface Evidence {
  readonly now: number
  readonly zone: string
  readonly ask: Ask
  /** The rows of an answer. What rules ask at the same time is put together. */
  readonly rows: AskRows
  /** The rows of a period that is over: asked for once, and kept while rules ask for them. Rejects with NotYet where the round does not wait. */
  readonly settledRows: AskRows
  /** Costs of single runs, for the rank test. */
  readonly runCosts: RunCosts
  readonly budgets: () => Promise<readonly BudgetStatus[]>
  /** The whole hours of four weeks up to `until`, the start of an hour, by segment. */
  readonly hours: (of: HoursOf, until: number) => Promise<Hours>
  /** What follows from a period that is over: made once, and kept while rules ask for it. Rejects with NotYet where the round does not wait. */
  readonly once: <Made>(key: string, make: () => Promise<Made>) => Promise<Made>
}

export interface EvidenceSources {
  readonly ask: Ask
  readonly runCosts: RunCosts
  readonly zone: string
  readonly budgets: (at: number) => readonly BudgetStatus[] | Promise<readonly BudgetStatus[]>
}

/** What follows from periods that are over; past this the oldest is made again when it is asked for. */
const madeMax = 500
/** Rules that learn from hours; each keeps four weeks of at most fifty segments. */
const seriesMax = 50
/** Hours are read again after this long, so that what came late is learned too. */
const reloadMs = 24 * 3_600_000

/** It is being made, and a later round will find it. */
export class NotYet extends Error {}

/**
 * Evidence for one instant after another. Within a round, rules that put the same question share its answer. What takes long is
 * waited for until `late` rejects with NotYet: a rule that has to learn four weeks holds up no other.
 */
export const createEvidence = (sources: EvidenceSources) => {
  const { inTurn, settled } = createTurns()
  const kept = createKept(madeMax)
  const hours = createHours(sources.ask, sources.zone)
  const rows = askTogether(sources.ask)
  const slowRows = askTogether((question) => inTurn(() => sources.ask(question)))
  const at = (now: number, late?: Promise<never>): Evidence => {
    let budgets: Promise<readonly BudgetStatus[]> | undefined
    const inTime = <Made>(made: Promise<Made>): Promise<Made> => (late === undefined ? made : Promise.race([made, late]))
    return {
      now,
      zone: sources.zone,
      ask: shared(sources.ask),
      rows: shared(rows),
      settledRows: (question) => inTime(kept(JSON.stringify(question), () => slowRows(question))),
      runCosts: sources.runCosts,
      budgets: () => (budgets ??= Promise.resolve(sources.budgets(now))),
      hours,
      once: (key, make) => inTime(kept(key, () => inTurn(make))),
    }
  }
  return {
    at,
    /** Resolves when nothing is being made. */
    settled,
  }
}

/** One is made after the other: a ledger that answers a round and makes one of these has room for those who look at it. */
const createTurns = () => {
  let last: Promise<unknown> = Promise.resolve()
  return {
    inTurn: <Made>(make: () => Promise<Made>): Promise<Made> => {
      const making = last.then(make)
      last = making.catch(() => undefined)
      return making
    },
    settled: async (): Promise<void> => {
      for (let waited: unknown; waited !== last; ) {
        waited = last
        await last
        // What was asked for together is put at the next turn of the event loop.
        await new Promise(setImmediate)
      }
    },
  }
}

const createKept = (most: number) => {
  const made = new Map<string, Promise<unknown>>()
  return <Made>(key: string, make: () => Promise<Made>): Promise<Made> => {
    const known = made.get(key) as Promise<Made> | undefined
    if (known !== undefined) return known
    const making = make()
    made.set(key, making)
    // A question that failed is put again.
    making.catch(() => made.delete(key))
    if (made.size > most) made.delete(made.keys().next().value ?? '')
    return making
  }
}

/** Series that grow by an hour every hour: only what is new is asked for. */
const createHours = (ask: Ask, zone: string): Evidence['hours'] => {
  const series = new Map<string, { readonly loadedAt: number; readonly hours: Promise<UtcHours> }>()
  const grown = async (of: HoursOf, known: Promise<UtcHours>, until: number): Promise<UtcHours> =>
    withNewHours(ask, of, await known, until, zone)
  return async ({ by, where }, until) => {
    const of = { by, where }
    const key = JSON.stringify(of)
    const known = series.get(key)
    const lasts = known !== undefined && until >= known.loadedAt && until - known.loadedAt < reloadMs
    const isCurrent = lasts && (await known.hours.catch(() => undefined))?.until === until
    if (!isCurrent) {
      const hours = lasts ? grown(of, known.hours, until) : askHours(ask, of, until - historyMs, until, zone)
      hours.catch(() => series.delete(key))
      series.set(key, { loadedAt: lasts ? known.loadedAt : until, hours })
      if (series.size > seriesMax) series.delete(series.keys().next().value ?? '')
    }
    return localHours((await series.get(key)?.hours) ?? { from: until, until, segments: new Map() }, zone)
  }
}

const shared = <Answered>(ask: (question: Question) => Promise<Answered>) => {
  const answers = new Map<string, Promise<Answered>>()
  return (question: Question): Promise<Answered> => {
    const key = JSON.stringify(question)
    const known = answers.get(key)
    if (known !== undefined) return known
    const asking = ask(question)
    answers.set(key, asking)
    return asking
  }
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const steps = [
  { windowMs: 480 * hourMs, stepMs: hourMs },
  { windowMs: 48 * hourMs, stepMs: 15 * minuteMs },
  { windowMs: 12 * hourMs, stepMs: 5 * minuteMs },
] as const

/**
 * The end of a period that is so long that it moves slowly: periods of half a day and more are looked at every five minutes, of
 * two days every quarter of an hour, of twenty days once an hour. Roll-ups answer those, and rounds in between ask nothing.
 */
export const settledEnd = (now: number, windowMs: number): number => {
  const stepMs = steps.find((step) => windowMs >= step.windowMs)?.stepMs ?? 1
  return Math.floor((now + 1) / stepMs) * stepMs
}
