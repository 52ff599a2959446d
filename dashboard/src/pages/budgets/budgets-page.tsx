import type { ReactNode } from 'react'
import { useBudgets } from '../../api/use-lists.ts'
import { Card } from '../../ui/card.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { AheadCard } from './ahead-card.tsx'
import { BudgetTable } from './budget-table.tsx'

/** What may be spent, what is, what is set aside, where it is heading, and when it will be gone. */
export const BudgetsPage = (): ReactNode => {
  const query = useBudgets()
  return (
    <>
      <PageHead title="Budgets" note="Allowances as they stand now, and where they are heading." />
      <AheadCard />
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
