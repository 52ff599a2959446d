import type { AlertRecord } from '../../ledger/alert-store.ts'
import type { Notice } from './notifier.ts'

/** One line for a subject or a heading: "Firing: agent-hour (2 alerts)". */
export const titleOf = ({ transition, alerts }: Notice): string => {
  const rule = alerts[0]?.rule ?? 'alert'
  return `${transition === 'firing' ? 'Firing' : 'Resolved'}: ${rule}${alerts.length > 1 ? ` (${alerts.length} alerts)` : ''}`
}

/** Where to look: the question behind an alert in the dashboard, if its address is known. */
export const linkOf = ({ dashboardUrl }: Notice, { query }: AlertRecord): string | undefined =>
  dashboardUrl === undefined ? undefined : `${dashboardUrl}/explore?${query}`

/** The gravest severity among the alerts. */
export const severityOf = ({ alerts }: Notice): AlertRecord['severity'] =>
  (['critical', 'warning', 'info'] as const).find((severity) => alerts.some((alert) => alert.severity === severity)) ?? 'info'

export const linesOf = (notice: Notice): readonly string[] =>
  notice.alerts.map((alert) => {
    const link = linkOf(notice, alert)
    return `${alert.message}${link === undefined ? '' : ` ${link}`}`
  })

/** Chat tools cut, or refuse, what is longer. */
export const clipped = (text: string, charsMax: number): string => (text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`)
