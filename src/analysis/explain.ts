import { divideHalfEven, magnitude } from '../core/money.ts'
import { type Unit, units } from '../core/units.ts'

/** What one period (or release) spent, as far as an explanation needs it. All costs in pico-dollars. */
export interface Spending {
  readonly runs: number
  readonly toolCost: bigint
  /** Model calls that were a second or later attempt. */
  readonly retryCost: bigint
  /** First attempts, by model. */
  readonly models: ReadonlyMap<string, ModelSpending>
}

export interface ModelSpending {
  readonly calls: number
  /** Cost that no unit carries: what a provider reported beyond or below its units. */
  readonly otherCost: bigint
  readonly units: ReadonlyMap<Unit, { readonly count: bigint; readonly cost: bigint }>
}

export const causes = ['traffic', 'calls', 'mix', 'price', 'prompt', 'cache', 'output', 'retries', 'tools', 'other'] as const
/**
 * Why cost moved. `traffic`: more or fewer runs at the same cost per run; all others are the cost of a run itself. `calls`: calls per
 * run; `mix`: which models; `price`: rates; `prompt`, `output`: tokens per call; `cache`: how much of the prompt was read from or
 * written to a cache; `retries`, `tools`; `other`: searches, images, and what providers report outside their units.
 */
export type Cause = (typeof causes)[number]

export interface Part {
  readonly cause: Cause
  readonly amount: bigint
  /** For parts that one model carries. */
  readonly model?: string
}

/** `parts` sum to `difference`, to the pico-dollar. */
export interface Explanation {
  readonly before: bigint
  readonly after: bigint
  readonly difference: bigint
  readonly parts: readonly Part[]
}

/**
 * The difference between two spendings, split exactly into its causes.
 *
 * Each step changes one factor and holds those after it at their old value, in the order of a call's life: how many runs, how
 * many calls a run makes, which models they go to, how large prompts and answers are, how much is cached, what a token costs.
 * A model that is new, or gone, has no old size to compare with: its whole difference from the old average call is mix.
 */
export const explain = (before: Spending, after: Spending): Explanation => {
  const total = { before: costOf(before), after: costOf(after) }
  // Without runs on one side there is no cost per run to compare: all of it is traffic.
  if (before.runs === 0 || after.runs === 0) return summed(total, [{ cause: 'traffic', amount: total.after - total.before }])
  const scaled = (amount: bigint): bigint => divideHalfEven(amount * BigInt(after.runs), BigInt(before.runs))
  const parts: Part[] = [
    { cause: 'traffic', amount: scaled(total.before) - total.before },
    { cause: 'retries', amount: after.retryCost - scaled(before.retryCost) },
    { cause: 'tools', amount: after.toolCost - scaled(before.toolCost) },
  ]
  return summed(total, [...parts, ...callParts(before, after)])
}

/** The first attempts: calls per run, mix, and what moved inside each model's average call. */
const callParts = (before: Spending, after: Spending): readonly Part[] => {
  const calls = { before: callsOf(before), after: callsOf(after) }
  if (calls.before === 0n || calls.after === 0n) return []
  const old = firstAttemptCost(before)
  const parts: Part[] = [
    {
      cause: 'calls',
      amount: divideHalfEven(old * calls.after, calls.before) - divideHalfEven(old * BigInt(after.runs), BigInt(before.runs)),
    },
  ]
  for (const model of new Set([...before.models.keys(), ...after.models.keys()])) {
    const was = before.models.get(model)
    const is = after.models.get(model)
    const oldShare = divideHalfEven(modelCost(was) * calls.after, calls.before)
    if (was === undefined || is === undefined || was.calls === 0 || is.calls === 0) {
      parts.push({ cause: 'mix', model, amount: modelCost(is) - oldShare })
      continue
    }
    const atOldSize = divideHalfEven(modelCost(was) * BigInt(is.calls), BigInt(was.calls))
    parts.push({ cause: 'mix', model, amount: atOldSize - oldShare }, ...sizeParts(model, was, is))
  }
  return parts
}

