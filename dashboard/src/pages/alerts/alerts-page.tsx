import type { ReactNode } from 'react'
import type { AlertJson } from '../../../../src/server/api.ts'
import { useLive } from '../../api/live-context.tsx'
import { useAlerts } from '../../api/use-lists.ts'
import { ago, clockOf } from '../../format/times.ts'
import { useView } from '../../state/use-view.ts'
import { parseSearch } from '../../state/view.ts'
import { Card } from '../../ui/card.tsx'
import { Badge, type Tone } from '../../ui/controls.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'
import { RulesCard } from './rules-card.tsx'
import { segmentFilters } from './segment-filters.ts'

/** What is wrong now, and what was: each leads to its segment and from there to the runs. Then the rules, and when they would have fired. */
export const AlertsPage = (): ReactNode => {
  const query = useAlerts()
  return (
    <>
      <PageHead title="Alerts" note="The open ones, then the latest; below, the rules that raise them." />
      <Asked query={query}>
        {(data) =>
          data === null ? (
            <Card title="Now">
              <Empty title="No alerts are configured" icon="alerts">
                Rules on totals, burn rates, run costs and unpriced models are named in the configuration file.
              </Empty>
            </Card>
          ) : (
            <AlertLists alerts={data.alerts} />
          )
        }
      </Asked>
      <RulesCard />
    </>
  )
}

const AlertLists = ({ alerts }: { alerts: readonly AlertJson[] }): ReactNode => {
  const open = alerts.filter(({ state }) => state !== 'resolved')
  const past = alerts.filter(({ state }) => state === 'resolved')
  return (
    <>
      <Card title="Now" isFlush={open.length > 0}>
        {open.length === 0 ? (
          <Empty title="All quiet" icon="check">
            No rule finds anything at present.
          </Empty>
        ) : (
          <AlertList label="Open alerts" alerts={open} />
        )}
      </Card>
      {past.length > 0 && (
        <Card title="Before" isFlush>
          <AlertList label="Resolved alerts" alerts={past} />
        </Card>
      )}
    </>
  )
}

const AlertList = ({ label, alerts }: { label: string; alerts: readonly AlertJson[] }): ReactNode => (
  <ul aria-label={label} className="divide-y divide-line border-t border-line">
    {alerts.map((alert) => (
      <AlertRow key={alert.id} alert={alert} />
    ))}
  </ul>
)

const severityTones: Readonly<Record<AlertJson['severity'], Tone>> = { info: 'plain', warning: 'warn', critical: 'bad' }

const AlertRow = ({ alert }: { alert: AlertJson }): ReactNode => (
  <li className={`flex flex-col gap-1.5 px-4 py-3 ${alert.state === 'resolved' ? 'text-ink-2' : ''}`}>
    <p className="flex flex-wrap items-center gap-2">
      <Badge tone={alert.state === 'resolved' ? 'plain' : severityTones[alert.severity]}>{alert.severity}</Badge>
      <bdi className="font-medium">{alert.rule}</bdi>
      <span className="ml-auto">
        <AlertTime alert={alert} />
      </span>
    </p>
    <p className="max-w-5xl">
      <bdi>{alert.message}</bdi>
    </p>
    <p className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
      {Object.entries(alert.segment).map(([by, value]) => (
        <span key={by} className="text-ink-2">
          {by} <bdi className="font-medium">{value}</bdi>
        </span>
      ))}
      <ViewLink to="/runs" patch={{ where: segmentFilters(alert.segment), sort: 'costliest' }} className="link">
        Its costliest runs
      </ViewLink>
      {alert.query !== undefined && (
        <ViewLink to="/explore" patch={parseSearch(alert.query)} className="link">
          The question behind it
        </ViewLink>
      )}
      {alert.partOf !== undefined && <span className="text-ink-3">told with another of the same cause</span>}
    </p>
  </li>
)

const AlertTime = ({ alert }: { alert: AlertJson }): ReactNode => {
  const { zone } = useView()
  const live = useLive()
  const clock = clockOf(zone)
  const startedAt = Date.parse(alert.startedAt)
  const resolvedAt = alert.resolvedAt === undefined ? undefined : Date.parse(alert.resolvedAt)
  return (
    <span className="text-xs text-ink-3" title={clock.full(resolvedAt ?? startedAt)}>
      {alert.state} {resolvedAt === undefined ? `since ${clock.minute(startedAt)}, ` : ''}
      {ago(resolvedAt ?? startedAt, live.now())}
    </span>
  )
}
