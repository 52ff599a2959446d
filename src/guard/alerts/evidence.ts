import type { Ask } from '../../analysis/spending.ts'
import type { Answer } from '../../core/answer.ts'
import type { BudgetStatus } from '../../core/budget.ts'
import type { Filter, Question } from '../../core/question.ts'
import { askHours, type Hours, type HoursOf, historyMs } from './hours.ts'

/** What single runs of a period cost, in dollars, the newest first, at most a thousand. */
export type RunCosts = (where: readonly Filter[], from: number, to: number) => Promise<readonly number[]>

/** What conditions look at. All of it can be put to any instant of the past, so that a rule can be tried on what has been. */
export interface Evidence {
  readonly now: number
  readonly zone: string
  readonly ask: Ask
  /** Costs of single runs, for the rank test. */
  readonly runCosts: RunCosts
  readonly budgets: () => Promise<readonly BudgetStatus[]>
  /** The whole hours of four weeks up to `until`, the start of an hour, by segment. */
  readonly hours: (of: HoursOf, until: number) => Promise<Hours>
  /** What follows from hours that are over: made once, and kept while rules ask for it. */
  readonly once: <Made>(key: string, make: () => Promise<Made>) => Promise<Made>
}

export interface EvidenceSources {
  readonly ask: Ask
  readonly runCosts: RunCosts
  readonly zone: string
  readonly budgets: (at: number) => readonly BudgetStatus[] | Promise<readonly BudgetStatus[]>
}

/** What follows from hours that are over is small, and there are few rules that learn from them. */
const madeMax = 500

/** Evidence for one instant after another. Within a round, rules that put the same question share its answer. */
export const createEvidence = (sources: EvidenceSources): ((now: number) => Evidence) => {
  const made = new Map<string, Promise<unknown>>()
  const once = <Made>(key: string, make: () => Promise<Made>): Promise<Made> => {
    const known = made.get(key) as Promise<Made> | undefined
    if (known !== undefined) return known
    const making = make()
    made.set(key, making)
    // A question that failed is put again.
    making.catch(() => made.delete(key))
    if (made.size > madeMax) made.delete(made.keys().next().value ?? '')
    return making
  }
  return (now) => {
    const ask = sharedAsk(sources.ask)
    let budgets: Promise<readonly BudgetStatus[]> | undefined
    return {
      now,
      zone: sources.zone,
      ask,
      runCosts: sources.runCosts,
      budgets: () => (budgets ??= Promise.resolve(sources.budgets(now))),
      hours: (of, until) => askHours(ask, of, until - historyMs, until, sources.zone),
      once,
    }
  }
}

const sharedAsk = (ask: Ask): Ask => {
  const answers = new Map<string, Promise<Answer>>()
  return (question: Question) => {
    const key = JSON.stringify(question)
    const known = answers.get(key)
    if (known !== undefined) return known
    const asking = ask(question)
    answers.set(key, asking)
    return asking
  }
}
