import type { ReactNode } from 'react'
import { useBudgets, useForecast } from '../../api/use-lists.ts'
import { percent } from '../../format/numbers.ts'
import { BudgetBar } from '../../segments/budget-bar.tsx'
import { amountText, budgetTitle } from '../../segments/budget-text.ts'
import { forecastOf } from '../../segments/forecast-of.ts'
import { Card } from '../../ui/card.tsx'
import { Asked } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

const shown = 4

/** The fullest budgets. Left out where there are none. */
export const BudgetsCard = (): ReactNode => {
  const query = useBudgets()
  const forecast = useForecast().data
  if (query.data === null || query.data?.budgets.length === 0 || query.error !== null) return null
  return (
    <Card
      title="Budgets"
      actions={
        <ViewLink to="/budgets" className="link text-xs text-ink-2">
          All budgets
        </ViewLink>
      }
    >
      <Asked query={query}>
        {(data) => (
          <ul className="flex flex-col gap-3">
            {data?.budgets.slice(0, shown).map((budget) => (
              <li key={`${budget.name}\n${budget.value ?? ''}`}>
                <p className="mb-1 flex items-baseline gap-2">
                  <bdi className="mr-auto truncate">{budgetTitle(budget)}</bdi>
                  <span className="text-xs whitespace-nowrap text-ink-2">
                    <span className="font-medium text-ink">{amountText(budget, budget.spent)}</span> of {amountText(budget, budget.limit)}
                  </span>
                  <span className="w-10 text-right text-xs text-ink-3">{percent(budget.share)}</span>
                </p>
                <BudgetBar budget={budget} expected={forecastOf(forecast, budget)?.atEnd?.expected} />
              </li>
            ))}
          </ul>
        )}
      </Asked>
    </Card>
  )
}
