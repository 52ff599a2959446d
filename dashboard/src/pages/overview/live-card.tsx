import { type ReactNode, useEffect, useState } from 'react'
import type { CallJson } from '../../../../src/server/api.ts'
import { useLive, useLiveState } from '../../api/live-context.tsx'
import { useQuestion } from '../../api/use-question.ts'
import { trustOf } from '../../format/coverage.ts'
import { counted, usd } from '../../format/numbers.ts'
import { ago } from '../../format/times.ts'
import { Card } from '../../ui/card.tsx'
import { Money } from '../../ui/figure.tsx'
import { pathOf, ViewLink } from '../../ui/view-link.tsx'

const shown = 5

/** The meter as it runs: the last hour, and the calls that have just come in. */
export const LiveCard = (): ReactNode => {
  const { recent } = useLiveState()
  const hour = useQuestion({ measures: ['cost', 'calls'], period: { kind: 'last', span: '1h', ms: 3_600_000 } })
  const now = useNow()
  return (
    <Card title="Now">
      <p className="flex items-baseline gap-2">
        <Money
          value={hour.data?.totals.cost as string | undefined}
          mark={hour.data === undefined ? '' : trustOf(hour.data.coverage).mark}
          className="text-2xl"
        />
        <span className="text-xs text-ink-3">in the last hour, {counted(hour.data?.totals.calls, 'call')}</span>
      </p>
      <ul aria-label="Calls as they come in" className="mt-3 flex min-h-32 flex-col gap-1 text-[0.8125rem]">
        {recent.slice(0, shown).map((call) => (
          <LiveCall key={call.id} call={call} now={now} />
        ))}
        {recent.length === 0 && <li className="text-xs text-ink-3">Calls appear here as they are made.</li>}
      </ul>
    </Card>
  )
}

const LiveCall = ({ call, now }: { call: CallJson; now: number }): ReactNode => {
  const name = call.kind === 'llm' ? call.model : call.tool
  const content = (
    <>
      <bdi className="mr-auto min-w-0 truncate">{name}</bdi>
      <span className="text-xs whitespace-nowrap text-ink-3">{ago(Date.parse(call.at), now)}</span>
      <span className="w-18 text-right">{call.charge.basis === 'unpriced' ? 'unpriced' : `+${usd(call.charge.totalUsd)}`}</span>
    </>
  )
  return (
    <li>
      {call.run === undefined ? (
        <span className="flex items-baseline gap-2">{content}</span>
      ) : (
        <ViewLink to={pathOf('/runs', call.run)} className="flex items-baseline gap-2 hover:underline">
          {content}
        </ViewLink>
      )}
    </li>
  )
}

const useNow = (): number => {
  const live = useLive()
  const [now, setNow] = useState(live.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(live.now()), 5_000)
    return () => clearInterval(timer)
  }, [live])
  // A call that has just come in is never in the future.
  return Math.max(now, live.now())
}
