import { useParams } from '@tanstack/react-router'
import { type ReactNode, useMemo } from 'react'
import type { RunDetailJson } from '../../../../src/server/api.ts'
import { useRun } from '../../api/use-lists.ts'
import { count } from '../../format/numbers.ts'
import { RunTable } from '../../segments/run-table.tsx'
import { useSetView, useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked } from '../../ui/states.tsx'
import { CallPanel } from './call-panel.tsx'
import { CostSoFar } from './cost-so-far.tsx'
import { RunFigures, RunNames } from './run-head.tsx'
import { Waterfall } from './waterfall.tsx'
import { waterfallOf } from './waterfall-rows.ts'
import { WhereItWent } from './where-it-went.tsx'

/** One run: what it did, in order, and what each step of it cost. */
export const RunPage = (): ReactNode => {
  const { id } = useParams({ strict: false }) as { id: string }
  const query = useRun(id)
  return (
    <>
      <PageHead
        title={query.data?.run.task ?? id}
        tab={`Run ${id}`}
        note={query.data === undefined ? undefined : <RunNames run={query.data.run} />}
      />
      <Asked query={query}>{(detail) => <RunDetail detail={detail} />}</Asked>
    </>
  )
}

const RunDetail = ({ detail }: { detail: RunDetailJson }): ReactNode => {
  const { search } = useView()
  const setView = useSetView()
  const waterfall = useMemo(() => waterfallOf(detail), [detail])
  const chosen = detail.calls.find((call) => call.id === search.call)
  const choose = (call: string | undefined): void => setView({ call }, { replace: true })
  return (
    <>
      <RunFigures detail={detail} />
      <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_21rem] 2xl:grid-cols-[minmax(0,1fr)_25rem] 3xl:grid-cols-[minmax(0,1fr)_30rem]">
        <div className="flex min-w-0 flex-col gap-4">
          <CostSoFar detail={detail} waterfall={waterfall} chosen={search.call} onChoose={choose} />
          <Card
            title="Steps"
            note={detail.hasMore ? `The first ${count(detail.calls.length)} of ${count(detail.run.calls)} calls` : undefined}
            isFlush
          >
            <Waterfall waterfall={waterfall} chosen={search.call} onChoose={choose} />
          </Card>
        </div>
        <div
          className={`flex min-w-0 flex-col gap-4 xl:sticky xl:top-18 xl:max-h-[calc(100dvh-5.5rem)] xl:overflow-y-auto ${chosen === undefined ? '' : 'max-xl:fixed max-xl:inset-x-0 max-xl:bottom-0 max-xl:z-40 max-xl:max-h-[62dvh] max-xl:overflow-y-auto max-xl:border-t max-xl:border-line max-xl:shadow-2xl'}`}
        >
          {chosen === undefined ? (
            <WhereItWent detail={detail} onChoose={choose} />
          ) : (
            <CallPanel key={chosen.id} call={chosen} onClose={() => choose(undefined)} />
          )}
        </div>
      </div>
      {detail.children.length > 0 && (
        <Card title="Sub-runs" note="Their cost is their own and not part of the figures above" isFlush>
          <RunTable runs={detail.children} label="Sub-runs" />
        </Card>
      )}
    </>
  )
}
