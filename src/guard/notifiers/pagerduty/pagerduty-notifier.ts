import { clipped, linkOf } from '../notice-text.ts'
import type { Notifier } from '../notifier.ts'
import { createPost, type PostOptions } from '../post.ts'

/** PagerDuty Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview. One event per alert; the same key opens and resolves. */
export const pagerdutyNotifier = (name: string, { key, ...options }: PostOptions & { readonly key: string }): Notifier => {
  const post = createPost(options)
  return {
    name,
    send: async (notice, signal) => {
      for (const alert of notice.alerts) {
        const event = { routing_key: key, dedup_key: alert.id, event_action: notice.transition === 'firing' ? 'trigger' : 'resolve' }
        const link = linkOf(notice, alert)
        const payload = {
          summary: clipped(alert.message, 1_024),
          source: 'taximeter',
          severity: alert.severity,
          timestamp: new Date(alert.startedAt).toISOString(),
          group: alert.rule,
          custom_details: { ...alert.segment, value: alert.value, threshold: alert.threshold },
        }
        await post({ ...event, payload, ...(link !== undefined && { links: [{ href: link, text: 'Look at it' }] }) }, {}, signal)
      }
    },
    close: post.close,
  }
}
