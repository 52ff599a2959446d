import { divideHalfEven, magnitude } from '../core/money.ts'
import { readableShare, readableUsd } from '../core/readable.ts'
import { type Cause, costOf, explain, type Part, type Spending, withCallsAsRuns } from './explain.ts'
import { causeText } from './readings.ts'

/** What made a segment cost more than it usually does: the largest cause of the exact split, and a sentence with the figures. */
export interface Why {
  readonly cause: Cause
  /** The model that carries most of it, where one does. */
  readonly model?: string
  readonly sentence: string
}

/** Spendings are compared as if they were this many times larger, so that a fraction of a run is not rounded away. */
const precision = 1_000_000n

/**
 * Why `now` costs what it does. `usual` may be of another length: what counts is what a run cost in it. `expected` is what was to
 * be expected in place of `now`; absent: as many runs as now, so that only the cost of a run is looked at and traffic is none.
 *
 * Without runs on either side a call stands for a run. Undefined where there is nothing to compare with.
 */
export const whyOf = (usual: Spending, now: Spending, expected?: bigint): Why | undefined => {
  const isOfRuns = usual.runs > 0 && now.runs > 0
  const [was, is] = isOfRuns ? [usual, now] : [withCallsAsRuns(usual), withCallsAsRuns(now)]
  const old = costOf(was)
  if (was.runs === 0 || is.runs === 0 || old <= 0n) return undefined
  const perRun = { was: divideHalfEven(old, BigInt(was.runs)), is: divideHalfEven(costOf(is), BigInt(is.runs)) }
  // Where nothing is usual at all, one run is: there has to be a cost of a run to compare with.
  const typical =
    expected === undefined
      ? scaled(was, BigInt(is.runs) * precision, BigInt(was.runs))
      : scaled(was, (expected > perRun.was ? expected : perRun.was) * precision, old)
  const { before, parts, difference } = explain(typical, scaled(is, precision, 1n))
  if (difference <= 0n) return undefined
  const traffic = amountOf(parts.filter(({ cause }) => cause === 'traffic'))
  const largest = largestCause(parts)
  if (largest === undefined) return undefined
  const runs = { is: is.runs, usual: Number(typical.runs) / Number(precision), what: isOfRuns ? 'runs' : 'calls' }
  return {
    ...largest,
    sentence:
      largest.cause === 'traffic'
        ? trafficSentence(runs, perRun)
        : unitSentence(parts, before + traffic, perRun, traffic, before, isOfRuns),
  }
}

/** `part ÷ whole` of a spending. */
const scaled = (spending: Spending, part: bigint, whole: bigint): Spending => {
  const share = (amount: bigint): bigint => divideHalfEven(amount * part, whole)
  const count = (value: number): number => Number(share(BigInt(value)))
  return {
    runs: count(spending.runs),
    toolCost: share(spending.toolCost),
    retryCost: share(spending.retryCost),
    models: new Map(
      [...spending.models].map(([name, model]) => [
        name,
        {
          calls: count(model.calls),
          otherCost: share(model.otherCost),
          units: new Map([...model.units].map(([unit, sums]) => [unit, { count: share(sums.count), cost: share(sums.cost) }])),
        },
      ]),
    ),
  }
}

const amountOf = (parts: readonly Part[]): bigint => parts.reduce((sum, { amount }) => sum + amount, 0n)

/** A cause is what its parts add up to over all models. Named with a model when that one carries most of it. */
const largestCause = (parts: readonly Part[]): { readonly cause: Cause; readonly model?: string } | undefined => {
  let largest: { readonly cause: Cause; readonly amount: bigint } | undefined
  for (const cause of new Set(parts.map((part) => part.cause))) {
    const amount = amountOf(parts.filter((part) => part.cause === cause))
    if (amount > (largest?.amount ?? 0n)) largest = { cause, amount }
  }
  if (largest === undefined) return undefined
  const { cause, amount } = largest
  const main = parts.find((part) => part.cause === cause && part.model !== undefined && part.amount * 10n >= amount * 6n)
  return { cause, ...(main?.model !== undefined && { model: main.model }) }
}

const trafficSentence = (
  runs: { readonly is: number; readonly usual: number; readonly what: string },
  perRun: { readonly was: bigint; readonly is: bigint },
): string => {
  const change = readableShare(perRun.is - perRun.was, perRun.was)
  const isSame = (perRun.is > perRun.was ? perRun.is - perRun.was : perRun.was - perRun.is) * 5n < perRun.was
  const each = runs.what === 'runs' ? 'a run' : 'a call'
  return `This is traffic: ${runs.is} ${runs.what} where about ${usualText(runs.usual)} are usual; ${each} costs ${readableUsd(perRun.is)}, ${
    isSame ? 'about as before' : `${readableUsd(perRun.was)} before (${change})`
  }.`
}

const usualText = (count: number): string => (count >= 10 ? String(Math.round(count)) : count.toFixed(1).replace(/\.0$/, ''))

const unitSentence = (
  parts: readonly Part[],
  atUsualCost: bigint,
  perRun: { readonly was: bigint; readonly is: bigint },
  traffic: bigint,
  before: bigint,
  isOfRuns: boolean,
): string => {
  const causes = parts
    .filter(({ cause, amount }) => cause !== 'traffic' && magnitude(amount) * 100n >= atUsualCost)
    .slice(0, 3)
    .map((part) => `${readableShare(part.amount, atUsualCost)} from ${causeText(part)}`)
    .join(', ')
  const isNotable = magnitude(traffic) * 20n >= before
  return `A ${isOfRuns ? 'run' : 'call'} costs ${readableUsd(perRun.is)} instead of ${readableUsd(perRun.was)}${causes === '' ? '' : `: ${causes}`}.${
    isNotable ? ` Traffic alone makes ${readableShare(traffic, before)}.` : ''
  }`
}
