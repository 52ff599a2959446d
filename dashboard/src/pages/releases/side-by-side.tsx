import type { ReactNode } from 'react'
import type { AnswerRow, QueryAnswer } from '../../../../src/server/api.ts'
import { useQuestion } from '../../api/use-question.ts'
import { trustOf } from '../../format/coverage.ts'
import { changeOf } from '../../format/numbers.ts'
import { approximate } from '../../format/sums.ts'
import { attributeTitle, type Figure, measureInfo, valueText } from '../../state/measures.ts'
import { useSetView, useView } from '../../state/use-view.ts'
import { filterText } from '../../state/view.ts'
import { Card } from '../../ui/card.tsx'
import { Select } from '../../ui/controls.tsx'
import { CoverageMark } from '../../ui/coverage-mark.tsx'
import { Change, DoubtMark, FigureText } from '../../ui/figure.tsx'
import { Asked, Empty, Skeleton } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

const measures = [
  'runs',
  'costPerRun',
  'costP50',
  'costP95',
  'llmCostPerRun',
  'toolCostPerRun',
  'tokensPerRun',
  'tokensPerCompletion',
  'cacheHitRate',
  'retries',
  'errors',
  'latencyP95',
  'calls',
]
/** Two releases rarely make as many calls: what happened to some of them is compared as their share. */
const ofCalls: ReadonlySet<string> = new Set(['retries', 'errors'])
const inner = ['costPerRun', 'runs']
const neutral: ReadonlySet<string> = new Set(['runs', 'calls', 'cacheHitRate'])

/** Two releases over the same period: whole against whole, then by what differs. Which two is in the address. */
export const SideBySide = (): ReactNode => {
  const { search } = useView()
  const setView = useSetView()
  const list = useQuestion({ measures: ['runs'], by: ['agent', 'release'], top: 200, where: ['-release:'] })
  const rows = (list.data?.rows ?? []).filter((row) => row.folded === undefined)
  const names = [...new Set(rows.map((row) => String(row.release)))]
  const [before, after] = chosenOf(rows, search.a, search.b)
  const options = [...new Set([...names, ...[before, after].filter((name) => name !== undefined)])].map((name) => ({
    value: name,
    title: name,
  }))
  return (
    <Card
      title="Side by side"
      isStale={list.isPlaceholderData}
      actions={
        before !== undefined &&
        after !== undefined && (
          <div className="flex flex-wrap items-center gap-2">
            <Select label="Release before" value={before} options={options} onChange={(a) => setView({ a, b: after }, { replace: true })} />
            <span className="text-xs text-ink-3">against</span>
            <Select label="Release after" value={after} options={options} onChange={(b) => setView({ a: before, b }, { replace: true })} />
          </div>
        )
      }
    >
      <Asked query={list} loading={<Skeleton className="h-60 w-full" />}>
        {() =>
          before === undefined || after === undefined ? (
            <Empty title="There are not two releases in this period">
              Name the release of your agent, and compare it with the one before here.
            </Empty>
          ) : (
            <Comparison before={before} after={after} />
          )
        }
      </Asked>
    </Card>
  )
}

/**
 * As the address says; otherwise the two newest, by name, of the busiest agent that has two: releases of different agents have
 * nothing to say about each other.
 */
const chosenOf = (
  rows: readonly AnswerRow[],
  a: string | undefined,
  b: string | undefined,
): readonly [string | undefined, string | undefined] => {
  const byAgent = Map.groupBy(rows, (row) => row.agent)
  const busiest = [...byAgent.values()].find((own) => own.length > 1) ?? rows
  const sorted = busiest.map((row) => String(row.release)).toSorted((left, right) => right.localeCompare(left, 'en', { numeric: true }))
  const after = b ?? sorted.find((name) => name !== a)
  return [a ?? sorted.find((name) => name !== after), after]
}

const whereRelease = (name: string): string => filterText({ by: 'release', values: [name], isNot: false })

const Comparison = ({ before, after }: { before: string; after: string }): ReactNode => {
  const { search } = useView()
  const by = search.by ?? 'task'
  const left = useQuestion({ measures, where: [whereRelease(before)] })
  const right = useQuestion({ measures, where: [whereRelease(after)] })
  const leftParts = useQuestion({ measures: inner, by: [by], top: 12, where: [whereRelease(before)] })
  const rightParts = useQuestion({ measures: inner, by: [by], top: 12, where: [whereRelease(after)] })
  if (left.data === undefined || right.data === undefined) {
    const error = left.error ?? right.error
    return <Asked query={{ data: undefined, error, refetch: right.refetch }}>{() => null}</Asked>
  }
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-x-8 gap-y-6 xl:grid-cols-[repeat(2,minmax(0,1fr))]">
      <WholeTable before={before} after={after} left={left.data} right={right.data} />
      <PartsTable before={before} after={after} by={by} left={leftParts.data} right={rightParts.data} />
    </div>
  )
}

