import { type ReactNode, useMemo } from 'react'
import type { AnswerRow, QueryAnswer } from '../../../src/server/api.ts'
import { ShareBar } from '../charts/sparkline.tsx'
import { changeOf, count, decimalsFor } from '../format/numbers.ts'
import { approximate } from '../format/sums.ts'
import { attributeTitle, figureText, measureInfo, valueText } from '../state/measures.ts'
import { previousTitle } from '../state/period.ts'
import { useView } from '../state/use-view.ts'
import { whereWith } from '../state/view.ts'
import { type Column, DataTable } from '../ui/data-table.tsx'
import { Change, FigureText } from '../ui/figure.tsx'
import { pathOf, ViewLink } from '../ui/view-link.tsx'
import type { SegmentKind } from './segment-kinds.ts'

interface SegmentRowsProps {
  readonly kind: SegmentKind
  readonly answer: QueryAnswer
}

/** A row per value; the name leads to its own page, every figure to the question behind it. */
export const SegmentRows = ({ kind, answer }: SegmentRowsProps): ReactNode => {
  const { period } = useView()
  const against = previousTitle(period)
  const columns = useMemo(() => columnsOf(kind, answer, against), [kind, answer, against])
  return (
    <DataTable
      label={kind.title}
      rows={answer.rows}
      columns={columns}
      rowId={(row) => JSON.stringify([row[kind.by], kind.also === undefined ? null : row[kind.also], row.folded])}
      sort={`-${kind.measures[0]}`}
      isSortedByAddress
    />
  )
}

const columnsOf = (kind: SegmentKind, answer: QueryAnswer, against: string): readonly Column<AnswerRow>[] => {
  const { by, also } = kind
  const keyOf = (row: AnswerRow): string => JSON.stringify([row[by], also === undefined ? null : row[also]])
  const before = new Map((answer.previous?.rows ?? []).map((row) => [keyOf(row), row]))
  const first = kind.measures[0] ?? 'cost'
  return [
    {
      id: by,
      title: attributeTitle(by),
      sortBy: (row) => (row.folded === undefined ? valueText(by, row[by]) : undefined),
      className: 'min-w-36 max-w-72',
      cell: (row) => <SegmentName kind={kind} row={row} />,
    },
    ...(also === undefined
      ? []
      : [
          {
            id: also,
            title: attributeTitle(also),
            from: 'sm' as const,
            sortBy: (row: AnswerRow) => valueText(also, row[also]),
            className: 'max-w-44 truncate text-ink-2',
            cell: (row: AnswerRow) => (row.folded === undefined ? <bdi>{valueText(also, row[also])}</bdi> : ''),
          },
        ]),
    measureColumn(kind, answer, first, 0),
    {
      id: 'change',
      title: 'Change',
      isNumber: true,
      sortBy: (row) => changeOf(approximate(row[first]), approximate(before.get(keyOf(row))?.[first])),
      cell: (row) => {
        const past = before.get(keyOf(row))?.[first]
        if (row.folded !== undefined) return ''
        return (
          <Change
            change={changeOf(approximate(row[first]), approximate(past))}
            against={`${figureText(measureInfo(first), past)}, ${against}`}
          />
        )
      },
    },
    ...kind.measures.slice(1).map((name, index) => measureColumn(kind, answer, name, index + 1)),
  ]
}

const from = [undefined, 'sm', 'sm', 'md', 'lg', 'lg', 'xl', 'xl', '2xl', '2xl'] as const

const measureColumn = (kind: SegmentKind, answer: QueryAnswer, name: string, index: number): Column<AnswerRow> => {
  const info = measureInfo(name)
  const total = approximate(answer.totals[name]) ?? 0
  const decimals = decimalsFor(info.form === 'usd' ? answer.rows.map((row) => row[name] as string | null) : [])
  const shownFrom = from[index]
  return {
    id: name,
    title: info.title,
    about: info.about,
    isNumber: true,
    // What is folded together stands last, however much it is.
    sortBy: (row) => (row.folded === undefined ? approximate(row[name]) : undefined),
    ...(shownFrom !== undefined && { from: shownFrom }),
    cell: (row) => (
      <>
        <FigureLink kind={kind} row={row} name={name}>
          <FigureText info={info} value={row[name]} row={row} decimals={decimals} />
        </FigureLink>
        {index === 0 && total > 0 && <ShareBar share={(approximate(row[name]) ?? 0) / total} className="mt-0.5 ml-auto h-1 w-20" />}
      </>
    ),
  }
}

const FigureLink = ({ kind, row, name, children }: { kind: SegmentKind; row: AnswerRow; name: string; children: ReactNode }): ReactNode => {
  const { filters } = useView()
  if (row.folded !== undefined) return <span>{children}</span>
  const where = [...whereWith(filters, kind.by, row[kind.by] as string | null), ...kind.where]
  const isOfRuns = /run/i.test(name)
  return (
    <ViewLink
      to={isOfRuns ? '/runs' : '/explore'}
      patch={{ where, ...(isOfRuns ? { sort: 'costliest' } : { measure: name, by: 'run' }) }}
      className="decoration-line underline-offset-3 hover:underline"
    >
      {children}
    </ViewLink>
  )
}

const SegmentName = ({ kind, row }: { kind: SegmentKind; row: AnswerRow }): ReactNode => {
  const { filters } = useView()
  const value = row[kind.by]
  if (typeof row.folded === 'number') return <span className="text-ink-3">{count(row.folded)} others</span>
  if (value === null || value === undefined) {
    return (
      <ViewLink
        to="/explore"
        patch={{ measure: 'cost', by: 'run', where: whereWith(filters, kind.by, null) }}
        className="text-ink-2 hover:underline"
      >
        {valueText(kind.by, null)}
      </ViewLink>
    )
  }
  return (
    <ViewLink to={pathOf(kind.path, String(value))} className="block truncate font-medium hover:underline">
      <bdi>{String(value)}</bdi>
    </ViewLink>
  )
}
