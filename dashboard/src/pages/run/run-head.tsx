import type { ReactNode } from 'react'
import type { RunDetailJson, RunJson } from '../../../../src/server/api.ts'
import { doubtOf, type Mark } from '../../format/doubt.ts'
import { compact, count, counted, duration, percent, picoOf, usd, usdTextOf } from '../../format/numbers.ts'
import { clockOf, offsetName } from '../../format/times.ts'
import { StopBadge } from '../../segments/run-badges.tsx'
import { useView } from '../../state/use-view.ts'
import { filterText } from '../../state/view.ts'
import { DoubtMark, Money } from '../../ui/figure.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'
import { CallsCost, doubtsOf } from './calls-cost.tsx'

/** Whose run it was; every name leads to what else it did. */
export const RunNames = ({ run }: { run: RunJson }): ReactNode => {
  const { zone } = useView()
  const names = (['agent', 'release', 'team', 'environment', 'user'] as const).flatMap((by) => {
    const value = run[by]
    return value === undefined ? [] : [{ by, value }]
  })
  return (
    <span className="flex flex-wrap items-center gap-x-4 gap-y-1">
      <StopBadge run={run} />
      <span className="max-w-full truncate font-mono text-xs text-ink-3 sm:max-w-96" title={run.run}>
        <bdi>{run.run}</bdi>
      </span>
      {names.map(({ by, value }) => (
        <span key={by}>
          <span className="text-xs text-ink-3">{by} </span>
          <ViewLink
            to="/runs"
            patch={{ where: [filterText({ by, values: [value], isNot: false })] }}
            className="link inline-block max-w-72 truncate align-bottom"
            title={value}
          >
            <bdi>{value}</bdi>
          </ViewLink>
        </span>
      ))}
      {run.session !== undefined && (
        <span>
          <span className="text-xs text-ink-3">session </span>
          <ViewLink to={pathOf('/sessions', run.session)} className="link inline-block max-w-72 truncate align-bottom" title={run.session}>
            <bdi>{run.session}</bdi>
          </ViewLink>
        </span>
      )}
      {run.parent !== undefined && (
        <span>
          <span className="text-xs text-ink-3">part of </span>
          <ViewLink to={pathOf('/runs', run.parent)} className="link font-mono text-xs">
            <bdi>{run.parent}</bdi>
          </ViewLink>
        </span>
      )}
      <span className="text-xs text-ink-3">
        {clockOf(zone).full(Date.parse(run.startedAt))} <span title={zone}>{offsetName(zone, Date.parse(run.startedAt))}</span>
      </span>
    </span>
  )
}

export const RunFigures = ({ detail }: { detail: RunDetailJson }): ReactNode => {
  const { run, children } = detail
  const [models, tools] = [detail.calls.filter(({ kind }) => kind === 'llm'), detail.calls.filter(({ kind }) => kind === 'tool')]
  const ofChildren = children.reduce((sum, child) => sum + (picoOf(child.costUsd) ?? 0n), 0n)
  return (
    <section
      aria-label="Figures of the run"
      className="grid gap-px overflow-hidden rounded-lg border border-line bg-line md:grid-cols-[minmax(15rem,auto)_minmax(0,1fr)]"
    >
      <div className="bg-surface px-4 py-3">
        <p className="text-xs text-ink-3">Cost</p>
        <Money value={run.costUsd} mark={markOf(detail)} className="text-4xl leading-12" />
        {run.unpricedCalls > 0 && (
          <p className="text-xs text-bad">{counted(run.unpricedCalls, 'call')} without a price: at least this much.</p>
        )}
        {children.length > 0 && (
          <p className="text-xs text-ink-2">
            and{' '}
            <span className="font-medium">
              <DoubtMark mark={children.some((child) => child.unpricedCalls > 0) ? '≥' : ''} />
              {usd(usdTextOf(ofChildren))}
            </span>{' '}
            in {children.length === 1 ? 'its sub-run' : `its ${children.length} sub-runs`}
          </p>
        )}
        <RunBudget run={run} />
      </div>
      <dl className="grid grid-cols-[repeat(auto-fill,minmax(7rem,1fr))] content-center gap-x-6 gap-y-3 bg-surface px-4 py-3">
        <Item title="Model cost" value={<CallsCost calls={models} cost={run.llmCostUsd} />} />
        <Item title="Tool cost" value={<CallsCost calls={tools} cost={run.toolCostUsd} />} />
        <Item title="Took" value={duration(run.durationMs)} />
        <Item title="Model calls" value={count(run.llmCalls)} />
        <Item title="Tool calls" value={count(run.toolCalls)} />
        <Item title="Retries" value={count(run.retries)} tone={run.retries > 0 ? 'text-warn' : ''} />
        <Item title="Errors" value={count(run.errors)} tone={run.errors > 0 ? 'text-bad' : ''} />
        <Item title="Tokens in" value={compact(run.promptTokens)} exact={count(run.promptTokens)} />
        <Item title="Tokens out" value={compact(run.completionTokens)} exact={count(run.completionTokens)} />
      </dl>
    </section>
  )
}

/** How sure the total is: its calls say so. */
const markOf = ({ run, calls }: RunDetailJson): Mark => doubtOf({ ...doubtsOf(calls), unpricedCalls: run.unpricedCalls }).mark

const Item = ({ title, value, exact, tone = '' }: { title: string; value: ReactNode; exact?: string; tone?: string }): ReactNode => (
  <div>
    <dt className="text-xs text-ink-3">{title}</dt>
    <dd className={`text-base font-semibold tracking-tight ${tone}`} title={exact}>
      {value}
    </dd>
  </div>
)

const RunBudget = ({ run }: { run: RunJson }): ReactNode => {
  const budget = Number(run.budgetUsd ?? 0)
  if (run.budgetUsd === undefined || budget <= 0) return null
  const share = Number(run.costUsd) / budget
  return (
    <div className="mt-2">
      <p className="mb-1 text-xs text-ink-2">
        {percent(share)} of its budget of {usd(run.budgetUsd)}
      </p>
      <span
        role="meter"
        aria-label="Share of the run's budget"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(Math.min(1, share) * 100)}
        className="block h-2 overflow-hidden rounded-full bg-sunken"
      >
        <span
          className={`block h-full ${share >= 1 ? 'bg-bad' : share >= 0.8 ? 'bg-accent' : 'bg-s3'}`}
          style={{ width: `${Math.min(1, share) * 100}%` }}
        />
      </span>
    </div>
  )
}
