import { clipped } from '../notice-text.ts'
import type { Notifier } from '../notifier.ts'
import { createPost, type PostOptions } from '../post.ts'

const priorities = { info: 'P5', warning: 'P3', critical: 'P1' } as const

/** Opsgenie Alert API: https://docs.opsgenie.com/docs/alert-api. The alias is the alert's id, so that a second message of it opens nothing. */
export const opsgenieNotifier = (name: string, { key, ...options }: PostOptions & { readonly key: string }): Notifier => {
  const post = createPost(options)
  const headers = { authorization: `GenieKey ${key}` }
  return {
    name,
    send: async (notice, signal) => {
      for (const alert of notice.alerts) {
        if (notice.transition === 'resolved')
          await post({ source: 'taximeter' }, headers, signal, `/v2/alerts/${alert.id}/close?identifierType=alias`)
        else {
          const details = { ...alert.segment, value: alert.value, threshold: alert.threshold }
          await post(
            {
              message: clipped(`${alert.rule}: ${alert.message}`, 130),
              description: clipped(alert.message, 15_000),
              alias: alert.id,
              priority: priorities[alert.severity],
              source: 'taximeter',
              details,
            },
            headers,
            signal,
            '/v2/alerts',
          )
        }
      }
    },
    close: post.close,
  }
}
