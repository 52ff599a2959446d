import type { ReactNode } from 'react'
import { useAbout, useReadings } from '../../api/use-lists.ts'
import { KeyFigures } from '../../segments/key-figures.tsx'
import { SpendCard } from '../../segments/spend-card.tsx'
import { lazyPage } from '../../ui/lazy-page.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Skeleton } from '../../ui/states.tsx'
import { BudgetsCard } from './budgets-card.tsx'
import { ChangesCard } from './changes-card.tsx'
import { CostliestCard } from './costliest-card.tsx'
import { CoverageCard } from './coverage-card.tsx'
import { LiveCard } from './live-card.tsx'
import { PeriodTiles } from './period-tiles.tsx'
import { SegmentsCard } from './segments-card.tsx'
import { SelfCheckCard } from './self-check-card.tsx'

const figures = ['runs', 'costPerRun', 'costP95', 'burnRatePerHour', 'calls', 'tokens', 'retries', 'errors', 'cacheHitRate', 'toolCost']

const StartPage = lazyPage('StartPage', async () => (await import('../start/start-page.tsx')).StartPage)

/** What is spent, what changed, why, and which run to open. */
export const OverviewPage = (): ReactNode => {
  const { data: about, isPending } = useAbout()
  // The self-check puts many small questions, and what is spent comes first.
  const hasRead = useReadings().isFetched
  // Asked first of all, so that a ledger without entries shows the way in and not ten empty cards.
  if (isPending) return <Skeleton className="h-96 w-full" />
  if (about?.ledger.entries === 0) return <StartPage />
  return (
    <>
      <PageHead title="Overview" />
      <PeriodTiles />
      <SpendCard title="Spend over time" by="agent" />
      <div className="grid items-start gap-4 2xl:grid-cols-[minmax(0,1fr)_24rem] 3xl:grid-cols-[minmax(0,1fr)_28rem]">
        <div className="flex min-w-0 flex-col gap-4">
          <ChangesCard />
          <KeyFigures title="Key figures" names={figures} />
          <SegmentsCard />
        </div>
        <div className="min-w-0 gap-4 max-2xl:columns-[24rem] 2xl:flex 2xl:flex-col [&>*]:break-inside-avoid max-2xl:[&>*]:mb-4">
          <BudgetsCard />
          <CostliestCard />
          <LiveCard />
          {hasRead && <SelfCheckCard />}
          <CoverageCard figures={figures} />
        </div>
      </div>
    </>
  )
}
