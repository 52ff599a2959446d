import { type ReactNode, useMemo } from 'react'
import type { AnswerRow, QueryAnswer } from '../../../../src/server/api.ts'
import { ShareBar } from '../../charts/sparkline.tsx'
import { trustOf } from '../../format/coverage.ts'
import { changeOf, count } from '../../format/numbers.ts'
import { approximate } from '../../format/sums.ts'
import { clockOf } from '../../format/times.ts'
import { attributeTitle, figureText, measureInfo, valueText } from '../../state/measures.ts'
import { previousTitle } from '../../state/period.ts'
import { useView } from '../../state/use-view.ts'
import { type Filter, filterText } from '../../state/view.ts'
import { type Column, DataTable } from '../../ui/data-table.tsx'
import { Change, DoubtMark, FigureText } from '../../ui/figure.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'
import type { Asked } from './use-asked.ts'

interface AnswerTableProps {
  readonly answer: QueryAnswer
  readonly asked: Asked
}

/** The rows as the ledger gave them, the totals above; a row leads to its runs. */
export const AnswerTable = ({ answer, asked }: AnswerTableProps): ReactNode => {
  const { period, filters } = useView()
  const columns = useMemo(() => columnsOf(answer, asked, previousTitle(period), filters), [answer, asked, period, filters])
  const first = asked.measures[0] ?? 'cost'
  return (
    <>
      <p className="flex flex-wrap gap-x-6 gap-y-1 border-y border-line bg-sunken/50 px-4 py-2 text-[0.8125rem]">
        <span className="text-ink-3">Total</span>
        {asked.measures.map((name) => (
          <span key={name}>
            <span className="text-ink-3">{measureInfo(name).title}</span>{' '}
            <span className="font-semibold">
              {measureInfo(name).form === 'usd' && <DoubtMark mark={trustOf(answer.coverage).mark} />}
              <FigureText info={measureInfo(name)} value={answer.totals[name]} />
            </span>
          </span>
        ))}
        <ViewLink to="/calls" className="link ml-auto text-ink-2">
          The calls behind it
        </ViewLink>
      </p>
      <DataTable
        label="Answer"
        rows={answer.rows}
        columns={columns}
        rowId={(row) => JSON.stringify([row.bucket, row.folded, ...asked.by.map((name) => row[name])])}
        sort={asked.interval === undefined ? `-${first}` : 'bucket'}
        isSortedByAddress
      />
    </>
  )
}

const columnsOf = (answer: QueryAnswer, asked: Asked, against: string, filters: readonly Filter[]): readonly Column<AnswerRow>[] => {
  const before = new Map((answer.previous?.rows ?? []).map((row) => [keyOf(row, asked.by), row]))
  const clock = clockOf(answer.tz)
  const columns: Column<AnswerRow>[] = []
  if (asked.interval !== undefined) {
    columns.push({
      id: 'bucket',
      title: `From (${asked.interval})`,
      sortBy: (row) => Date.parse(row.bucket ?? ''),
      cell: (row) => clock.minute(Date.parse(row.bucket ?? '')),
      className: 'whitespace-nowrap',
    })
  }
  for (const by of asked.by) {
    columns.push({
      id: by,
      title: attributeTitle(by),
      sortBy: (row) => (row.folded === undefined ? valueText(by, row[by]) : undefined),
      cell: (row) => <RowName row={row} by={by} all={asked.by} filters={filters} />,
      className: 'max-w-72 truncate',
    })
  }
  for (const [index, name] of asked.measures.entries()) columns.push(...measureColumns(answer, name, index === 0, asked, before, against))
  return columns
}

const measureColumns = (
  answer: QueryAnswer,
  name: string,
  isFirst: boolean,
  asked: Asked,
  before: ReadonlyMap<string, AnswerRow>,
  against: string,
): readonly Column<AnswerRow>[] => {
  const info = measureInfo(name)
  const total = approximate(answer.totals[name]) ?? 0
  const hasShares = isFirst && info.isSum && total > 0 && asked.by.length > 0
  return [
    {
      id: name,
      title: info.title,
      about: info.about,
      isNumber: true,
      // What is folded together stands last, however much it is.
      sortBy: (row) => (row.folded === undefined ? approximate(row[name]) : undefined),
      cell: (row) => (
        <>
          <FigureText info={info} value={row[name]} row={row} />
          {hasShares && <ShareBar share={(approximate(row[name]) ?? 0) / total} className="mt-0.5 ml-auto h-1 w-24" />}
        </>
      ),
    },
    ...(answer.previous !== undefined && isFirst && asked.by.length > 0
      ? [
          {
            id: 'change',
            title: 'Change',
            isNumber: true,
            cell: (row: AnswerRow) => {
              const past = before.get(keyOf(row, asked.by))?.[name]
              if (row.folded !== undefined) return ''
              return (
                <Change change={changeOf(approximate(row[name]), approximate(past))} against={`${figureText(info, past)}, ${against}`} />
              )
            },
          },
        ]
      : []),
  ]
}

const keyOf = (row: AnswerRow, by: readonly string[]): string => JSON.stringify(by.map((name) => row[name] ?? null))

interface RowNameProps {
  readonly row: AnswerRow
  readonly by: string
  readonly all: readonly string[]
  readonly filters: readonly Filter[]
}

const RowName = ({ row, by, all, filters }: RowNameProps): ReactNode => {
  const text = valueText(by, row[by])
  if (typeof row.folded === 'number') return <span className="text-ink-3">{by === all[0] ? `${count(row.folded)} others` : ''}</span>
  if (by === 'run' && row[by] !== null) {
    return (
      <ViewLink to={pathOf('/runs', String(row[by]))} className="font-mono text-xs hover:underline">
        {text}
      </ViewLink>
    )
  }
  const own = all.map((name) => filterText({ by: name, values: [row[name] as string | null], isNot: false }))
  const kept = filters.filter((filter) => !all.includes(filter.by)).map(filterText)
  return (
    <ViewLink to="/runs" patch={{ sort: 'costliest', where: [...kept, ...own] }} className="hover:underline" title="Its costliest runs">
      <bdi>{text}</bdi>
    </ViewLink>
  )
}
