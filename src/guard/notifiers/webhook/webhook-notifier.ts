import { createHmac } from 'node:crypto'
import { linkOf } from '../notice-text.ts'
import type { Notice, Notifier } from '../notifier.ts'
import { createPost, type PostOptions } from '../post.ts'

/**
 * JSON to any address. With a secret the body is signed: `x-taximeter-signature: sha256=<hex of HMAC-SHA-256 over "<timestamp>.<body>">`
 * and `x-taximeter-timestamp` in seconds, so that an old message cannot be sent again. `x-taximeter-id` is the same for every attempt.
 */
export const webhookNotifier = (name: string, options: PostOptions & { readonly secret?: string }, now: () => number): Notifier => {
  const post = createPost(options)
  return {
    name,
    send: (notice, signal) => {
      const body = JSON.stringify(webhookBody(notice))
      const timestamp = String(Math.floor(now() / 1000))
      const signature =
        options.secret === undefined
          ? {}
          : { 'x-taximeter-signature': `sha256=${createHmac('sha256', options.secret).update(`${timestamp}.${body}`).digest('hex')}` }
      return post(body, { 'x-taximeter-id': notice.id, 'x-taximeter-timestamp': timestamp, ...signature }, signal)
    },
    close: post.close,
  }
}

const webhookBody = (notice: Notice) => ({
  id: notice.id,
  transition: notice.transition,
  alerts: notice.alerts.map((alert) => ({
    id: alert.id,
    rule: alert.rule,
    severity: alert.severity,
    segment: alert.segment,
    message: alert.message,
    value: alert.value,
    threshold: alert.threshold,
    ...(alert.cause !== undefined && { cause: alert.cause }),
    ...(alert.model !== undefined && { model: alert.model }),
    startedAt: new Date(alert.startedAt).toISOString(),
    ...(alert.resolvedAt !== undefined && { resolvedAt: new Date(alert.resolvedAt).toISOString() }),
    query: alert.query,
    ...(linkOf(notice, alert) !== undefined && { url: linkOf(notice, alert) }),
  })),
})
