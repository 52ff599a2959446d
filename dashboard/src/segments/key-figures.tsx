import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { QueryAnswer } from '../../../src/server/api.ts'
import type { ApiError } from '../api/client.ts'
import { useQuestion } from '../api/use-question.ts'
import { trustOf } from '../format/coverage.ts'
import type { Mark } from '../format/doubt.ts'
import { changeOf, percent } from '../format/numbers.ts'
import { approximate } from '../format/sums.ts'
import { type Figure, figureText, type MeasureInfo, measureInfo } from '../state/measures.ts'
import { previousTitle } from '../state/period.ts'
import { useView } from '../state/use-view.ts'
import { Card } from '../ui/card.tsx'
import { CoverageMark } from '../ui/coverage-mark.tsx'
import { Change, DoubtMark, FigureText } from '../ui/figure.tsx'
import { Asked, Skeleton } from '../ui/states.tsx'
import { Tip } from '../ui/tip.tsx'
import { ViewLink } from '../ui/view-link.tsx'

interface KeyFiguresProps {
  readonly title: string
  readonly names: readonly string[]
  readonly where?: readonly string[]
  readonly className?: string
}

/** Counted neither as good nor as bad when they grow. */
const neutral: ReadonlySet<string> = new Set([
  'runs',
  'calls',
  'tokens',
  'promptTokens',
  'completionTokens',
  'cacheHitRate',
  'efficiency',
  'tokensPerCompletion',
])

/** The figures of the period beside those of the one before; each leads to the question behind it. */
export const KeyFigures = ({ title, names, where = [], className = '' }: KeyFiguresProps): ReactNode => {
  const { period } = useView()
  const query = useKeyFigures(names, where)
  const against = previousTitle(period)
  return (
    <Card
      title={title}
      note={`Against ${against}`}
      isStale={query.isPlaceholderData}
      className={className}
      actions={query.data === undefined ? undefined : <CoverageMark coverage={query.data.coverage} />}
    >
      <Asked query={query} loading={<Skeleton className="h-20 w-full" />}>
        {(answer) => {
          const { mark } = trustOf(answer.coverage)
          return (
            <dl className="grid grid-cols-[repeat(auto-fill,minmax(8.25rem,1fr))] gap-x-6 gap-y-4">
              {names.map((name) => {
                const info = measureInfo(name)
                return (
                  <KeyFigure
                    key={name}
                    info={info}
                    value={answer.totals[name]}
                    before={answer.previous?.totals[name]}
                    calls={answer.totals.calls}
                    against={against}
                    mark={info.form === 'usd' ? mark : ''}
                    where={where}
                  />
                )
              })}
            </dl>
          )
        }}
      </Asked>
    </Card>
  )
}

/** The question behind them, for whoever needs what it answers besides: it is asked once. */
export const useKeyFigures = (names: readonly string[], where: readonly string[] = []): UseQueryResult<QueryAnswer, ApiError> =>
  useQuestion({ measures: [...new Set([...names, 'calls', 'cost'])], where, isCompared: true })

interface KeyFigureProps {
  readonly info: MeasureInfo
  readonly value: Figure
  readonly before: Figure
  readonly calls: Figure
  readonly against: string
  readonly mark: Mark
  readonly where: readonly string[]
}

const KeyFigure = ({ info, value, before, calls, against, mark, where }: KeyFigureProps): ReactNode => {
  const { search } = useView()
  const isShare = info.name === 'retries' || info.name === 'errors'
  const share = isShare && Number(calls ?? 0) > 0 ? Number(value ?? 0) / Number(calls) : undefined
  const to = info.name === 'runs' ? '/runs' : '/explore'
  const patch = { where: [...(search.where ?? []), ...where], ...(to === '/explore' && { measure: info.name, by: 'agent' }) }
  return (
    <div className="min-w-0">
      <dt className="text-xs text-ink-3">
        <Tip text={info.about}>
          <span>{info.title}</span>
        </Tip>
      </dt>
      <dd className="flex flex-col">
        <ViewLink
          to={to}
          patch={patch}
          className="w-fit text-lg leading-7 font-semibold tracking-tight decoration-line underline-offset-4 hover:underline"
        >
          {mark !== '' && value === null ? (
            'unpriced'
          ) : (
            <>
              <DoubtMark mark={mark} />
              <FigureText info={info} value={value} />
            </>
          )}
        </ViewLink>
        <span className="flex items-baseline gap-2 whitespace-nowrap">
          <Change
            change={changeOf(approximate(value), approximate(before))}
            against={`${figureText(info, before)}, ${against}`}
            isNeutral={neutral.has(info.name)}
          />
          {share !== undefined && <span className="text-xs text-ink-3">{percent(share)} of calls</span>}
        </span>
      </dd>
    </div>
  )
}
