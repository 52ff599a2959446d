import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from 'react'
import { compact, count, duration, usd } from '../../format/numbers.ts'
import { ChargeText } from '../../segments/charge-text.tsx'
import { StopBadge } from '../../segments/run-badges.tsx'
import { Badge } from '../../ui/controls.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Empty } from '../../ui/states.tsx'
import { useWindowed } from '../../ui/use-windowed.ts'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'
import { costOf, type Waterfall as WaterfallData, type WaterfallRow } from './waterfall-rows.ts'

interface WaterfallProps {
  readonly waterfall: WaterfallData
  readonly chosen: string | undefined
  readonly onChoose: (id: string) => void
}

const rowHeight = 36
const columns =
  'grid grid-cols-[minmax(0,1fr)_4rem_5.5rem] items-center gap-x-3 px-4 @lg:grid-cols-[3.25rem_minmax(7rem,11rem)_minmax(5rem,1fr)_3.75rem_5rem] @3xl:grid-cols-[4rem_minmax(8rem,13rem)_minmax(9rem,1fr)_4rem_6.5rem_5rem] @5xl:grid-cols-[4.5rem_minmax(8rem,18rem)_minmax(9rem,1fr)_4.5rem_7.5rem_6rem]'

/** Every call in its place in time. Only the lines in sight are drawn; up and down walk through all of them. */
export const Waterfall = ({ waterfall, chosen, onChoose }: WaterfallProps): ReactNode => {
  const { rows, from, to } = waterfall
  const scroller = useRef<HTMLDivElement>(null)
  const id = useId()
  const { first, last, before, after } = useWindowed(scroller, rows.length, rowHeight)
  const at = rows.findIndex((row) => row.id === chosen)
  const dearest = rows.reduce((most, row) => Math.max(most, Number(costOf(row) ?? 0)), 0)

  useEffect(() => {
    const element = scroller.current
    if (element === null || at < 0) return
    const top = at * rowHeight
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight - element.clientHeight
  }, [at])

  const press = (event: KeyboardEvent): void => {
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: at + 20, PageUp: at - 20 }[event.key]
    if (next === undefined || rows.length === 0) return
    event.preventDefault()
    const row = rows[Math.min(rows.length - 1, Math.max(0, next))]
    if (row !== undefined) onChoose(row.id)
  }

  if (rows.length === 0) return <Empty title="This run has no calls yet" />
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label="Steps of the run. Up and down choose a call."
      aria-rowcount={rows.length + 1}
      aria-activedescendant={at >= first && at < last ? `${id}-${at}` : undefined}
      tabIndex={0}
      onKeyDown={press}
      className="@container max-h-[70vh] overflow-y-auto border-t border-line text-[0.8125rem] outline-offset-[-2px]"
    >
      <Header length={to - from} />
      <div role="rowgroup" style={{ paddingTop: before, paddingBottom: after }}>
        {rows.slice(first, last).map((row, index) => (
          <Line
            key={row.id}
            id={`${id}-${first + index}`}
            index={first + index}
            row={row}
            isChosen={row.id === chosen}
            dearest={dearest}
            onChoose={onChoose}
          />
        ))}
      </div>
    </div>
  )
}

const Header = ({ length }: { length: number }): ReactNode => (
  <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-surface">
    <div role="row" aria-rowindex={1} className={`${columns} h-8 text-xs font-medium text-ink-3`}>
      <span role="columnheader" className="@max-lg:hidden">
        Step
      </span>
      <span role="columnheader">Call</span>
      <span role="columnheader" className="flex justify-between @max-lg:hidden">
        <span className="sr-only">Time</span>
        <span aria-hidden="true">0</span>
        <span aria-hidden="true" className="@max-2xl:hidden">
          {duration(length / 2)}
        </span>
        <span aria-hidden="true">{duration(length)}</span>
      </span>
      <span role="columnheader" className="text-right">
        Took
      </span>
      <span role="columnheader" className="text-right @max-3xl:hidden">
        Tokens
      </span>
      <span role="columnheader" className="text-right">
        Cost
      </span>
    </div>
  </div>
)

interface LineProps {
  readonly id: string
  readonly index: number
  readonly row: WaterfallRow
  readonly isChosen: boolean
  readonly dearest: number
  readonly onChoose: (id: string) => void
}

