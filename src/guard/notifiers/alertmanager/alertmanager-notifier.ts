import { linkOf } from '../notice-text.ts'
import type { Notifier } from '../notifier.ts'
import { createPost, type PostOptions } from '../post.ts'

/** Alertmanager ends what it has not heard of for five minutes (`resolve_timeout`). */
const remindMs = 60_000

/** Prometheus Alertmanager, API v2: https://prometheus.io/docs/alerting/latest/alerts_api/. Labels name the alert, so that both sides agree which is which. */
export const alertmanagerNotifier = (name: string, options: PostOptions): Notifier => {
  const post = createPost(options)
  return {
    name,
    remindMs,
    send: (notice, signal) =>
      post(
        notice.alerts.map((alert) => ({
          labels: { alertname: alert.rule, severity: alert.severity, source: 'taximeter', ...labelsOf(alert.segment) },
          annotations: {
            summary: alert.message,
            value: alert.value,
            threshold: alert.threshold,
            ...(alert.cause !== undefined && { cause: alert.cause }),
          },
          startsAt: new Date(alert.startedAt).toISOString(),
          ...(alert.resolvedAt !== undefined && { endsAt: new Date(alert.resolvedAt).toISOString() }),
          ...(linkOf(notice, alert) !== undefined && { generatorURL: linkOf(notice, alert) }),
        })),
        {},
        signal,
        '/api/v2/alerts',
      ),
    close: post.close,
  }
}

/** Attribute names with characters that a label cannot have ("tag.plan") get an underscore in their place. */
const labelsOf = (segment: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(segment).map(([name, value]) => [name.replace(/[^a-zA-Z0-9_]/g, '_'), value]))
