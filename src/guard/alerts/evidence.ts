import type { Ask } from '../../analysis/spending.ts'
import type { BudgetStatus } from '../../core/budget.ts'
import type { Filter } from '../../core/question.ts'

/** What single runs of a period cost, in dollars, the newest first, at most a thousand. */
export type RunCosts = (where: readonly Filter[], from: number, to: number) => Promise<readonly number[]>

/** What conditions look at. All of it can be put to any instant of the past, so that a rule can be tried on what has been. */
export interface Evidence {
  readonly ask: Ask
  /** Costs of single runs, for the rank test. */
  readonly runCosts: RunCosts
  readonly now: number
  readonly zone: string
  readonly budgets: () => readonly BudgetStatus[]
}
