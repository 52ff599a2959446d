import type { BudgetForecastJson, BudgetJson, ForecastAnswer } from '../../../src/server/api.ts'

/** The forecast of one allowance; a budget that gives each value its own has one per value. */
export const forecastOf = (
  forecast: ForecastAnswer | null | undefined,
  { name, value }: Pick<BudgetJson, 'name' | 'value'>,
): BudgetForecastJson | undefined => forecast?.budgets.find((each) => each.name === name && each.value === value)