/** One model's calls: from the old average call to the new one, through prompt size, cache, output size and price. */
const sizeParts = (model: string, was: ModelSpending, is: ModelSpending): readonly Part[] => {
  const perOldCalls = (amount: bigint): bigint => divideHalfEven(amount * BigInt(is.calls), BigInt(was.calls))
  const parts: Part[] = [{ cause: 'other', model, amount: is.otherCost - perOldCalls(was.otherCost) }]
  for (const [side, cause] of [
    ['prompt', 'prompt'],
    ['completion', 'output'],
    ['other', 'other'],
  ] as const) {
    const names = [...new Set([...was.units.keys(), ...is.units.keys()])].filter((unit) => units[unit].side === side)
    const old = sideOf(was, names)
    const now = sideOf(is, names)
    const sized = old.count === 0n ? perOldCalls(old.cost) : divideHalfEven(old.cost * now.count, old.count)
    // The new quantities at the old prices; a unit that is new has no old price and keeps its new one.
    let atOldPrices = 0n
    for (const unit of names) {
      const earlier = was.units.get(unit)
      const later = is.units.get(unit)
      if (later === undefined) continue
      atOldPrices += earlier === undefined || earlier.count === 0n ? later.cost : divideHalfEven(earlier.cost * later.count, earlier.count)
    }
    parts.push(
      { cause, model, amount: sized - perOldCalls(old.cost) },
      { cause: side === 'prompt' ? 'cache' : cause, model, amount: atOldPrices - sized },
      { cause: 'price', model, amount: now.cost - atOldPrices },
    )
  }
  return parts
}

const sideOf = (model: ModelSpending, names: readonly Unit[]): { readonly count: bigint; readonly cost: bigint } => {
  let count = 0n
  let cost = 0n
  for (const unit of names) {
    count += model.units.get(unit)?.count ?? 0n
    cost += model.units.get(unit)?.cost ?? 0n
  }
  return { count, cost }
}

/** Parts of one cause and model are one part; what rounding left over, a few pico-dollars, goes to the largest. */
const summed = (total: { readonly before: bigint; readonly after: bigint }, found: readonly Part[]): Explanation => {
  const difference = total.after - total.before
  const merged = new Map<string, Part>()
  for (const part of found) {
    const key = `${part.cause}\n${part.model ?? ''}`
    merged.set(key, { ...part, amount: part.amount + (merged.get(key)?.amount ?? 0n) })
  }
  const parts = [...merged.values()]
    .filter((part) => part.amount !== 0n)
    .sort((left, right) => compare(magnitude(right.amount), magnitude(left.amount)))
  const rest = difference - parts.reduce((sum, part) => sum + part.amount, 0n)
  const [largest, ...others] = parts
  if (rest === 0n) return { ...total, difference, parts }
  return {
    ...total,
    difference,
    parts: largest === undefined ? [{ cause: 'other', amount: rest }] : [{ ...largest, amount: largest.amount + rest }, ...others],
  }
}

const compare = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0)

const modelCost = (model: ModelSpending | undefined): bigint => {
  let cost = model?.otherCost ?? 0n
  for (const unit of model?.units.values() ?? []) cost += unit.cost
  return cost
}

const firstAttemptCost = (spending: Spending): bigint => [...spending.models.values()].reduce((sum, model) => sum + modelCost(model), 0n)
const callsOf = (spending: Spending): bigint => [...spending.models.values()].reduce((sum, model) => sum + BigInt(model.calls), 0n)
export const costOf = (spending: Spending): bigint => firstAttemptCost(spending) + spending.retryCost + spending.toolCost

/** For calls that belong to no run: each stands for one. */
export const withCallsAsRuns = (spending: Spending): Spending => ({
  ...spending,
  runs: [...spending.models.values()].reduce((sum, model) => sum + model.calls, 0),
})
