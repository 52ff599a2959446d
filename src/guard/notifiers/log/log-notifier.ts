import { titleOf } from '../notice-text.ts'
import type { Notifier } from '../notifier.ts'

export type LogLine = (severity: 'info' | 'warning' | 'critical', fields: Readonly<Record<string, unknown>>, text: string) => void

/** Into the program's own log: always there, for those who read nothing else. */
export const logNotifier = (name: string, log: LogLine): Notifier => ({
  name,
  send: async (notice) => {
    for (const alert of notice.alerts)
      log(
        alert.severity,
        { alert: alert.id, rule: alert.rule, segment: alert.segment, transition: notice.transition },
        `${titleOf({ ...notice, alerts: [alert] })}: ${alert.message}`,
      )
  },
  close: async () => {},
})
