import type { ReactNode } from 'react'
import type { AlertRuleJson, PreviewJson } from '../../../../src/server/api.ts'
import { useAlertRules } from '../../api/use-lists.ts'
import { counted, percent } from '../../format/numbers.ts'
import { clockOf } from '../../format/times.ts'
import { useView } from '../../state/use-view.ts'
import { Card } from '../../ui/card.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Asked, Empty } from '../../ui/states.tsx'
import { ViewLink } from '../../ui/view-link.tsx'
import { ruleText } from './rule-text.ts'
import { segmentFilters } from './segment-filters.ts'

/** The rules, each with when it would have told of something had it been there for 30 days: whether its values are right. */
export const RulesCard = (): ReactNode => {
  const query = useAlertRules()
  if (query.data === null) return null
  return (
    <Card title="Rules" note="When each would have fired in the last 30 days, had it been there" isFlush>
      <Asked query={query}>
        {(data) =>
          data === null || data.rules.length === 0 ? (
            <Empty title="No rule is on" icon="alerts">
              An empty list of alerts in the configuration turns all of them off.
            </Empty>
          ) : (
            <ul aria-label="Rules" className="divide-y divide-line border-t border-line">
              {data.rules.map((rule) => (
                <RuleRow key={rule.name} rule={rule} />
              ))}
            </ul>
          )
        }
      </Asked>
    </Card>
  )
}

const timesText = (times: number): string => (times === 0 ? 'never' : times === 1 ? 'once' : counted(times, 'time'))

const severityTexts = { info: 'text-ink-3', warning: 'text-warn', critical: 'text-bad' } as const

const RuleRow = ({ rule }: { rule: AlertRuleJson }): ReactNode => {
  const { preview } = rule
  const head = (
    <span className="grid min-w-0 flex-1 items-center gap-x-6 gap-y-2 md:grid-cols-[minmax(0,1fr)_minmax(10rem,22rem)_5.5rem]">
      <span className="min-w-0">
        <span className="flex items-baseline gap-2">
          <bdi className="truncate font-medium">{rule.name}</bdi>
          <span className={`text-xs ${severityTexts[rule.severity]}`}>{rule.severity}</span>
        </span>
        <span className="block text-xs text-ink-2">
          <bdi>{[ruleText(rule), ...rule.where].join(', ')}</bdi>
        </span>
      </span>
      {preview === undefined ? <Trying progress={rule.progress} /> : <Strip rule={rule} preview={preview} />}
      <span className="text-xs text-ink-2 md:text-right">
        {preview && timesText(preview.fired.length)}
        {preview?.isComplete === false && ' so far'}
      </span>
    </span>
  )
  if (preview === undefined || preview.fired.length === 0) return <li className="flex items-center gap-3 py-3 pr-4 pl-11">{head}</li>
  return (
    <li>
      <details className="group">
        <summary className="flex list-none items-center gap-3 px-4 py-3 hover:bg-sunken/60">
          <Icon name="right" className="size-4 text-ink-3 group-open:rotate-90" />
          {head}
        </summary>
        <Firings preview={preview} />
      </details>
    </li>
  )
}

const Trying = ({ progress }: { progress: number }): ReactNode => (
  <span className="flex items-center gap-3 text-xs text-ink-3">
    <span role="progressbar" aria-label="Tried" aria-valuenow={Math.round(progress * 100)} className="h-1 flex-1 rounded-full bg-sunken">
      <span className="block h-full rounded-full bg-edge" style={{ width: `${progress * 100}%` }} />
    </span>
    {progress === 0 ? 'waits' : percent(progress)}
  </span>
)

const marks = { info: 'bg-s3', warning: 'bg-s1', critical: 'bg-bad' } as const

/** Thirty days from left to right, and where in them the rule would have been firing. */
const Strip = ({ rule, preview }: { rule: AlertRuleJson; preview: PreviewJson }): ReactNode => {
  const { zone } = useView()
  const clock = clockOf(zone)
  const [from, to] = [Date.parse(preview.from), Date.parse(preview.to)]
  const place = (at: number): number => Math.min(100, Math.max(0, ((at - from) / Math.max(1, to - from)) * 100))
  return (
    <span>
      <span
        role="img"
        aria-label={`From ${clock.day(from)} to ${clock.day(to)}: fired ${counted(preview.fired.length, 'time')}`}
        className="relative block h-4 overflow-hidden rounded-sm bg-sunken"
      >
        {preview.fired.map(({ at, resolvedAt }, index) => {
          const left = place(Date.parse(at))
          const right = resolvedAt === undefined ? 100 : place(Date.parse(resolvedAt))
          return (
            <span
              key={index}
              className={`absolute inset-y-0 min-w-[3px] rounded-[1px] opacity-80 ${marks[rule.severity]}`}
              style={{ left: `min(${left}%, 100% - 3px)`, width: `${Math.max(0, right - left)}%` }}
            />
          )
        })}
      </span>
      <span aria-hidden="true" className="mt-0.5 flex justify-between text-2xs text-ink-3">
        <span>{clock.day(from)}</span>
        <span>{clock.day(to)}</span>
      </span>
    </span>
  )
}

const shown = 20
const hourMs = 3_600_000

/** What it would have said, the latest first; each leads to the runs of that time. */
const Firings = ({ preview }: { preview: PreviewJson }): ReactNode => {
  const { zone } = useView()
  const clock = clockOf(zone)
  const latest = preview.fired.toReversed()
  return (
    <ol className="flex flex-col gap-2 border-t border-line bg-sunken/40 py-3 pr-4 pl-11 text-[0.8125rem]">
      {latest.slice(0, shown).map((firing) => {
        const at = Date.parse(firing.at)
        const until = firing.resolvedAt === undefined ? at + hourMs : Date.parse(firing.resolvedAt)
        return (
          <li key={`${firing.at}${JSON.stringify(firing.segment)}`} className="grid gap-x-4 md:grid-cols-[11rem_minmax(0,1fr)]">
            <span className="text-xs leading-5 text-ink-3">
              {clock.minute(at)}
              {firing.resolvedAt === undefined ? ', still is' : ` – ${clock.minute(until)}`}
            </span>
            <span>
              <bdi>{firing.message}</bdi>{' '}
              <ViewLink
                to="/runs"
                patch={{
                  sort: 'costliest',
                  last: undefined,
                  from: new Date(at - 6 * hourMs).toISOString(),
                  to: new Date(until).toISOString(),
                  where: segmentFilters(firing.segment),
                }}
                className="link whitespace-nowrap text-ink-2"
              >
                Runs of that time
              </ViewLink>
            </span>
          </li>
        )
      })}
      {latest.length > shown && <li className="text-xs text-ink-3">and {counted(latest.length - shown, 'time')} before</li>}
      {!preview.isComplete && (
        <li className="text-xs text-warn">It was tried until {clock.minute(Date.parse(preview.to))} only: it fires too often to go on.</li>
      )}
    </ol>
  )
}
