import type { ReactNode } from 'react'
import type { BudgetJson } from '../../../../src/server/api.ts'
import { useLive } from '../../api/live-context.tsx'
import { useBudgets } from '../../api/use-lists.ts'
import { dash, percent } from '../../format/numbers.ts'
import { ahead, clockOf } from '../../format/times.ts'
import { BudgetBar } from '../../segments/budget-bar.tsx'
import { amountText, budgetTitle, scopeText, windowText } from '../../segments/budget-text.ts'
import { useView } from '../../state/use-view.ts'
import { filterText } from '../../state/view.ts'
import { Card } from '../../ui/card.tsx'
import { Badge } from '../../ui/controls.tsx'
import { type Column, DataTable } from '../../ui/data-table.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

/** What may be spent, what is, what is set aside, and when it will be gone. */
export const BudgetsPage = (): ReactNode => {
  const query = useBudgets()
  return (
    <>
      <PageHead title="Budgets" note="Allowances as they stand now." />
      <Card title="The fullest first" note={query.data?.hasMore ? 'There are more; the fullest are shown' : undefined} isFlush>
        <Asked query={query}>
          {(data) =>
            data === null || data.budgets.length === 0 ? (
              <Empty title="No budget is set" icon="budgets">
                Budgets are named in the configuration file, per agent, run, task, team, model, key or release, and held before a call is
                sent.
              </Empty>
            ) : (
              <BudgetTable budgets={data.budgets} />
            )
          }
        </Asked>
      </Card>
    </>
  )
}

const BudgetTable = ({ budgets }: { budgets: readonly BudgetJson[] }): ReactNode => {
  const live = useLive()
  const { zone } = useView()
  return (
    <DataTable
      label="Budgets"
      rows={budgets}
      columns={columnsOf(live.now(), zone)}
      rowId={(row) => `${row.name}\n${row.value ?? ''}`}
      sort="-used"
      isSortedByAddress
    />
  )
}

const columnsOf = (now: number, zone: string): readonly Column<BudgetJson>[] => {
  const clock = clockOf(zone)
  const when = (instant: string | undefined, otherwise: string): ReactNode =>
    instant === undefined ? (
      <span className="text-ink-3">{otherwise}</span>
    ) : (
      <span title={clock.full(Date.parse(instant))}>{ahead(Date.parse(instant), now)}</span>
    )
  return [
    { id: 'name', title: 'Budget', className: 'min-w-44', sortBy: budgetTitle, cell: (row) => <BudgetName budget={row} /> },
    {
      id: 'used',
      title: 'Spent',
      className: 'w-full min-w-40',
      isNumber: false,
      sortBy: (row) => row.share,
      cell: (row) => (
        <span className="block">
          <span className="mb-1 flex items-baseline justify-between gap-3 whitespace-nowrap">
            <span>
              <span className="font-semibold">{amountText(row, row.spent)}</span>{' '}
              <span className="text-ink-2">of {amountText(row, row.limit)}</span>
            </span>
            <span className="text-xs text-ink-3">{percent(row.share)}</span>
          </span>
          <BudgetBar budget={row} />
        </span>
      ),
    },
    {
      id: 'left',
      title: 'Left',
      isNumber: true,
      from: 'md',
      sortBy: (row) => Number(row.remaining),
      cell: (row) => amountText(row, row.remaining),
    },
    {
      id: 'reserved',
      title: 'Reserved',
      isNumber: true,
      from: 'lg',
      about: 'Set aside for calls that are under way.',
      sortBy: (row) => Number(row.reserved),
      cell: (row) => amountText(row, row.reserved),
    },
    {
      id: 'burn',
      title: 'Per hour',
      isNumber: true,
      from: 'lg',
      about: 'How fast it is being spent at present.',
      sortBy: (row) => (row.burnRatePerHour === undefined ? null : Number(row.burnRatePerHour)),
      cell: (row) => (row.burnRatePerHour === undefined ? dash : amountText(row, row.burnRatePerHour)),
    },
    {
      id: 'exhausts',
      title: 'Gone',
      from: 'md',
      className: 'whitespace-nowrap',
      about: 'When it will be spent at the present rate.',
      cell: (row) => when(row.exhaustsAt, 'not before it resets'),
    },
    {
      id: 'resets',
      title: 'Resets',
      from: 'lg',
      className: 'whitespace-nowrap',
      cell: (row) => when(row.resetsAt, row.window.kind === 'rolling' ? 'rolls on' : 'never'),
    },
    {
      id: 'exceeded',
      title: 'When spent',
      from: '2xl',
      className: 'whitespace-nowrap text-ink-2',
      cell: (row) => (row.onExceed === 'block' ? 'calls are refused' : 'a warning'),
    },
    { id: 'status', title: 'Status', sortBy: (row) => row.status, cell: (row) => <StatusBadge status={row.status} /> },
  ]
}

const StatusBadge = ({ status }: { status: BudgetJson['status'] }): ReactNode =>
  status === 'ok' ? <span className="text-xs text-ink-2">ok</span> : <Badge tone={status === 'warning' ? 'warn' : 'bad'}>{status}</Badge>

const BudgetName = ({ budget }: { budget: BudgetJson }): ReactNode => {
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
        {scopeText(budget)}, {windowText(budget.window)}
      </span>
    </ViewLink>
  )
}
