import { AsyncLocalStorage } from 'node:async_hooks'
import { type Attribution, attributeCharsMax } from '../core/attribution.ts'
import { TaximeterError } from '../core/errors.ts'
import type { StopReason } from '../core/event.ts'
import { formatUsd, type PicoUsd, parseUsd } from '../core/money.ts'
import type { EventJson } from '../intake/event-json.ts'
import { cleanAttribution, type GivenAttribution, mergedAttribution, shortName } from './attribution.ts'
import { BudgetExceededError } from './budget-exceeded-error.ts'
import type { EventQueue } from './event-queue.ts'
import { dollars, type RunBudgets } from './run-budgets.ts'
import { type RunBudget, type RunState, settleInto, withParents } from './run-state.ts'
import { runStatusOf, stopReasonOf } from './stop-reason.ts'
import { eventOfTool, type ToolOptions } from './tool-call.ts'
import type { Warn } from './warning.ts'

export interface RunOptions extends GivenAttribution {
  /** Default: a new UUID. */
  readonly id?: string
  /** Dollars that the run, its sub-runs included, may spend. */
  readonly budgetUsd?: string | number
  /** `warn` (the default): crossing the budget is told. `stop`: the next call is refused before it is sent. */
  readonly onBudget?: 'warn' | 'stop'
  /** What happens to a call while the ledger does not say what the run has spent. Default: the tracker's. */
  readonly onMeterFailure?: 'allow' | 'block'
  /** `run.step` refuses to begin one more than this. */
  readonly maxSteps?: number
}

/** One execution of an agent on one task, handed to its function. */
export interface Run {
  readonly id: string
  /** Decimal dollars that its calls have been charged so far, as far as the ledger has told. */
  readonly spentUsd: string
  /** Runs a tool and records what it cost. A spent budget with `onBudget: 'stop'` refuses it with BudgetExceededError. */
  tool<Result>(name: string, options: ToolOptions<Result>, use: () => Result | PromiseLike<Result>): Promise<Result>
  tool<Result>(name: string, use: () => Result | PromiseLike<Result>): Promise<Result>
  /** Names the calls that are made inside. */
  step<Result>(name: string, take: () => Result | PromiseLike<Result>): Promise<Result>
  /** A run inside this one: its costs count toward both budgets. */
  run<Result>(options: RunOptions, go: (run: Run) => Result | PromiseLike<Result>): Promise<Result>
  /** Says why the run stops, where returning or throwing does not. Does not stop anything by itself. */
  stop(reason: StopReason): void
}

/** Where a call is made: the run and the step around it. */
export interface Scope {
  readonly run: RunState | undefined
  readonly attribution: Attribution
}

export interface RunsOptions {
  readonly queue: EventQueue
  readonly budgets: RunBudgets
  readonly defaults: Attribution
  readonly onMeterFailure: 'allow' | 'block'
  readonly nextId: () => string
  readonly now: () => number
  readonly warn: Warn
}

export interface Runs {
  run<Result>(options: RunOptions, go: (run: Run) => Result | PromiseLike<Result>): Promise<Result>
  scope(): Scope
  /** Queues the event of a call; what it is charged comes into the accounts of the runs around it. */
  record(run: RunState | undefined, event: EventJson, onSettled?: (costUsd: string | undefined) => void): void
  /** How often a run's budget was crossed. */
  readonly crossings: number
  /** What carries the scope from a run to the calls made inside. */
  readonly storage: AsyncLocalStorage<Scope>
}

