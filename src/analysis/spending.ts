import type { Answer, AnswerRow } from '../core/answer.ts'
import { divideHalfEven, parseUsd } from '../core/money.ts'
import type { Breakdown, Filter, Measure, Question } from '../core/question.ts'
import { isUnit, type Unit, unitNames, units } from '../core/units.ts'
import type { ModelSpending, Spending } from './explain.ts'

export interface Period {
  readonly from: number
  readonly to: number
  readonly zone: string
}

export type Ask = (question: Question) => Promise<Answer>

/** What a period spent, in all and for each value of an attribute. */
export interface Spendings {
  readonly all: Spending
  /** The answer behind them: a row per value, with the measures that were asked for besides. */
  readonly totals: Answer
  of(value: string | null): Spending
}

/** Of which entries totals are asked for, and which. */
export interface TotalsAsked {
  readonly where: readonly Filter[]
  readonly by?: readonly Breakdown[]
  /** Measures that the caller wants to know as well, so that runs are not read twice. */
  readonly besides?: readonly Measure[]
  readonly top?: number
}

/** The first of the questions that an explanation needs. */
export const askTotals = (ask: Ask, { from, to, zone }: Period, { by = [], besides = [], ...rest }: TotalsAsked): Promise<Answer> =>
  ask({ measures: [...new Set([...besides, 'runs', 'toolCost', 'retryCost'] as const)], by, ...rest, from, to, zone })

/**
 * Puts the three questions whose answers an explanation needs; without `by` only for all, which is half of the work. `known` is the
 * answer of the first, where the caller has it.
 */
export const askSpendings = async (
  ask: Ask,
  period: Period,
  where: readonly Filter[],
  by?: Breakdown,
  known?: Answer,
): Promise<Spendings> => {
  const { from, to, zone } = period
  const otherUnits = unitNames.filter((unit) => units[unit].side === 'other').map((unit): Measure => `tokens.${unit}`)
  const each = by === undefined ? [] : [by]
  const modelCalls: Filter = { by: 'kind', values: ['llm'] }
  // One after the other: a ledger that answers two questions at a time has room for others' meanwhile, which are shorter.
  const totals = known ?? (await askTotals(ask, period, { where, by: each }))
  const models = await ask({ measures: ['calls', 'retries'], by: [...each, 'model'], where: [...where, modelCalls], from, to, zone })
  const unitCosts = await ask({
    measures: ['cost', 'retryCost', 'tokens', ...otherUnits],
    by: [...each, 'model', 'unit'],
    where: [...where, modelCalls],
    from,
    to,
    zone,
  })
  const spendingOf = (
    row: AnswerRow | Answer['totals'] | undefined,
    ofModels: readonly AnswerRow[] = [],
    ofUnits: readonly AnswerRow[] = [],
  ): Spending => ({
    runs: countOf(row, 'runs'),
    toolCost: usdOf(row, 'toolCost'),
    retryCost: usdOf(row, 'retryCost'),
    models: modelsOf(ofModels, ofUnits),
  })
  const nameOf = (row: AnswerRow) => (by === undefined ? null : (row[by] ?? null))
  const [rowOf, modelsBy, unitsBy] = [
    new Map(by === undefined ? [] : totals.rows.map((row) => [nameOf(row), row])),
    Map.groupBy(models.rows, nameOf),
    Map.groupBy(unitCosts.rows, nameOf),
  ]
  return {
    all: spendingOf(totals.totals, models.rows, unitCosts.rows),
    totals,
    of: (value) => (by === undefined ? spendingOf(undefined) : spendingOf(rowOf.get(value), modelsBy.get(value), unitsBy.get(value))),
  }
}

/** First attempts, by model: what retries cost is told apart. */
const modelsOf = (models: readonly AnswerRow[], unitCosts: readonly AnswerRow[]): ReadonlyMap<string, ModelSpending> => {
  const found = new Map<string, { calls: number; otherCost: bigint; units: Map<Unit, { count: bigint; cost: bigint }> }>()
  const modelOf = (name: string) => {
    const known = found.get(name) ?? { calls: 0, otherCost: 0n, units: new Map() }
    found.set(name, known)
    return known
  }
  for (const row of models) modelOf(String(row.model)).calls += countOf(row, 'calls') - countOf(row, 'retries')
  for (const row of unitCosts) {
    const model = modelOf(String(row.model))
    const cost = usdOf(row, 'cost') - usdOf(row, 'retryCost')
    const { unit } = row
    if (typeof unit !== 'string' || !isUnit(unit)) {
      model.otherCost += cost
      continue
    }
    const known = model.units.get(unit)
    const count = BigInt(String(row[units[unit].side === 'other' ? `tokens.${unit}` : 'tokens'] ?? 0))
    model.units.set(unit, { count: firstOf(count, cost, usdOf(row, 'cost')) + (known?.count ?? 0n), cost: cost + (known?.cost ?? 0n) })
  }
  return found
}

/**
 * The tokens of first attempts: of all that were counted, as large a share as first attempts have of the cost. Retries pay the same
 * rates, so that with their tokens among those of first attempts a period of many retries would look as if prices had fallen.
 */
const firstOf = (count: bigint, cost: bigint, whole: bigint): bigint =>
  whole === cost || whole === 0n ? count : divideHalfEven(count * cost, whole)

/** A money measure of a row in pico-dollars; what is not there is nothing. */
export const usdOf = (row: AnswerRow | Answer['totals'] | undefined, measure: string): bigint =>
  parseUsd(String(row?.[measure] ?? '0')) ?? 0n

export const countOf = (row: AnswerRow | Answer['totals'] | undefined, measure: string): number => Number(row?.[measure] ?? 0)