const Line = ({ id, index, row, isChosen, dearest, onChoose }: LineProps): ReactNode => {
  const share = dearest > 0 ? Number(costOf(row) ?? 0) / dearest : 0
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it has the keys.
    <div
      id={id}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={isChosen}
      onClick={() => onChoose(row.id)}
      className={`${columns} relative h-9 cursor-pointer border-b border-line/60 hover:bg-sunken/70 aria-selected:bg-sunken aria-selected:before:absolute aria-selected:before:inset-y-0 aria-selected:before:left-0 aria-selected:before:w-[3px] aria-selected:before:bg-accent ${row.isStepStart ? '' : 'border-dashed'}`}
    >
      <span role="gridcell" className="truncate text-xs text-ink-3 @max-lg:hidden">
        <bdi>{row.isStepStart ? row.step : ''}</bdi>
      </span>
      <Name row={row} />
      <span role="gridcell" className="relative h-full @max-lg:hidden">
        <Bar row={row} />
      </span>
      <span role="gridcell" className="text-right text-xs text-ink-2">
        {duration(row.of.kind === 'call' ? row.of.call.durationMs : row.of.run.durationMs)}
      </span>
      <span role="gridcell" className="text-right text-xs whitespace-nowrap text-ink-2 @max-3xl:hidden">
        <Tokens row={row} />
      </span>
      <span role="gridcell" className="text-right">
        {row.of.kind === 'call' ? (
          <ChargeText charge={row.of.call.charge} />
        ) : (
          <span className="text-ink-2">({usd(row.of.run.costUsd)})</span>
        )}
        <span aria-hidden="true" className="mt-0.5 ml-auto block h-[3px] rounded-full bg-s1" style={{ width: `${share * 100}%` }} />
      </span>
    </div>
  )
}

const Name = ({ row }: { row: WaterfallRow }): ReactNode => {
  if (row.of.kind === 'run') {
    return (
      <span role="gridcell" className="flex min-w-0 items-center gap-2">
        <Icon name="branch" className="size-3.5 text-ink-3" />
        <ViewLink to={pathOf('/runs', row.of.run.run)} className="link min-w-0 truncate">
          <bdi>{row.name}</bdi>
        </ViewLink>
        {row.of.run.stopReason !== 'completed' && <StopBadge run={row.of.run} />}
      </span>
    )
  }
  const { call } = row.of
  return (
    <span role="gridcell" className="flex min-w-0 items-center gap-2">
      <Icon name={call.kind === 'llm' ? 'models' : 'tools'} className="size-3.5 text-ink-3" />
      <bdi className="min-w-0 truncate">{row.name}</bdi>
      {call.attempt > 0 && (
        <Badge tone="warn">
          <Icon name="retry" className="size-3" />
          {call.attempt}
        </Badge>
      )}
      {call.status !== 'ok' && <Badge tone="bad">{call.error ?? call.status}</Badge>}
    </span>
  )
}

const Tokens = ({ row }: { row: WaterfallRow }): ReactNode => {
  if (row.of.kind === 'run') return <span title={count(row.of.run.tokens)}>{compact(row.of.run.tokens)}</span>
  if (row.of.call.kind === 'tool') return null
  const { promptTokens, completionTokens } = row.of.call
  return (
    <span title={`${count(promptTokens)} in, ${count(completionTokens)} out`}>
      {compact(promptTokens)} <span className="text-ink-3">→</span> {compact(completionTokens)}
    </span>
  )
}

/** Blue for models, green for tools, outlined for sub-runs, red for what failed; the first byte splits the bar of a stream. */
const Bar = ({ row }: { row: WaterfallRow }): ReactNode => {
  const place = { left: `${row.startShare * 100}%`, width: `max(3px, ${Math.min(row.lengthShare, 1 - row.startShare) * 100}%)` }
  if (row.of.kind === 'run')
    return <span className="absolute top-1/2 h-3 -translate-y-1/2 rounded-sm border border-edge bg-sunken" style={place} />
  const { call } = row.of
  const tone = call.status !== 'ok' ? 'bg-bad' : call.kind === 'llm' ? 'bg-s3' : 'bg-s4'
  return <span className={`absolute top-1/2 h-3 -translate-y-1/2 rounded-sm ${tone}`} style={place} />
}
