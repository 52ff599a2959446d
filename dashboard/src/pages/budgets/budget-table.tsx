import type { ReactNode } from 'react'
import type { BudgetForecastJson, BudgetJson } from '../../../../src/server/api.ts'
import { useLive } from '../../api/live-context.tsx'
import { useForecast } from '../../api/use-lists.ts'
import { dash, percent } from '../../format/numbers.ts'
import { ahead, clockOf } from '../../format/times.ts'
import { BudgetBar } from '../../segments/budget-bar.tsx'
import { amountText, budgetTitle, scopeText, windowText } from '../../segments/budget-text.ts'
import { forecastOf } from '../../segments/forecast-of.ts'
import { useView } from '../../state/use-view.ts'
import { filterText } from '../../state/view.ts'
import { Badge } from '../../ui/controls.tsx'
import { type Column, DataTable } from '../../ui/data-table.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

interface BudgetRow extends BudgetJson {
  readonly forecast: BudgetForecastJson | undefined
}

export const BudgetTable = ({ budgets }: { budgets: readonly BudgetJson[] }): ReactNode => {
  const live = useLive()
  const { zone } = useView()
  const forecast = useForecast().data
  return (
    <DataTable
      label="Budgets"
      rows={budgets.map((budget): BudgetRow => ({ ...budget, forecast: forecastOf(forecast, budget) }))}
      columns={columnsOf(live.now(), zone)}
      rowId={(row) => `${row.name}\n${row.value ?? ''}`}
      sort="-used"
      isSortedByAddress
    />
  )
}

const columnsOf = (now: number, zone: string): readonly Column<BudgetRow>[] => {
  const clock = clockOf(zone)
  const when = (instant: string | undefined, otherwise: string): ReactNode =>
    instant === undefined ? (
      <span className="text-ink-3">{otherwise}</span>
    ) : (
      <span title={clock.full(Date.parse(instant))}>{ahead(Date.parse(instant), now)}</span>
    )
  return [
    {
      id: 'name',
      title: 'Budget',
      className: 'min-w-28 sm:min-w-44',
      sortBy: budgetTitle,
      cell: (row) => <BudgetName budget={row} zone={zone} />,
    },
    { id: 'used', title: 'Spent', className: 'w-full min-w-36', sortBy: (row) => row.share, cell: (row) => <Spent row={row} /> },
    {
      id: 'left',
      title: 'Left',
      isNumber: true,
      from: 'md',
      className: 'whitespace-nowrap',
      sortBy: (row) => Number(row.remaining),
      cell: (row) => amountText(row, row.remaining),
    },
    {
      id: 'reserved',
      title: 'Reserved',
      isNumber: true,
      from: 'lg',
      className: 'whitespace-nowrap',
      about: 'Set aside for calls that are under way.',
      sortBy: (row) => Number(row.reserved),
      cell: (row) => amountText(row, row.reserved),
    },
    {
      id: 'expected',
      title: 'Expected',
      isNumber: true,
      from: 'md',
      about: 'What it is likely to have come to when it begins anew; of one that rolls, a whole span from now.',
      sortBy: (row) => (row.forecast?.atEnd === undefined ? null : Number(row.forecast.atEnd.expected)),
      cell: (row) => <Expected row={row} />,
    },
    {
      id: 'burn',
      title: 'Per hour',
      isNumber: true,
      from: '2xl',
      about: 'How fast it is being spent at present.',
      sortBy: (row) => (row.burnRatePerHour === undefined ? null : Number(row.burnRatePerHour)),
      cell: (row) => (row.burnRatePerHour === undefined ? dash : amountText(row, row.burnRatePerHour)),
    },
    {
      id: 'exhausts',
      title: 'Gone',
      from: 'md',
      className: 'whitespace-nowrap',
      about: 'When it is expected to be spent.',
      // A forecast knows nights and weekends; without one the present rate has to do.
      cell: (row) => (row.status === 'exceeded' ? 'gone' : when((row.forecast ?? row).exhaustsAt, 'it lasts')),
    },
    {
      id: 'resets',
      title: 'Resets',
      from: 'lg',
      className: 'whitespace-nowrap',
      cell: (row) => (row.window.kind === 'rolling' ? <span className="text-ink-3">rolls on</span> : when(row.resetsAt, 'never')),
    },
    {
      id: 'exceeded',
      title: 'When spent',
      from: 'xl',
      className: 'whitespace-nowrap text-ink-2',
      cell: (row) => (row.onExceed === 'block' ? 'refuses' : 'warns'),
    },
    { id: 'status', title: 'Status', from: 'sm', sortBy: (row) => row.status, cell: (row) => <StatusBadge status={row.status} /> },
  ]
}

const Spent = ({ row }: { row: BudgetRow }): ReactNode => (
  <span className="block">
    <span className="mb-1 flex flex-wrap items-baseline justify-between gap-x-3">
      <span className="whitespace-nowrap">
        <span className="font-semibold">{amountText(row, row.spent)}</span>{' '}
        <span className="text-ink-2">of {amountText(row, row.limit)}</span>
      </span>
      <span className="text-xs text-ink-3">{percent(row.share)}</span>
    </span>
    <BudgetBar budget={row} expected={row.forecast?.atEnd?.expected} />
  </span>
)

const Expected = ({ row }: { row: BudgetRow }): ReactNode => {
  const atEnd = row.forecast?.atEnd
  if (atEnd === undefined) return dash
  return (
    <span
      title={`Four times in five from ${amountText(row, atEnd.low)} to ${amountText(row, atEnd.high)}`}
      className={`whitespace-nowrap ${Number(atEnd.expected) > Number(row.limit) ? 'font-medium text-bad' : ''}`}
    >
      {amountText(row, atEnd.expected)}
    </span>
  )
}

const StatusBadge = ({ status }: { status: BudgetJson['status'] }): ReactNode =>
  status === 'ok' ? <span className="text-xs text-ink-2">ok</span> : <Badge tone={status === 'warning' ? 'warn' : 'bad'}>{status}</Badge>

const BudgetName = ({ budget, zone }: { budget: BudgetJson; zone: string }): ReactNode => {
  const where = budget.value === undefined ? [] : [filterText({ by: budget.scope, values: [budget.value], isNot: false })]
  const isEach = budget.value === undefined
  return (
    <ViewLink
      to={isEach ? '/explore' : '/runs'}
      patch={
        isEach
          ? { measure: budget.unit === 'usd' ? 'cost' : 'tokens', by: budget.scope === 'all' ? 'agent' : budget.scope }
          : { where, sort: 'costliest' }
      }
      className="group block"
    >
      <span className="block font-medium group-hover:underline">
        <bdi>{budgetTitle(budget)}</bdi>
      </span>
      <span className="block text-xs text-ink-3">
        {scopeText(budget)}, {windowText(budget.window, zone)}
      </span>
    </ViewLink>
  )
}
