import type { ReactNode } from 'react'
import type { RunJson } from '../../../src/server/api.ts'
import { ShareBar } from '../charts/sparkline.tsx'
import { compact, count, decimalsFor, duration, exactUsd, usdWith } from '../format/numbers.ts'
import { clockOf } from '../format/times.ts'
import { useView } from '../state/use-view.ts'
import { type Column, DataTable } from '../ui/data-table.tsx'
import { pathOf, ViewLink } from '../ui/view-link.tsx'
import { StopBadge } from './run-badges.tsx'
import { RunCost, type RunDoubts, useRunDoubts } from './run-cost.tsx'

/** Runs as rows, in the order in which they came: the server sorts, because it has all of them and the page has fifty. */
export const RunTable = ({ runs, label }: { runs: readonly RunJson[]; label: string }): ReactNode => {
  const { zone } = useView()
  const doubts = useRunDoubts(runs)
  return <DataTable label={label} rows={runs} columns={columnsOf(runs, zone, doubts)} rowId={(run) => run.run} />
}

const columnsOf = (runs: readonly RunJson[], zone: string, doubts: RunDoubts): readonly Column<RunJson>[] => {
  const clock = clockOf(zone)
  const decimals = decimalsFor(runs.map((run) => run.costUsd))
  const most = Math.max(...runs.map((run) => Number(run.costUsd)), 0)
  return [
    {
      id: 'run',
      title: 'Run',
      className: 'min-w-44',
      cell: (run) => (
        <ViewLink to={pathOf('/runs', run.run)} className="group block max-w-44 min-w-0 sm:max-w-80">
          <span className="block truncate font-medium group-hover:underline">
            <bdi>{run.task ?? run.run}</bdi>
          </span>
          <span className="block truncate text-xs text-ink-3">
            <bdi>{run.agent ?? 'no agent'}</bdi> · <bdi className="font-mono text-2xs">{shortId(run.run)}</bdi>
          </span>
        </ViewLink>
      ),
    },
    {
      id: 'cost',
      title: 'Cost',
      isNumber: true,
      cell: (run) => (
        <span title={exactUsd(run.costUsd)}>
          <RunCost run={run} doubts={doubts} decimals={decimals} />
          <ShareBar share={most > 0 ? Number(run.costUsd) / most : 0} className="mt-0.5 ml-auto h-1 w-20" />
        </span>
      ),
    },
    { id: 'stop', title: 'Ended', cell: (run) => <StopBadge run={run} /> },
    { id: 'started', title: 'Started', className: 'whitespace-nowrap', from: 'sm', cell: (run) => clock.minute(Date.parse(run.startedAt)) },
    { id: 'duration', title: 'Took', isNumber: true, from: 'md', cell: (run) => duration(run.durationMs) },
    { id: 'calls', title: 'Calls', isNumber: true, from: 'md', cell: (run) => count(run.calls) },
    { id: 'retries', title: 'Retries', isNumber: true, from: 'xl', cell: (run) => faint(run.retries) },
    { id: 'errors', title: 'Errors', isNumber: true, from: 'lg', cell: (run) => faint(run.errors) },
    {
      id: 'tokens',
      title: 'Tokens',
      isNumber: true,
      from: 'lg',
      cell: (run) => <span title={count(run.tokens)}>{compact(run.tokens)}</span>,
    },
    { id: 'tool', title: 'Tool cost', isNumber: true, from: '2xl', cell: (run) => usdWith(run.toolCostUsd, decimals) },
    { id: 'release', title: 'Release', from: 'xl', className: 'max-w-32 truncate', cell: (run) => <bdi>{run.release ?? '–'}</bdi> },
    { id: 'user', title: 'User', from: '2xl', className: 'max-w-40 truncate', cell: (run) => <bdi>{run.user ?? '–'}</bdi> },
  ]
}

/** Nothing to see is easier not to see when it is faint. */
const faint = (value: number): ReactNode => (value === 0 ? <span className="text-ink-3">0</span> : count(value))

const shortId = (id: string): string => (id.length > 14 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id)