export const createRuns = (options: RunsOptions): Runs => {
  const { queue, budgets, nextId, now, warn } = options
  const storage = new AsyncLocalStorage<Scope>()
  const outside: Scope = { run: undefined, attribution: options.defaults }
  const scope = (): Scope => storage.getStore() ?? outside
  /** The place in a run where its handle is used; the run itself where the call came from elsewhere (an event listener, a pool). */
  const scopeIn = (run: RunState): Scope => {
    const here = scope()
    return isInside(here.run, run) ? here : { run, attribution: run.attribution }
  }
  let crossings = 0

  const record: Runs['record'] = (run, event, onSettled) => {
    for (const each of withParents(run)) each.unsettled += 1
    queue.push(event, (result) => {
      if (run !== undefined) settleInto(run, result).forEach(tellCrossing)
      if (result?.outcome === 'accepted' && result.basis === 'unpriced') tellUnpriced(run, event)
      onSettled?.(result === undefined || result.outcome === 'rejected' ? undefined : result.costUsd)
    })
  }

  const tellCrossing = (run: RunState): void => {
    crossings += 1
    warn('budget-crossed', `Run ${run.id} has spent $${dollars(run.spent)} of its budget of $${dollars(run.budget?.limit ?? 0n)}.`)
  }

  const tellUnpriced = (run: RunState | undefined, event: EventJson): void => {
    for (const each of withParents(run)) {
      if (each.budget === undefined) continue
      warn(
        'unpriced-call',
        `${event.tool ?? `${event.provider}/${event.model}`} has no price: the budget of run ${each.id} does not see it.`,
      )
      return
    }
  }

  const recordRun = (run: RunState, phase: 'start' | 'end', more: Partial<EventJson>): void => {
    const { tags, ...attribution } = run.attribution
    queue.push({ ...attribution, ...(tags && { tags }), id: nextId(), at: now(), kind: 'run', source: 'sdk', run: run.id, phase, ...more })
  }

  const run: Runs['run'] = async (given, go) => {
    const state = stateOf(given, scope(), options)
    const facts = {
      ...(state.parent && { parent: state.parent.id }),
      ...(state.budget && { budgetUsd: formatUsd(state.budget.limit) }),
    }
    recordRun(state, 'start', facts)
    const end = (stopReason: StopReason): void => recordRun(state, 'end', { ...facts, stopReason, status: runStatusOf(stopReason) })
    try {
      const result = await storage.run({ run: state, attribution: state.attribution }, () => go(handleOf(state)))
      end(state.stopReason ?? 'completed')
      return result
    } catch (error) {
      end(stopReasonOf(state, error))
      throw refusedOr(error)
    }
  }

  const inStep = async <Result>(state: RunState, name: string, take: () => Result | PromiseLike<Result>): Promise<Result> => {
    if (state.stepsMax !== undefined && state.steps >= state.stepsMax) {
      state.stopReason ??= 'max_steps'
      throw new TaximeterError(
        'MAX_STEPS',
        `Run ${state.id} may take ${state.stepsMax} steps and has taken them. Raise maxSteps or end the run.`,
      )
    }
    state.steps += 1
    const here = scopeIn(state)
    const step = shortName(name, 'step', warn)
    try {
      return await storage.run({ run: here.run, attribution: { ...here.attribution, step } }, take)
    } catch (error) {
      for (const each of withParents(here.run)) if (each.failure?.error !== error) each.failure = { error, reason: 'step_error' }
      throw error
    }
  }

  const useTool = async <Result>(
    state: RunState,
    name: string,
    price: ToolOptions<Result>,
    use: () => Result | PromiseLike<Result>,
  ): Promise<Result> => {
    const refusal = await budgets.check(state)
    if (refusal !== undefined) throw new BudgetExceededError(refusal)
    const { run, attribution } = scopeIn(state)
    const call = eventOfTool(shortName(name, 'tool', warn), price, { id: nextId(), at: now(), attribution, warn })
    try {
      const result = await use()
      record(run, call.ended(result))
      return result
    } catch (error) {
      record(run, call.failed(error))
      for (const each of withParents(run)) each.failure = { error, reason: 'tool_error' }
      throw error
    }
  }

  const handleOf = (state: RunState): Run => ({
    id: state.id,
    get spentUsd() {
      return formatUsd(state.spent)
    },
    tool: <Result>(name: string, ...rest: unknown[]): Promise<Result> => {
      const [price, use] = typeof rest[0] === 'function' ? [{}, rest[0]] : rest
      return useTool(state, name, price as ToolOptions<Result>, use as () => Result | PromiseLike<Result>)
    },
    step: (name, take) => inStep(state, name, take),
    run: (given, go) => storage.run(scopeIn(state), () => run(given, go)),
    stop: (reason) => {
      state.stopReason = reason
    },
  })

  return {
    run,
    scope,
    record,
    storage,
    get crossings() {
      return crossings
    },
  }
}

const isInside = (inner: RunState | undefined, outer: RunState): boolean => {
  for (const each of withParents(inner)) if (each === outer) return true
  return false
}

/** A client's error that is our refusal and nothing else becomes the refusal; whatever the agent made of it stays as it is. */
const refusedOr = (error: unknown): unknown => {
  if (typeof error !== 'object' || error === null || error instanceof BudgetExceededError) return error
  const message = 'message' in error ? error.message : undefined
  return typeof message === 'string' && message.includes('BUDGET_EXCEEDED: ') ? BudgetExceededError.of(error) : error
}

const stateOf = (given: RunOptions, around: Scope, options: RunsOptions): RunState => {
  const id = given.id ?? options.nextId()
  if (typeof id !== 'string' || id === '' || id.length > attributeCharsMax) {
    throw new TaximeterError('BAD_EVENT', `A run's id should be a text of 1 to ${attributeCharsMax} characters, got ${JSON.stringify(id)}.`)
  }
  const { step: _, ...outer } = around.attribution
  return {
    id,
    parent: around.run,
    attribution: { ...mergedAttribution(outer, cleanAttribution(given, options.warn)), run: id },
    budget: budgetOf(given, options.onMeterFailure),
    stepsMax: given.maxSteps,
    spent: 0n,
    unsettled: 0,
    isCrossed: false,
    steps: 0,
    stopReason: undefined,
    lastModelCall: undefined,
    failure: undefined,
  }
}

/** A budget is the one thing here that may stop an agent, so that one which cannot be read is refused at once. */
const budgetOf = (given: RunOptions, onMeterFailure: 'allow' | 'block'): RunBudget | undefined => {
  if (given.budgetUsd === undefined) return undefined
  const limit = limitOf(given.budgetUsd)
  if (limit === undefined || limit < 0n) {
    throw new TaximeterError('BAD_BUDGET', `budgetUsd should be dollars such as "0.25", got ${JSON.stringify(given.budgetUsd)}.`)
  }
  return { limit, onBudget: given.onBudget ?? 'warn', onMeterFailure: given.onMeterFailure ?? onMeterFailure }
}

/** A number is taken by its decimal form, which is what its author wrote: 0.1 is ten cents exactly. */
const limitOf = (value: string | number): PicoUsd | undefined => {
  const text = String(value)
  return parseUsd(typeof value === 'number' && text.includes('e') ? value.toFixed(12) : text)
}
