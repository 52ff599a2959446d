import { clipped, linkOf, severityOf, titleOf } from '../notice-text.ts'
import type { Notifier } from '../notifier.ts'
import { createPost, type PostOptions } from '../post.ts'

const colours = { info: 0x3b82f6, warning: 0xf5b301, critical: 0xdc2626 } as const
const resolvedColour = 0x16a34a

/** A Discord webhook: https://discord.com/developers/docs/resources/webhook#execute-webhook */
export const discordNotifier = (name: string, options: PostOptions): Notifier => {
  const post = createPost(options)
  return {
    name,
    send: (notice, signal) => {
      const colour = notice.transition === 'resolved' ? resolvedColour : colours[severityOf(notice)]
      // At most ten embeds, 6,000 characters together; nobody is pinged, whatever a name says.
      const embeds = notice.alerts.slice(0, 10).map((alert) => {
        const url = linkOf(notice, alert)
        return {
          title: clipped(alert.rule, 250),
          description: clipped(alert.message, 500),
          color: colour,
          ...(url !== undefined && url.length <= 2_048 && { url }),
        }
      })
      return post({ content: clipped(titleOf(notice), 2_000), embeds, allowed_mentions: { parse: [] } }, {}, signal)
    },
    close: post.close,
  }
}
