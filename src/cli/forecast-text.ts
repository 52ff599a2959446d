import { grouped, readableUsd } from '../core/readable.ts'
import type { BudgetForecastJson, ExpectedJson, ForecastAnswer } from '../server/api.ts'
import { textTable } from './text-table.ts'

/** What lies ahead as tables for a terminal: the period's end, and each budget's. */
export const forecastText = ({ total, budgets, tz }: ForecastAnswer): string =>
  [
    total.length === 0
      ? 'Too little is known for a forecast: it takes six hours of calls.'
      : textTable(
          [{ title: 'by the end of' }, right('spent'), right('expected'), right('four times in five'), { title: `ends (${tz})` }],
          total.map((each) => [
            each.period,
            readableUsd(each.spent),
            readableUsd(each.expected),
            rangeText(each, readableUsd),
            minuteText(each.to),
          ]),
        ),
    ...(budgets.length === 0 ? [] : [budgetsText(budgets)]),
  ].join('\n\n')

const budgetsText = (budgets: readonly BudgetForecastJson[]): string =>
  textTable(
    [
      { title: 'budget' },
      { title: 'of' },
      right('limit'),
      right('spent'),
      right('at its end'),
      right('four times in five'),
      { title: 'spent by' },
    ],
    budgets.map(({ name, scope, value, unit, limit, spent, atEnd, exhaustsAt }) => {
      const amount = (text: string): string => (unit === 'usd' ? readableUsd(text) : `${grouped(text)} tokens`)
      return [
        name,
        value ?? scope,
        amount(limit),
        amount(spent),
        atEnd === undefined ? '–' : amount(atEnd.expected),
        atEnd === undefined ? '–' : rangeText(atEnd, amount),
        exhaustsAt === undefined ? 'it lasts' : minuteText(exhaustsAt),
      ]
    }),
  )

const right = (title: string) => ({ title, align: 'right' as const })
const rangeText = ({ low, high }: ExpectedJson, amount: (text: string) => string): string => `${amount(low)} – ${amount(high)}`
const minuteText = (instant: string): string => `${instant.slice(0, 16).replace('T', ' ')}Z`