const Heads = ({ first, before, after }: { first: ReactNode; before: string; after: string }): ReactNode => (
  <thead>
    <tr className="border-b border-line text-xs text-ink-3">
      <th className="py-2 text-left font-medium">{first}</th>
      <th className="max-w-32 truncate py-2 pl-3 text-right max-sm:pl-2 font-medium">
        <bdi>{before}</bdi>
      </th>
      <th className="max-w-32 truncate py-2 pl-3 text-right max-sm:pl-2 font-medium text-ink">
        <bdi>{after}</bdi>
      </th>
      <th className="w-16 py-2 pl-3 text-right max-sm:pl-2 font-medium">Change</th>
    </tr>
  </thead>
)

const WholeTable = ({
  before,
  after,
  left,
  right,
}: {
  before: string
  after: string
  left: QueryAnswer
  right: QueryAnswer
}): ReactNode => (
  <table className="w-full text-[0.8125rem] max-sm:text-xs">
    <caption className="sr-only">
      {before} against {after}
    </caption>
    <Heads
      before={before}
      after={after}
      first={
        <span className="flex items-center gap-2">
          <CoverageMark coverage={trustOf(left.coverage).mark === '' ? right.coverage : left.coverage} />
        </span>
      }
    />
    <tbody>
      {measures.map((name) => {
        const info = ofCalls.has(name)
          ? { ...measureInfo(name), title: `${measureInfo(name).title} of calls`, form: 'share' as const }
          : measureInfo(name)
        const [then, now] = [figureOf(name, left), figureOf(name, right)]
        return (
          <tr key={name} className="border-b border-line/70 last:border-0">
            <th scope="row" className="py-1.5 text-left font-normal text-ink-2">
              {info.title}
            </th>
            {[before, after].map((release, index) => (
              <td key={`${release}${index === 0 ? ' before' : ''}`} className="py-1.5 pl-3 text-right max-sm:pl-2 font-medium">
                <ViewLink to="/runs" patch={{ where: [whereRelease(release)], sort: 'costliest' }} className="hover:underline">
                  {info.form === 'usd' && <DoubtMark mark={trustOf((index === 0 ? left : right).coverage).mark} />}
                  <FigureText info={info} value={index === 0 ? then : now} />
                </ViewLink>
              </td>
            ))}
            <td className="py-1.5 pl-3 text-right max-sm:pl-2">
              <Change change={changeOf(approximate(now), approximate(then))} isNeutral={neutral.has(name)} />
            </td>
          </tr>
        )
      })}
    </tbody>
  </table>
)

const figureOf = (name: string, { totals }: QueryAnswer): Figure => {
  if (!ofCalls.has(name)) return totals[name]
  const calls = Number(totals.calls ?? 0)
  return calls === 0 ? null : Number(totals[name] ?? 0) / calls
}

interface PartsTableProps {
  readonly before: string
  readonly after: string
  readonly by: string
  readonly left: QueryAnswer | undefined
  readonly right: QueryAnswer | undefined
}

const PartsTable = ({ before, after, by, left, right }: PartsTableProps): ReactNode => {
  const setView = useSetView()
  const info = measureInfo('costPerRun')
  const past = new Map((left?.rows ?? []).map((row) => [row[by], row]))
  const values = [
    ...new Set([...(right?.rows ?? []), ...(left?.rows ?? [])].filter((row) => row.folded === undefined).map((row) => row[by])),
  ]
  const present = new Map((right?.rows ?? []).map((row) => [row[by], row]))
  return (
    <table className="w-full text-[0.8125rem] max-sm:text-xs">
      <caption className="sr-only">
        Cost per run by {by}, {before} against {after}
      </caption>
      <Heads
        before={before}
        after={after}
        first={
          <Select
            label="Cost per run by"
            isLabelShown
            value={by}
            options={['task', 'agent', 'model', 'tool', 'environment'].map((name) => ({
              value: name,
              title: attributeTitle(name).toLowerCase(),
            }))}
            onChange={(value) => setView({ by: value }, { replace: true })}
          />
        }
      />
      <tbody>
        {values.map((value) => {
          const then = past.get(value)?.costPerRun
          const now = present.get(value)?.costPerRun
          return (
            <tr key={String(value)} className="border-b border-line/70 last:border-0">
              <th scope="row" className="max-w-0 truncate py-1.5 text-left font-normal">
                <ViewLink
                  to="/runs"
                  patch={{
                    where: [filterText({ by, values: [value as string | null], isNot: false }), whereRelease(after)],
                    sort: 'costliest',
                  }}
                  className="hover:underline"
                >
                  <bdi>{valueText(by, value)}</bdi>
                </ViewLink>
              </th>
              <td className="py-1.5 pl-3 text-right max-sm:pl-2">
                <FigureText info={info} value={then} row={past.get(value)} />
              </td>
              <td className="py-1.5 pl-3 text-right max-sm:pl-2 font-medium">
                <FigureText info={info} value={now} row={present.get(value)} />
              </td>
              <td className="py-1.5 pl-3 text-right max-sm:pl-2">
                <Change change={changeOf(approximate(now), approximate(then))} />
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
