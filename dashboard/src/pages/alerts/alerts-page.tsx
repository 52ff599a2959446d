import type { ReactNode } from 'react'
import type { AlertJson } from '../../../../src/server/api.ts'
import { useLive } from '../../api/live-context.tsx'
import { useAlerts } from '../../api/use-lists.ts'
import { ago, clockOf } from '../../format/times.ts'
import { useView } from '../../state/use-view.ts'
import { filterText, parseSearch } from '../../state/view.ts'
import { Badge, type Tone } from '../../ui/controls.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'

/** What is wrong now, and what was: each leads to its segment and from there to the runs. */
export const AlertsPage = (): ReactNode => {
  const query = useAlerts()
  return (
    <>
      <PageHead title="Alerts" note="The open ones, then the latest." />
      <section aria-label="Alerts" className="rounded-lg border border-line bg-surface">
        <Asked query={query}>
          {(data) =>
            data === null ? (
              <Empty title="No alerts are configured" icon="alerts">
                Rules on totals, burn rates, run costs and unpriced models are named in the configuration file.
              </Empty>
            ) : data.alerts.length === 0 ? (
              <Empty title="All quiet" icon="check">
                No rule has found anything.
              </Empty>
            ) : (
              <ul className="divide-y divide-line">
                {data.alerts.map((alert) => (
                  <AlertRow key={alert.id} alert={alert} />
                ))}
              </ul>
            )
          }
        </Asked>
      </section>
    </>
  )
}

const severityTones: Readonly<Record<AlertJson['severity'], Tone>> = { info: 'plain', warning: 'warn', critical: 'bad' }
const stateTones: Readonly<Record<AlertJson['state'], Tone>> = { pending: 'warn', firing: 'bad', resolved: 'ok' }

const AlertRow = ({ alert }: { alert: AlertJson }): ReactNode => {
  const { zone } = useView()
  const live = useLive()
  const where = Object.entries(alert.segment).map(([by, value]) => filterText({ by, values: [value], isNot: false }))
  const startedAt = Date.parse(alert.startedAt)
  return (
    <li className={`flex flex-col gap-2 px-4 py-3 ${alert.state === 'resolved' ? 'text-ink-2' : ''}`}>
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone={stateTones[alert.state]}>{alert.state}</Badge>
        <Badge tone={severityTones[alert.severity]}>{alert.severity}</Badge>
        <bdi className="font-medium">{alert.rule}</bdi>
        <span className="ml-auto text-xs text-ink-3" title={clockOf(zone).full(startedAt)}>
          {alert.resolvedAt === undefined
            ? `since ${ago(startedAt, live.now())}`
            : `resolved ${ago(Date.parse(alert.resolvedAt), live.now())}`}
        </span>
      </p>
      <p>
        <bdi>{alert.message}</bdi>
      </p>
      <p className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
        {Object.entries(alert.segment).map(([by, value]) => (
          <span key={by} className="text-ink-2">
            {by} <bdi className="font-medium">{value}</bdi>
          </span>
        ))}
        <ViewLink to="/runs" patch={{ where, sort: 'costliest' }} className="link">
          Its costliest runs
        </ViewLink>
        {alert.query !== undefined && (
          <ViewLink to="/explore" patch={parseSearch(alert.query)} className="link">
            The question behind it
          </ViewLink>
        )}
      </p>
    </li>
  )
}
