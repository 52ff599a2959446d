import type { ReactNode } from 'react'
import { useQuestion } from '../../api/use-question.ts'
import { count } from '../../format/numbers.ts'
import type { intervals } from '../../state/buckets.ts'
import { Card } from '../../ui/card.tsx'
import { CoverageMark } from '../../ui/coverage-mark.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { AnswerTable } from './answer-table.tsx'
import { Downloads } from './downloads.tsx'
import { ExploreChart } from './explore-chart.tsx'
import { QuestionForm } from './question-form.tsx'
import { useAsked } from './use-asked.ts'

/** Any question. The address is the question, so that a link is an answer that stays right. */
export const ExplorePage = (): ReactNode => {
  const asked = useAsked()
  const query = useQuestion({
    measures: asked.measures,
    by: asked.by,
    top: asked.top,
    isCompared: asked.interval === undefined,
    ...(asked.interval !== undefined && { interval: asked.interval as (typeof intervals)[number] }),
  })
  return (
    <>
      <PageHead title="Explore" note="Any measure, by anything, over any time." />
      <QuestionForm asked={asked} />
      <ExploreChart asked={asked} />
      <Card
        title="Answer"
        note={query.data === undefined ? undefined : `${count(query.data.rows.length)} rows`}
        isFlush
        isStale={query.isPlaceholderData}
        actions={
          query.data !== undefined && (
            <div className="flex flex-wrap items-center gap-2">
              <CoverageMark coverage={query.data.coverage} />
              <Downloads answer={query.data} asked={asked} />
            </div>
          )
        }
      >
        <Asked query={query}>
          {(answer) =>
            answer.rows.length === 0 ? (
              <Empty title="No entry answers this question">Choose a longer period, or take a filter away.</Empty>
            ) : (
              <AnswerTable answer={answer} asked={asked} />
            )
          }
        </Asked>
      </Card>
    </>
  )
}
