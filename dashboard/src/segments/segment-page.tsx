import type { ReactNode } from 'react'
import { useQuestion } from '../api/use-question.ts'
import { count } from '../format/numbers.ts'
import { Card } from '../ui/card.tsx'
import { CoverageMark } from '../ui/coverage-mark.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Asked, Empty } from '../ui/states.tsx'
import type { SegmentKind } from './segment-kinds.ts'
import { SegmentRows } from './segment-rows.tsx'
import { SpendCard } from './spend-card.tsx'

const top = 500

/** All values of an attribute: their spend over time, and a row for each. */
export const SegmentPage = ({ kind, children }: { kind: SegmentKind; children?: ReactNode }): ReactNode => {
  const by = kind.also === undefined ? [kind.by] : [kind.by, kind.also]
  const query = useQuestion({ measures: kind.measures, by, top, where: kind.where, isCompared: true })
  const measure = kind.measures[0] ?? 'cost'
  return (
    <>
      <PageHead title={kind.title} note={kind.note} />
      {children}
      <SpendCard title="Spend over time" by={kind.by} measure={measure} isFixed where={kind.where} />
      <Card
        title={`All ${kind.title.toLowerCase()}`}
        note={query.data === undefined ? undefined : `${count(query.data.rows.length)} of them in this period`}
        isFlush
        isStale={query.isPlaceholderData}
        actions={query.data !== undefined && <CoverageMark coverage={query.data.coverage} />}
      >
        <Asked query={query}>
          {(answer) =>
            answer.rows.length === 0 ? (
              <Empty title={`No ${kind.title.toLowerCase()} in this period`}>Choose a longer period, or take a filter away.</Empty>
            ) : (
              <SegmentRows kind={kind} answer={answer} />
            )
          }
        </Asked>
      </Card>
    </>
  )
}
