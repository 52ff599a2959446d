import type { ReactNode } from 'react'
import { useQuestion } from '../api/use-question.ts'
import { seriesColor } from '../charts/palette.ts'
import { ShareBar } from '../charts/sparkline.tsx'
import { count, percent } from '../format/numbers.ts'
import { approximate } from '../format/sums.ts'
import { attributeTitle, measureInfo, valueText } from '../state/measures.ts'
import { useView } from '../state/use-view.ts'
import { whereWith } from '../state/view.ts'
import { Card } from '../ui/card.tsx'
import { FigureText } from '../ui/figure.tsx'
import { Asked, Empty } from '../ui/states.tsx'
import { ViewLink } from '../ui/view-link.tsx'

interface RankingProps {
  readonly title: string
  readonly by: string
  readonly measure?: string
  readonly where?: readonly string[]
  readonly top?: number
  readonly className?: string
}

/** Who has the largest share of a measure. Each row leads to the question that asks about it alone. */
export const Ranking = ({ title, by, measure = 'cost', where = [], top = 6, className }: RankingProps): ReactNode => {
  const info = measureInfo(measure)
  const { filters, search } = useView()
  const query = useQuestion({ measures: [measure], by: [by], top, where })
  const total = approximate(query.data?.totals[measure]) ?? 0
  const all = [...(search.where ?? []), ...where]
  return (
    <Card
      title={title}
      isStale={query.isPlaceholderData}
      {...(className !== undefined && { className })}
      actions={
        <ViewLink to="/explore" patch={{ measure, by, where: all }} className="link text-xs text-ink-2">
          Explore
        </ViewLink>
      }
    >
      <Asked query={query}>
        {({ rows }) =>
          rows.length === 0 ? (
            <Empty title="Nothing in this period" />
          ) : (
            <ol className="flex flex-col gap-2">
              {rows.map((row) => {
                const value = approximate(row[measure]) ?? 0
                const isRest = row.folded !== undefined
                return (
                  <li key={`${row[by]}${isRest}`}>
                    <span className="flex items-baseline gap-3">
                      {isRest ? (
                        <span className="mr-auto text-ink-3">{count(row.folded)} others</span>
                      ) : (
                        <ViewLink
                          to="/explore"
                          patch={{ measure, by: 'run', where: [...whereWith(filters, by, row[by] as string | null), ...where] }}
                          className="mr-auto min-w-0 truncate hover:underline"
                          title={`${attributeTitle(by)} ${valueText(by, row[by])}: its runs`}
                        >
                          <bdi>{valueText(by, row[by])}</bdi>
                        </ViewLink>
                      )}
                      <span className="font-medium">
                        <FigureText info={info} value={row[measure]} row={row} />
                      </span>
                      {info.isSum && <span className="w-11 text-right text-xs text-ink-3">{total > 0 ? percent(value / total) : '–'}</span>}
                    </span>
                    {info.isSum && (
                      <ShareBar share={total > 0 ? value / total : 0} color={isRest ? seriesColor(-1) : 'var(--s3)'} className="mt-1 h-1" />
                    )}
                  </li>
                )
              })}
            </ol>
          )
        }
      </Asked>
    </Card>
  )
}
